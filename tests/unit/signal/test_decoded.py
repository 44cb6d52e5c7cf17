"""A codec's images and costs are what it promises, or are refused by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from simnet.core.plugins import PluginError
from simnet.signal.decoded import decoded
from simnet.signal.plane import SignalPlane, SourceImages
from simnet.wire.slices import Slice
from tests.support.tiny import SHAPE, BrightQuadrant, Tiny, images


class Spoilt(Tiny):
    """Decodes as it is told to."""

    spoil: Callable[[Tensor], object]

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        return self.spoil(super().decode(codes, self.decoder_slices))  # type: ignore[return-value]


def spoilt(spoil: Callable[[Tensor], object]) -> Spoilt:
    codec = Spoilt()
    codec.spoil = spoil
    return codec


WRONG: list[tuple[Callable[[Tensor], object], str]] = [
    (lambda x: x[:, :, 1:], r"got shape \[4, 1, 11, 12\]; allowed a tensor of shape \[4, 1, 12, 12\]: \[B, C, H, W\]"),
    (lambda x: x[1:], r"got shape \[3, 1, 12, 12\]; allowed"),
    (lambda x: x.numpy(), r"got ndarray; allowed a tensor of shape"),
    (lambda x: x.double(), r"got torch\.float64; allowed torch\.float32 in \[0, 1\]"),
    (lambda x: x * 255, r"got values in \[25, 229\]; allowed \[0, 1\] and no NaN: clamp"),
    (lambda x: x - 0.5, r"got values in \[-0\.40\d+, 0\.39\d+\]; allowed \[0, 1\]"),
    (lambda x: x.masked_fill(x > 0.5, math.nan), r"got values in \[nan, nan\]; allowed \[0, 1\] and no NaN"),
]


@pytest.mark.parametrize(("spoil", "message"), WRONG)
def test_images_that_are_none_are_refused(spoil: Callable[[Tensor], object], message: str) -> None:
    codec, pictures = spoilt(spoil), images(range(4))
    with pytest.raises(PluginError, match=r"test_decoded\.py: codec plug-in 'test_decoded': decode: " + message):
        decoded(codec, codec.encode(pictures), codec.decoder_slices, SHAPE)
    source = SourceImages(pictures, torch.arange(4), pictures, torch.arange(4), BrightQuadrant(), 0)
    plane = SignalPlane({"spoilt": codec}, {"shapes": source})
    with pytest.raises(PluginError, match="codec plug-in 'test_decoded'"):
        plane.codecs["spoilt"].card("shapes")
    with pytest.raises(PluginError, match="codec plug-in 'test_decoded'"):
        plane.recover(0, "spoilt")
    code = plane.result(plane.encode(0, "spoilt"))
    with pytest.raises(PluginError, match="codec plug-in 'test_decoded'"):
        plane.result(plane.measure(0, "spoilt", code.data, plane.codecs["spoilt"].decoder_slices))


def test_good_images_pass_as_they_are() -> None:
    codec, pictures = Tiny(), images(range(4))
    codes = codec.encode(pictures)
    made = decoded(codec, codes, codec.decoder_slices, SHAPE)
    assert torch.equal(made, codec.decode(codes, codec.decoder_slices))


def test_pixels_that_a_damaged_decoder_makes_no_numbers_are_black() -> None:
    """Its SS would be NaN, and left out of every mean."""
    codec = spoilt(lambda x: x.masked_fill(x > 0.5, math.nan).masked_fill(x < 0.3, math.inf))
    pictures = images(range(4))
    codes = codec.encode(pictures)
    damaged = [replace(s, id=f"{s.id}+1") for s in codec.decoder_slices]
    assert damaged[0].damaged
    clean = Tiny().decode(codes, Tiny().decoder_slices)
    made = decoded(codec, codes, damaged, SHAPE)
    assert torch.equal(made, clean * ((clean >= 0.3) & (clean <= 0.5)))
    source = SourceImages(pictures, torch.arange(4), pictures, torch.arange(4), BrightQuadrant(), 0)
    plane = SignalPlane({"spoilt": codec}, {"shapes": source})
    measured = plane.result(plane.measure(0, "spoilt", codes[0], damaged))
    assert measured.ss is not None and 0 <= measured.ss < 1


@pytest.mark.parametrize("flop", [-1, -0.5, math.inf, math.nan, True, "7", None])
@pytest.mark.parametrize("which", ["encode_flop", "decode_flop"])
def test_costs_that_are_none_are_refused(which: str, flop: object) -> None:
    codec = type("Costly", (Tiny,), {which: flop, "__module__": __name__})()
    profile = SignalPlane({"costly": codec}, {}).codecs["costly"]
    with pytest.raises(PluginError, match=rf"'test_decoded': {which}: got {flop!r}; allowed: a number >= 0 and finite"):
        getattr(profile, which)


def test_other_costs_are_taken() -> None:
    profile = SignalPlane({"tiny": Tiny(encode_flop=0, decode_flop=12)}, {}).codecs["tiny"]
    assert (profile.encode_flop, profile.decode_flop) == (0.0, 12.0)
