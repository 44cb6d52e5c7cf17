"""What a picture codec makes of many small images at each of its settings, and what each result is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simnet.codecs.classical.file_codec import FileCodec
from simnet.codecs.quality import mean_squared_errors, psnr_db
from simnet.core.errors import SimnetError
from simnet.tasks.base import Task

BATCH = 250


@dataclass(frozen=True)
class Worth:
    """Of recovered images, each [N] float64.

    Attributes:
        psnr_db: of each image.
        hit: whether the judge recognises it: 0 or 1.
        st: probability that the judge gives to the truth.
    """

    psnr_db: NDArray[np.float64]
    hit: NDArray[np.float64]
    st: NDArray[np.float64]


@dataclass(frozen=True)
class Rung:
    """One setting.

    Attributes:
        setting: in words.
        n_byte: of each unit's code, [U].
        n_header: of these, bytes that are equal for all pictures of this setting, [U].
        worth: of every image, in the order of the images.
    """

    setting: str
    n_byte: NDArray[np.int64]
    n_header: NDArray[np.int64]
    worth: Worth


@dataclass(frozen=True)
class Ladder:
    """From the fewest bytes to the most; the lowest rung is the mean colour, the floor is nothing at all.

    Attributes:
        side: a unit is a mosaic of ``side`` x ``side`` images; 1: every image is a picture of its own.
        rungs: at least the mean colour.
        lost: what images are worth of which nothing arrives: the mean colour of all, which the receiver knows.
        original: of the images themselves.
    """

    side: int
    rungs: tuple[Rung, ...]
    lost: Worth
    original: Worth

    @cached_property
    def counted(self) -> NDArray[np.int64]:
        """Bytes of whole codes, [R, U]."""
        return np.stack([r.n_byte for r in self.rungs])

    @cached_property
    def stripped(self) -> NDArray[np.int64]:
        """Bytes without headers, [R, U]."""
        return self.counted - np.stack([r.n_header for r in self.rungs])

    @cached_property
    def psnr_db(self) -> NDArray[np.float64]:
        """[R, N]; so are the other two."""
        return np.stack([r.worth.psnr_db for r in self.rungs])

    @cached_property
    def hit(self) -> NDArray[np.float64]:
        return np.stack([r.worth.hit for r in self.rungs])

    @cached_property
    def st(self) -> NDArray[np.float64]:
        return np.stack([r.worth.st for r in self.rungs])


class Viewer:
    """Says what recovered images are worth.

    Args:
        images: originals, [N, C, H, W] float32 in [0, 1].
        labels: [N] int64.
        task: knows hits.
    """

    def __init__(self, images: Tensor, labels: Tensor, task: Task) -> None:
        self.images, self._labels, self._task = images, labels, task

    @torch.no_grad()
    def worth(self, recovered: Tensor) -> Worth:
        """Of [N, C, H, W] in [0, 1]; a lossless copy's PSNR is that of the finest error of 8 bits."""
        inferred = torch.cat([self._task.infer(batch) for batch in torch.split(recovered, BATCH)])
        hit = self._task.recognised(inferred, self._labels)
        if hit is None:
            raise SimnetError(f"digital baseline: task {self._task.name!r} knows no hits; allowed: classification")
        finest = 1 / (255**2 * math.prod(recovered.shape[1:]))
        psnr = psnr_db(mean_squared_errors(self.images, recovered).clamp(min=finest))
        columns = (psnr, hit, self._task.st(inferred, self._labels))
        return Worth(*(column.double().numpy() for column in columns))


def climb(
    family: type[FileCodec], params: dict[str, object], knob: Sequence[float], viewer: Viewer, side: int
) -> Ladder:
    """Send all images through a codec at each value of its rate knob.

    Args:
        family: codec class.
        params: its other parameters; ``header`` is told apart by itself.
        knob: values of the rate knob (:meth:`FileCodec.rates`), from the fewest bytes to the most.
        side: images along a side of a mosaic; 1: none is made.

    Raises:
        SimnetError: the images do not fill mosaics of this side, or a setting is not allowed.
    """
    images = viewer.images
    check_side(len(images), side)
    units = to_mosaics(images, side)
    shape = (units.shape[1], units.shape[2], units.shape[3])
    name, _ = family.rates(shape)
    rungs = [_mean_colours(viewer, side)]
    for value in knob:
        codec = family(family.Params.model_validate({"image_shape": shape, **params, name: value, "header": "count"}))
        codes = codec.encode(units)
        recovered = codec.decode(codes)
        n_byte = np.array([len(code) for code in codes])
        n_header = np.array([codec.header_byte(code) for code in codes])
        rungs.append(Rung(f"{name} {value:g}", n_byte, n_header, viewer.worth(from_mosaics(recovered, side))))
    everywhere = images.mean(dim=(0, 2, 3), keepdim=True).expand_as(images)
    return Ladder(side, tuple(rungs), viewer.worth(everywhere), viewer.worth(images))


def _mean_colours(viewer: Viewer, side: int) -> Rung:
    images = viewer.images
    colours = (images.mean(dim=(2, 3), keepdim=True) * 255).round() / 255
    n_byte = np.full(len(images) // side**2, images.shape[1] * side**2)  # a byte for each colour
    return Rung("mean colour", n_byte, np.zeros_like(n_byte), viewer.worth(colours.expand_as(images)))


def check_side(n_images: int, side: int) -> None:
    """Raises SimnetError if so many images do not fill mosaics of ``side`` x ``side``."""
    if n_images % side**2:
        raise SimnetError(f"mosaics of {side} x {side}: got {n_images} images; allowed multiples of {side**2}")


def to_mosaics(images: Tensor, side: int) -> Tensor:
    """[N / side², C, side·H, side·W]: ``side`` x ``side`` images to a picture, row by row."""
    n, channels, height, width = images.shape
    tiles = images.reshape(n // side**2, side, side, channels, height, width).permute(0, 3, 1, 4, 2, 5)
    return tiles.reshape(n // side**2, channels, side * height, side * width)


def from_mosaics(mosaics: Tensor, side: int) -> Tensor:
    """Undoes :func:`to_mosaics`."""
    n, channels, height, width = mosaics.shape
    tiles = mosaics.reshape(n, channels, side, height // side, side, width // side).permute(0, 2, 4, 1, 3, 5)
    return tiles.reshape(n * side**2, channels, height // side, width // side)
