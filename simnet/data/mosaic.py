"""Many small RGB images as tiles of one lossless WebP picture, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from simnet.data.base import DataError

MAX_PIXELS = 1 << 24


def read_mosaic(path: Path, *, tile: int) -> NDArray[np.uint8]:
    """The tiles of a mosaic, [N, 3, tile, tile] uint8, in row-major order.

    Raises:
        DataError: not a picture, damaged, too large, or its sides aren't multiples of the tile.
    """
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS or width % tile or height % tile:
                raise DataError(
                    f"{path}: got {width} x {height} pixels; "
                    f"allowed are multiples of {tile}, at most {MAX_PIXELS} in all"
                )
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise DataError(f"{path}: not a readable picture ({error}); fetch it anew") from error
    rows, columns = height // tile, width // tile
    return pixels.reshape(rows, tile, columns, tile, 3).transpose(0, 2, 4, 1, 3).reshape(-1, 3, tile, tile)


def write_mosaic(path: Path, images: NDArray[np.uint8], *, columns: int) -> None:
    """Write images [N, 3, T, T] uint8 as a lossless WebP mosaic; N must be a multiple of ``columns``."""
    n, _, tile, _ = images.shape
    pixels = images.reshape(n // columns, columns, 3, tile, tile).transpose(0, 3, 1, 4, 2)
    pixels = pixels.reshape(n // columns * tile, columns * tile, 3)
    Image.fromarray(np.ascontiguousarray(pixels)).save(path, lossless=True, quality=100, method=6)
