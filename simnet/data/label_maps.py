"""Pictures with a label per pixel, as pairs of files, scaled to one size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from simnet.data.base import DataError

MAX_PIXELS = 1 << 23
READ_ERRORS = (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError)


def read_pairs(
    pairs: Sequence[tuple[Path, Path]], size: tuple[int, int], to_class: NDArray[np.uint8] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images [N, 3, H, W] uint8 and labels [N, H, W] uint8 of (picture, label map) files.

    Args:
        size: (H, W) to scale to: pictures with Lanczos, labels by the nearest pixel, so that none is invented.
        to_class: [256], a file's label -> class; None: they are the classes.

    Raises:
        DataError: no pairs, a file is missing, damaged or too large, or the two sizes of a pair differ.
    """
    if not pairs:
        raise DataError("label maps: got no pairs of picture and labels; fetch the data set anew")
    images = np.empty((len(pairs), 3, *size), np.uint8)
    labels = np.empty((len(pairs), *size), np.uint8)
    for i, (picture, label_map) in enumerate(pairs):
        image, label = _open(picture, "RGB"), _open(label_map, "L")
        if image.size != label.size:
            raise DataError(f"{label_map}: got {label.size} pixels; its picture {picture.name} has {image.size}")
        wanted = size[::-1]
        if image.size != wanted:
            image = image.resize(wanted, Image.Resampling.LANCZOS)
            label = label.resize(wanted, Image.Resampling.NEAREST)
        images[i] = np.asarray(image).transpose(2, 0, 1)
        labels[i] = np.asarray(label) if to_class is None else to_class[np.asarray(label)]
    return images, labels


def _open(path: Path, mode: str) -> Image.Image:
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise DataError(f"{path}: got {picture.width} x {picture.height}; allowed {MAX_PIXELS} pixels in all")
            if mode == "L" and picture.mode not in ("L", "P"):
                raise DataError(f"{path}: got a picture of mode {picture.mode}; allowed 8-bit grey, one label a pixel")
            return picture.convert(mode) if mode == "RGB" else Image.fromarray(np.asarray(picture))
    except READ_ERRORS as error:
        raise DataError(f"{path}: not a readable picture ({error}); fetch it anew") from error
