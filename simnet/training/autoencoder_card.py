"""What is measured of an AESC-I codec for its card: sizes, SS by the judge, PSNR, SSIM, at several precisions."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import JsonValue
from torch import Tensor

from simnet.codecs.aesc import Aesc
from simnet.codecs.quality import mean_squared_errors, psnr_db, ssim
from simnet.core import streams
from simnet.core.errors import SimnetError
from simnet.core.zoo import model_dir
from simnet.data.base import ImageSet
from simnet.tasks.classification import Classification
from simnet.tasks.networks import load_network
from simnet.tasks.similarity import recognition_rate, ss_population
from simnet.training import cards, engine
from simnet.training.run import TrainingRun
from simnet.wire.slices import PRECISIONS, Precision

VARIANTS: tuple[tuple[Precision, int], ...] = (
    ("float16", 8), ("int8", 8), ("int8", 6), ("int8", 5), ("int8", 4), ("int8", 3), ("int6", 5), ("int6", 4),
)  # fmt: skip
"""(precision of the decoder, bits per code value) whose SS is measured on the whole test set."""
SHIPPED: tuple[Precision, int] = ("int8", 8)
"""Also measured on the images that simnet ships."""
BATCH = 512


def load_judge(name: str, run: TrainingRun) -> Classification:
    """The classifier that measures SS, on the run's device."""
    network = load_network(model_dir(name) / "weights.safetensors")
    return Classification(network.to(engine.resolve_device(run.device)))


def figures(run: TrainingRun, judge_name: str, test: ImageSet, sample: ImageSet) -> dict[str, JsonValue]:
    """All that is measured; ``over_snr`` stays as it was if the weights did."""
    judge = load_judge(judge_name, run)
    digest = hashlib.sha256((run.out / "weights.safetensors").read_bytes()).hexdigest()
    codec = _codec(run, SHIPPED)
    return {
        "weights_sha256": digest,
        "judge": judge_name,
        "encode_flop": codec.encode_flop,
        "decode_flop": codec.decode_flop,
        "decoder_byte": {p: _decoder_byte(run, p, entropy_coding=True) for p in PRECISIONS},
        "decoder_byte_without_table": {p: _decoder_byte(run, p, entropy_coding=False) for p in PRECISIONS},
        "encoder_byte": codec.encoder_slices[0].n_byte,
        "code_byte": _code_byte(run, test),
        "test": _quality(run, judge, test, VARIANTS),
        "sample": _quality(run, judge, sample, (SHIPPED,)),
        "over_snr": _kept_over_snr(run.out, digest),
    }


def write_over_snr(folder: Path, rows: list[dict[str, float]]) -> None:
    """Put quality over the channel's Es/N0 into the card: rows ``{esno_db, ss, psnr_db, ssim, …}``.

    Raises:
        SimnetError: the folder has no card.
    """
    card = cards.read_card(folder)
    cards.write_card(folder, card.model_copy(update={"measured": {**card.measured, "over_snr": rows}}))


def _kept_over_snr(folder: Path, digest: str) -> JsonValue:
    try:
        measured = cards.read_card(folder).measured
    except SimnetError:
        return []
    return measured.get("over_snr", []) if measured.get("weights_sha256") == digest else []


def _codec(run: TrainingRun, variant: tuple[Precision, int], *, entropy_coding: bool = True) -> Aesc:
    name = cards.model_name(run).rpartition("/")[2]
    precision, code_bits = variant
    params = Aesc.Params(model=name, precision=precision, code_bits=code_bits, entropy_coding=entropy_coding)
    return Aesc(params, device=run.device, folder=run.out)


def _decoder_byte(run: TrainingRun, precision: Precision, *, entropy_coding: bool) -> int:
    return _codec(run, (precision, SHIPPED[1]), entropy_coding=entropy_coding).decoder_slices[0].n_byte


def _code_byte(run: TrainingRun, images: ImageSet) -> dict[str, JsonValue]:
    """Bits per code value -> bytes of fixed-length and mean bytes of entropy-coded codes."""
    pixels = _pixels(images, run)
    sizes: dict[str, JsonValue] = {}
    for n_bit in sorted({bits for _, bits in VARIANTS}, reverse=True):
        codec = _codec(run, (SHIPPED[0], n_bit))
        lengths = [len(code) for code in codec.encode(pixels)]
        sizes[f"{n_bit} bit"] = {
            "fixed": len(codec.encode_raw(pixels[:1])[0]),
            "entropy_coded_mean": round(float(np.mean(lengths)), 2),
        }
    return sizes


def _quality(
    run: TrainingRun, judge: Classification, images: ImageSet, variants: tuple[tuple[Precision, int], ...]
) -> dict[str, JsonValue]:
    pixels = _pixels(images, run)
    original = _recognised(judge, pixels, images)
    rate = recognition_rate(original)
    rows: list[JsonValue] = []
    for variant in variants:
        codec = _codec(run, variant, entropy_coding=False)
        recovered = codec.decode(codec.encode(pixels), codec.decoder_slices)
        hits = _recognised(judge, recovered, images)
        rng = streams.generator(0, "bootstrap", cards.model_name(run), images.split, *variant)
        ss = ss_population(original, hits, rng=rng)
        mse = mean_squared_errors(pixels, recovered)
        rows.append(
            {
                "precision": variant[0],
                "code_bits": variant[1],
                "accuracy_recovered": round(recognition_rate(hits).value, 5),
                "ss_population": round(ss.value, 5),
                "ss_interval_95": [round(ss.low, 5), round(ss.high, 5)],
                "mean_of_psnr_db": round(float(psnr_db(mse).mean()), 3),
                "psnr_of_mean_mse_db": round(float(psnr_db(mse.mean())), 3),
                "ssim": round(float(ssim(pixels, recovered).mean()), 4),
            }
        )
    return {
        "n": len(images),
        "sha256": images.sha256,
        "accuracy_original": round(rate.value, 5),
        "accuracy_original_interval_95": [round(bound, 5) for bound in rate.interval],
        "variants": rows,
    }


def _recognised(judge: Classification, pixels: Tensor, images: ImageSet) -> NDArray[np.bool_]:
    truth = torch.tensor(images.labels, device=pixels.device)
    with torch.no_grad():
        parts = zip(torch.split(pixels, BATCH), torch.split(truth, BATCH), strict=True)
        hits = [judge.recognised(judge.infer(p), t) for p, t in parts]
    return torch.cat(hits).cpu().numpy()


def _pixels(images: ImageSet, run: TrainingRun) -> Tensor:
    return torch.tensor(images.images, device=engine.resolve_device(run.device)) / 255
