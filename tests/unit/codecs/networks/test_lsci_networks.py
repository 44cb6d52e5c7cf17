"""LSCI's networks: the paper's sizes, the quantiser's two faces, a generator that may stop early."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from simnet.codecs.networks.channel_slices import ChannelSlices, ChannelSliceShape
from simnet.codecs.networks.lsci import (
    GENERATOR_PARTS,
    ChannelNorm,
    LsciBase,
    LsciShape,
    Quantiser,
    code_size,
    generator_parts,
    load_base,
    pack_base,
    pad_to_stride,
)
from simnet.codecs.networks.parts import transposed_axes
from simnet.codecs.networks.super_resolution import SuperResolution
from simnet.core.errors import SimnetError
from simnet.tasks.networks.weights import inference_tensors
from simnet.training.critic import MultiScaleCritic
from simnet.wire.slices import Precision, make_slice


def n_values(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_full_size_has_the_papers_parameters() -> None:
    """Tables I to III, layer by layer: 3 x 3 kernels and biases."""

    def convolutions(*channels: int) -> int:
        return sum(9 * n * m + m for n, m in pairwise(channels))

    with torch.device("meta"):
        base = LsciBase(LsciShape())
        critic, restorer, slices = MultiScaleCritic(64), SuperResolution(32), ChannelSlices(ChannelSliceShape())
    assert n_values(base.encoder) == convolutions(3, 64, 128, 256, 512, 1024, 1024, 4) == 15_745_668
    up = convolutions(4, 1024) + convolutions(1024, 512, 256, 128, 64, 3)
    assert n_values(base.generator) == up + 9 * 2 * convolutions(1024, 1024) == 176_195_203
    assert n_values(critic) == 3 * (convolutions(3, 64, 128, 256, 512) + 513)
    dense = convolutions(3, 32, 32, 32) + convolutions(96, 64, 64, 64) + convolutions(192, 128, 64, 3)
    assert n_values(restorer) == dense == 445_443
    assert n_values(slices.encoder) == convolutions(8, 64, 64, 128, 64, 8) == 193_864
    assert n_values(slices.decoder) == convolutions(8, 64, 64, 128, 64, 4) == 191_556


def test_full_size_shapes() -> None:
    with torch.device("meta"):
        base = LsciBase(LsciShape())
        features = base.encoder(torch.zeros(1, 3, 512, 1024))
        assert features.shape == (1, 4, 16, 32)
        assert base.generator(features).shape == (1, 3, 512, 1024)


def test_symbols_are_those_of_the_nearest_centre() -> None:
    quantiser = Quantiser(5)
    with torch.no_grad():
        quantiser.centres.copy_(torch.tensor([-2.0, -0.5, 0.1, 1.0, 4.0]))
    features = torch.linspace(-5, 6, 301)
    centres = quantiser.centres.detach()
    brute = [min(range(5), key=lambda j: abs(float(f) - float(centres[j]))) for f in features]
    assert quantiser.symbols(features).tolist() == brute
    assert torch.equal(quantiser(features), quantiser.centres[torch.tensor(brute)])


def test_gradient_is_that_of_the_soft_choice() -> None:
    quantiser = Quantiser(4).double()
    centres = quantiser.centres.detach()
    features = torch.linspace(-2.4, 2.4, 25, dtype=torch.float64, requires_grad=True)

    def soft(f: float) -> float:
        weights = [math.exp(-((f - float(c)) ** 2)) for c in centres]
        return sum(w * float(c) for w, c in zip(weights, centres, strict=True)) / sum(weights)

    quantiser(features).sum().backward()
    step = 1e-6
    slopes = [(soft(f + step) - soft(f - step)) / (2 * step) for f in features.tolist()]
    assert features.grad is not None
    assert torch.allclose(features.grad, torch.tensor(slopes, dtype=torch.float64), atol=1e-7)


def test_a_shallower_generator_is_the_whole_one_without_its_last_stages() -> None:
    torch.manual_seed(0)
    base = LsciBase(LsciShape(width=2)).eval()
    quantised = torch.randn(2, 4, 1, 2)
    for n in range(4):
        x = quantised
        for part in (p for p in GENERATOR_PARTS if not (p.startswith("residual") and int(p[-1]) > n)):
            x = base.generator.get_submodule(part)(x)
        assert torch.equal(base.generator(quantised, n), torch.sigmoid(x))
    assert generator_parts(0) == ("stem", "up1", "up2", "up3", "up4", "head")
    with pytest.raises(SimnetError, match=r"got 4 residual stages; allowed 0\.\.3"):
        generator_parts(4)


def test_any_size_is_padded_and_cut_again() -> None:
    torch.manual_seed(0)
    base = LsciBase(LsciShape(width=2)).eval()
    images = torch.rand(1, 3, 40, 70)
    padded = pad_to_stride(images)
    assert padded.shape == (1, 3, 64, 96) and torch.equal(padded[..., :40, :70], images)
    assert torch.equal(padded[..., 39, :70], padded[..., 63, :70])
    assert base(images).shape == images.shape
    assert code_size((3, 40, 70)) == (2, 3) and code_size((3, 240, 320)) == (8, 10)


def test_channel_norm_has_mean_0_and_mean_square_1_at_every_place() -> None:
    normed = ChannelNorm()(3 + 5 * torch.randn(2, 64, 3, 4))
    assert torch.allclose(normed.mean(1), torch.zeros(2, 3, 4), atol=1e-5)
    assert torch.allclose(normed.square().mean(1), torch.ones(2, 3, 4), atol=1e-3)


def test_weights_come_back_from_their_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    base = LsciBase(LsciShape(width=2, code_channels=3, n_centres=6))
    counts = torch.arange(18).view(3, 6)
    file = tmp_path / "weights.safetensors"
    file.write_bytes(pack_base(base, counts))
    loaded, got = load_base(file)
    assert loaded.shape == base.shape and torch.equal(got, counts)
    assert all(torch.equal(v.half().float(), loaded.state_dict()[k]) for k, v in base.state_dict().items())
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(SimnetError, match="not the weights of an LSCI base model"):
        load_base(file)


@pytest.mark.parametrize(("precision", "sparsity"), [("int2", 0.0), ("int8", 0.8)])
def test_a_generator_for_coarse_slices_lies_in_its_file_as_it_travels(
    tmp_path: Path, precision: Precision, sparsity: float
) -> None:
    base = LsciBase(LsciShape(width=4))
    counts, whole, file = torch.ones(4, 5, dtype=torch.int64), tmp_path / "whole", tmp_path / "slices"
    whole.write_bytes(pack_base(base, counts))
    file.write_bytes(pack_base(load_base(whole)[0], counts, precision=precision, sparsity=sparsity))
    assert file.stat().st_size < whole.stat().st_size / 2
    loaded, got = load_base(file)
    assert torch.equal(got, counts)
    for part in GENERATOR_PARTS:
        networks = (load_base(whole)[0].generator.get_submodule(part), loaded.generator.get_submodule(part))
        slices = [
            make_slice(
                part, "decoder", inference_tensors(n), precision=precision, sparsity=sparsity,
                channel_axis=transposed_axes(n),
            )
            for n in networks
        ]  # fmt: skip
        assert slices[0] == slices[1]  # rounding and pruning what is rounded and pruned changes nothing
        assert all(np.array_equal(v, inference_tensors(networks[1])[k]) for k, v in slices[0].tensors.items())
    damaged = bytearray(file.read_bytes())
    damaged[-40] ^= 1
    file.write_bytes(bytes(damaged))
    with pytest.raises(SimnetError, match="not the weights of an LSCI base model"):
        load_base(file)
