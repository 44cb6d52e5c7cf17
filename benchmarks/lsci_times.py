"""How long one picture of 256 x 256 takes: LSCI and rivals, channel slices and LDPC (paper 000, Tables IV and V).

    python benchmarks/lsci_times.py [--device cuda]

One thread; the least of several runs, since whatever else the machine does only adds. Full-size networks have random
weights, which cost the same as trained ones. Prints a table and writes benchmarks/results/lsci_times_<device>.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from simnet.codecs.avif import Avif
from simnet.codecs.base import Codec
from simnet.codecs.jpeg import Jpeg
from simnet.codecs.jpeg2000 import Jpeg2000
from simnet.codecs.lsci import Lsci
from simnet.codecs.networks.channel_slices import ChannelSlices, ChannelSliceShape, load_channel_slices, through_channel
from simnet.codecs.networks.lsci import LsciBase, LsciShape, load_base
from simnet.codecs.webp import Webp
from simnet.core.mcs import MCS_TABLE
from simnet.core.plugins import KINDS
from simnet.core.units import db_to_linear
from simnet.core.zoo import model_dir
from simnet.phy.blocks import BlockFormat, split
from simnet.phy.chain import BlockJob, DigitalChain, Reception

RESULTS = Path(__file__).parent / "results"
SHAPE = (3, 256, 256)
ENHANCED = {"pooling": 2, "bpp": 0.3, "super_resolution": "lsci_sr/street_2"}
ESNO_DB = (0.0, 5.0, 10.0)
PAPER_S = {
    "LSCI, full size": (2.705, 0.255),
    "JPEG 2000, 0.3 bpp": (0.090, None),
    "JPEG, quality 10": (0.011, None),
    "channel slices, full size": (0.00977, 0.00177),
    "LDPC ½, 4QAM, 0 dB": (22.3, None),
    "LDPC ½, 4QAM, 5 dB": (0.119, None),
    "LDPC ½, 4QAM, 10 dB": (0.0776, None),
}
"""Tables IV and V: CPU and GPU, on the authors' machine."""


def least_s(work: Callable[[], object], device: str) -> float:
    """Shortest of some runs that take about two seconds together, at least three."""
    took: list[float] = []
    while len(took) < 3 or (sum(took) < 2.0 and len(took) < 200):
        start = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        took.append(time.perf_counter() - start)
    return min(took)


def picture() -> Tensor:
    """A street scene that is shipped, scaled."""
    pixels = KINDS["data"].load("camvid")().load("sample").images[0].transpose(1, 2, 0)
    scaled = np.asarray(Image.fromarray(pixels).resize((256, 256)), np.float32) / 255
    return torch.from_numpy(scaled.transpose(2, 0, 1).copy())[None]


def both_ways(codec: Codec, image: Tensor) -> Callable[[], object]:
    slices = codec.decoder_slices
    return lambda: codec.decode(codec.encode(image), slices)


def source_coding(image: Tensor, device: str) -> dict[str, Callable[[], object]]:
    """Name -> encoding and decoding of one picture."""
    on_device = image.to(device)

    def networks(base: LsciBase) -> Callable[[], object]:
        base = base.eval().to(device)
        return torch.inference_mode()(lambda: base.generator(base.quantiser(base.encoder(on_device))))

    works: dict[str, Callable[[], object]] = {
        "LSCI, full size": networks(LsciBase(LsciShape(width=64))),
        "LSCI, width 8": networks(load_base(model_dir("lsci/street") / "weights.safetensors")[0]),
    }
    if device == "cpu":
        lsci = Lsci(Lsci.Params.model_validate({"image_shape": SHAPE, "enhancement": ENHANCED}))
        works |= {
            "LSCI, width 8, as a codec with an enhancement slice": both_ways(lsci, image),
            "JPEG 2000, 0.3 bpp": both_ways(Jpeg2000(Jpeg2000.Params(image_shape=SHAPE, rate_bpp=0.3)), image),
            "JPEG, quality 10": both_ways(Jpeg(Jpeg.Params(image_shape=SHAPE, quality=10)), image),
            "WebP, quality 10": both_ways(Webp(Webp.Params(image_shape=SHAPE, quality=10)), image),
            "AVIF, quality 10": both_ways(Avif(Avif.Params(image_shape=SHAPE, quality=10)), image),
        }
    return works


def channel_coding(image: Tensor, device: str) -> dict[str, Callable[[], object]]:
    """Name -> the base code of one picture through channel coder, channel and decoder."""
    base, _ = load_base(model_dir("lsci/street") / "weights.safetensors")
    with torch.inference_mode():
        code = base.quantiser(base.encoder(image)).to(device)
    generator = torch.Generator(device).manual_seed(1)
    esno = torch.tensor([db_to_linear(5.0)], device=device)

    def learned(slices: ChannelSlices) -> Callable[[], object]:
        slices, channel = slices.eval().to(device), slices.shape.channel()
        return torch.inference_mode()(lambda: through_channel(slices, channel, code, esno, esno, generator))

    works = {
        "channel slices, full size": learned(ChannelSlices(ChannelSliceShape(width=64))),
        "channel slices, width 16": learned(
            load_channel_slices(model_dir("channel/street_awgn_low") / "weights.safetensors")
        ),
    }
    if device == "cpu":
        codec = Jpeg2000(Jpeg2000.Params(image_shape=SHAPE, rate_bpp=0.3))
        chain, blocks = DigitalChain(), split(codec.encode_raw(image)[0])
        for esno_db in ESNO_DB:
            jobs = [
                BlockJob(part, BlockFormat(k, MCS_TABLE[0]), (Reception(db_to_linear(esno_db), 1.0, (1, "block", i)),))
                for i, (k, part) in enumerate(blocks)
            ]
            works[f"LDPC ½, 4QAM, {esno_db:g} dB"] = lambda jobs=jobs: chain.transmit(jobs)
    return works


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    device = parser.parse_args().device
    torch.set_num_threads(1)
    image = picture()
    document: dict[str, Any] = {
        "machine": torch.cuda.get_device_name() if device == "cuda" else platform.machine(), "device": device,
        "torch": torch.__version__,
    }  # fmt: skip
    for part, works in (("source", source_coding(image, device)), ("channel", channel_coding(image, device))):
        document[part] = []
        for name, work in works.items():
            took_s, paper_s = least_s(work, device), PAPER_S.get(name, (None, None))[device == "cuda"]
            document[part].append({"name": name, "s": took_s, "paper_s": paper_s})
            print(f"{name:55s} {took_s * 1e3:10.3f} ms")
    (RESULTS / f"lsci_times_{device}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
