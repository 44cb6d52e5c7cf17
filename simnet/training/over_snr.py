"""Quality over Es/N0 when nothing is repeated: decoder and code through the exact chain (paper 001, Figs 4, 5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from simnet.codecs.aesc import Aesc
from simnet.codecs.quality import mean_squared_errors, psnr_db, ssim
from simnet.core import streams
from simnet.core.errors import SimnetError
from simnet.core.mcs import MCS_TABLE
from simnet.core.plugins import KINDS
from simnet.core.units import db_to_linear
from simnet.phy.blocks import BlockFormat, split
from simnet.phy.chain import BlockJob, DigitalChain, Reception
from simnet.tasks.classification import Classification
from simnet.tasks.similarity import ss_population
from simnet.training.autoencoder import Recipe
from simnet.training.autoencoder_card import write_over_snr
from simnet.training.cards import read_card
from simnet.training.recipe import read_recipe
from simnet.wire.slices import Slice, join_raw, split_raw

ESNO_DB = (-1.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0)
"""Around the cliff of QPSK and LDPC 1/2; above it nothing is wrong."""
N_DECODER = 8
"""Deliveries of the decoder per SNR: its damage is common to all images decoded with it."""
IMAGES_PER_DECODER = 40
NAME_SEED = 0


@dataclass(frozen=True)
class NoisyLink:
    """AWGN, QPSK 1/2, no retransmission; headers are protected.

    Args:
        send: payload and the name of its noise -> the payload as decoded.
    """

    esno_db: float
    chain: DigitalChain

    def send(self, payloads: Sequence[bytes], names: Sequence[str]) -> list[bytes]:
        """Each payload as it comes out of the channel decoder."""
        esno = db_to_linear(self.esno_db)
        jobs, counts = [], []
        for payload, name in zip(payloads, names, strict=True):
            blocks = split(payload)
            counts.append(len(blocks))
            jobs += [
                BlockJob(
                    part,
                    BlockFormat(k, MCS_TABLE[0]),
                    (Reception(esno, 1.0, (NAME_SEED, "over_snr", f"{self.esno_db:g}", name, index)),),
                )
                for index, (k, part) in enumerate(blocks)
            ]
        results = iter(self.chain.transmit(jobs))
        return [b"".join(next(results).payload for _ in range(count)) for count in counts]


def measure_over_snr(
    folder: Path,
    *,
    device: str = "cpu",
    esno_dbs: Sequence[float] = ESNO_DB,
    tell: Callable[[str], None] = lambda _: None,
) -> list[dict[str, float]]:
    """Measure a trained AESC-I model on the shipped images and write the rows into its card.

    Returns:
        One row per Es/N0: ``esno_db``, population ``ss`` with ``ss_low`` and ``ss_high`` (95 %, bootstrap over images),
        means of ``psnr_db`` and ``ssim``, ``n`` images and ``decoders`` delivered.

    Raises:
        SimnetError: the folder holds no trained model or no card.
    """
    card = read_card(folder)
    codec = Aesc(Aesc.Params(model=folder.name, entropy_coding=False), device=device, folder=folder)
    recipe = read_recipe(folder / "train.yaml")
    if not isinstance(recipe, Recipe):
        raise SimnetError(f"{folder / 'train.yaml'}: kind: got {recipe.kind!r}; allowed 'autoencoder'")
    images, labels = _sample(recipe.source.data_set, recipe.source.labels, device)
    if "judge" not in card.measured:
        raise SimnetError(
            f"{folder / 'card.yaml'}: measured: no key 'judge'; allowed: the zoo name of a classifier; write it anew "
            f"with 'simnet models measure {folder.parent.name}/{folder.name}'"
        )
    judge = Classification.from_zoo(str(card.measured["judge"]))
    judge.network.to(device)
    original = _recognised(judge, images, labels)
    chain = DigitalChain(device=device)
    rows = []
    for esno_db in esno_dbs:
        recovered, chosen = _deliver(codec, images, NoisyLink(esno_db, chain))
        after = _recognised(judge, recovered, labels[chosen])
        rng = streams.generator(NAME_SEED, "over_snr", f"{esno_db:g}")
        ss = ss_population(original[chosen], after, rng=rng)
        psnrs = psnr_db(mean_squared_errors(images[chosen], recovered))
        rows.append(
            {
                "esno_db": esno_db,
                "ss": round(ss.value, 4),
                "ss_low": round(ss.low, 4),
                "ss_high": round(ss.high, 4),
                "psnr_db": round(float(psnrs.mean()), 3),
                "ssim": round(float(ssim(images[chosen], recovered).mean()), 4),
                "n": len(chosen),
                "decoders": N_DECODER,
            }
        )
        tell(f"{folder.name}: Es/N0 {esno_db:5.2f} dB: SS {ss.value:.3f} [{ss.low:.3f}, {ss.high:.3f}]")
    write_over_snr(folder, rows)
    return rows


def _deliver(codec: Aesc, images: Tensor, link: NoisyLink) -> tuple[Tensor, list[int]]:
    """Recovered images and which original each is: every decoder is delivered anew and decodes images of its own."""
    clean = codec.decoder_slices[0]
    header, body = split_raw(clean)
    names = [f"decoder {i}" for i in range(N_DECODER)]
    recovered, chosen = [], []
    for i, (name, received) in enumerate(zip(names, link.send([body] * N_DECODER, names), strict=True)):
        decoder: Slice = join_raw(header, received, transfer=name.replace(" ", "-"))
        members = [(i * IMAGES_PER_DECODER + k) % len(images) for k in range(IMAGES_PER_DECODER)]
        codes = link.send(codec.encode_raw(images[members]), [f"{name} image {m}" for m in members])
        recovered.append(codec.decode_raw(codes, [decoder]))
        chosen += members
    return torch.cat(recovered), chosen


def _sample(data_set: str, labels: Sequence[int] | None, device: str) -> tuple[Tensor, Tensor]:
    """Shipped images of a recipe's source, [N, C, H, W] float32, and labels [N]."""
    data = KINDS["data"].load(data_set)().load("sample")
    keep = np.arange(len(data)) if labels is None else np.flatnonzero(np.isin(data.labels, labels))
    return (
        torch.tensor(data.images[keep], device=device) / 255.0,
        torch.tensor(data.labels[keep], device=device),
    )


def _recognised(judge: Classification, images: Tensor, labels: Tensor) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    with torch.no_grad():
        return judge.recognised(judge.infer(images), labels).cpu().numpy()
