"""The setting of a classical codec whose codes come nearest to a wanted rate from below."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from torch import Tensor

from simnet.codecs.base import CodecError
from simnet.codecs.classical.file_codec import FileCodec

F = TypeVar("F", bound=FileCodec)


@dataclass(frozen=True)
class RateFound(Generic[F]):
    """``codec`` with ``setting`` of the parameter ``knob``; its codes of the images have ``mean_byte`` (``bpp``)."""

    codec: F
    knob: str
    setting: float
    mean_byte: float
    bpp: float


def rate_search(family: type[F], images: Tensor, *, wanted_bpp: float, **params: Any) -> RateFound[F]:
    """The setting whose mean code is the largest of at most ``wanted_bpp`` bits per pixel, by bisection.

    Sizes are taken to grow with the knob, as the means over some images do; what is returned has been measured.

    Args:
        family: codec class with a rate knob (:meth:`FileCodec.rates`).
        images: [B, C, H, W] float32 in [0, 1], B ≥ 1.
        wanted_bpp: bits per pixel (not per value) of what is sent: ``header: strip`` counts without the header.
        params: the codec's other parameters.

    Raises:
        CodecError: no images, or even the lowest setting needs more.
    """
    if not len(images):
        raise CodecError(f"rate of {family.__name__}: got no images; allowed at least one")
    channels, height, width = images.shape[1:]
    knob, settings = family.rates((channels, height, width))

    def at(index: int) -> RateFound[F]:
        codec = family(
            family.Params.model_validate({"image_shape": (channels, height, width), knob: settings[index], **params})
        )
        mean_byte = sum(map(len, codec.encode(images))) / len(images)
        return RateFound(codec, knob, settings[index], mean_byte, 8 * mean_byte / (height * width))

    best, too_much = at(0), len(settings)
    if not best.bpp <= wanted_bpp:
        raise CodecError(
            f"rate of {best.codec.name}: got {wanted_bpp:g} bpp; allowed from {math.ceil(1e4 * best.bpp) / 1e4:g} bpp "
            f"({best.mean_byte:.1f} bytes at {knob} {best.setting:g}): ask for more, or count with 'header: strip'"
        )
    low = 0
    while too_much - low > 1:
        middle = (low + too_much) // 2
        tried = at(middle)
        if tried.bpp <= wanted_bpp:
            low, best = middle, tried
        else:
            too_much = middle
    return best
