"""Images as a codec decodes them, held to what every codec promises."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from simnet.core.plugins import PluginError
from simnet.wire.slices import Slice

if TYPE_CHECKING:
    from simnet.codecs.base import Codec


def decoded(
    codec: Codec, codes: Sequence[bytes], slices: Sequence[Slice], shape: Sequence[int], *, raw: bool = False
) -> Tensor:
    """Images [B, C, H, W] float32 in [0, 1], one for each code.

    Bit errors in a decoder's weights can make its networks overflow: pixels that are no number then are 0, as
    weights are that no longer are one; a receiver can see that they are wrong.

    Args:
        shape: (C, H, W).

    Raises:
        PluginError: it gave something else.
    """
    images = codec.decode_raw(codes, slices) if raw else codec.decode(codes, slices)
    wanted = [len(codes), *shape]
    if not isinstance(images, Tensor) or list(images.shape) != wanted:
        got = f"shape {list(images.shape)}" if isinstance(images, Tensor) else type(images).__name__
        raise _wrong(codec, raw, got, f"a tensor of shape {wanted}: [B, C, H, W], as the images had that were encoded")
    if images.dtype != torch.float32:
        raise _wrong(codec, raw, str(images.dtype), "torch.float32 in [0, 1]")
    if any(slice_.damaged for slice_ in slices):
        images = images.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
    low, high = map(float, images.aminmax())
    if not (low >= 0.0 and high <= 1.0):  # so that NaN is refused too, which aminmax passes on
        raise _wrong(codec, raw, f"values in [{low:g}, {high:g}]", "[0, 1] and no NaN: clamp what networks make")
    return images


def _wrong(codec: Codec, raw: bool, got: str, allowed: str) -> PluginError:
    where = f"{inspect.getsourcefile(type(codec))}: codec plug-in {codec.name!r}"
    return PluginError(f"{where}: {'decode_raw' if raw else 'decode'}: got {got}; allowed {allowed}")
