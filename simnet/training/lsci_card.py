"""What the card of an LSCI base model says: rate, distortion and SS on test pictures."""

from __future__ import annotations

import math
from functools import partial

import torch
from pydantic import JsonValue

from simnet.codecs.networks.lsci import N_STAGES, code_size, load_base, pad_to_stride
from simnet.core.plugins import KINDS
from simnet.core.zoo import model_dir
from simnet.signal.originals import Originals
from simnet.tasks.flops import flop_per_image
from simnet.tasks.networks import load_segmenter
from simnet.training import engine
from simnet.training.run import TrainingRun


def figures(run: TrainingRun, judge: str, features: str, measure_on: tuple[str, ...]) -> dict[str, JsonValue]:
    """Per data set: the code's size and, by number of residual stages, how good the pictures are."""
    device = engine.resolve_device(run.device)
    base, _ = load_base(run.out / "weights.safetensors")
    base.to(device)
    networks = [load_segmenter(model_dir(name) / "weights.safetensors").to(device) for name in (judge, features)]
    measured: dict[str, JsonValue] = {}
    for name in measure_on:
        data = KINDS["data"].load(name)()
        originals = Originals.of(data.load("test", run.data_root), *networks)
        height, width = code_size(data.image_shape)
        n_symbols = height * width * base.shape.code_channels
        padded = pad_to_stride(torch.zeros(1, *data.image_shape))
        measured[name] = {
            "n_symbols": n_symbols,
            "bound_bpp": round(n_symbols * math.log2(base.shape.n_centres) / math.prod(data.image_shape[1:]), 5),
            "encode_flop": flop_per_image(base.encoder, tuple(padded.shape[1:])),
            "decode_flop": flop_per_image(base.generator, (base.shape.code_channels, height, width)),
            "by_stages": {str(n): {**originals.held_against(partial(base, n_stages=n))} for n in range(N_STAGES + 1)},
        }
    return measured
