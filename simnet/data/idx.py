"""The IDX format of MNIST: a big-endian header (type, number of axes, their lengths), then the raw values."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simnet.data.base import DataError

UINT8_TYPE = 0x08
MAX_VALUES = 1 << 28
"""Larger headers are refused before anything is allocated (MNIST's largest file has 47 million values)."""


def read_idx(path: Path, *, axes: int) -> NDArray[np.uint8]:
    """The array of an IDX file of unsigned bytes, plain or gzipped (told apart by content, not by name).

    Args:
        axes: number of axes wanted: 3 for images [N, H, W], 1 for labels [N].

    Raises:
        DataError: the file isn't IDX, has other axes or another type, is truncated, too long or damaged.
    """
    try:
        with open(path, "rb") as raw:
            gzipped = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if gzipped else open(path, "rb") as file:
            header = file.read(4)
            if len(header) < 4 or header[:3] != bytes((0, 0, UINT8_TYPE)):
                raise DataError(
                    f"{path}: not an IDX file of unsigned bytes; its first bytes are {header.hex() or 'none'}"
                )
            if header[3] != axes:
                raise DataError(f"{path}: got {header[3]} axes; expected {axes}: are images and labels mixed up?")
            lengths = file.read(4 * axes)
            if len(lengths) < 4 * axes:
                raise DataError(f"{path}: truncated in its header; fetch it anew")
            shape = struct.unpack(f">{axes}I", lengths)
            expected = math.prod(shape)
            if expected > MAX_VALUES:
                raise DataError(f"{path}: its header promises {expected} values; at most {MAX_VALUES} are allowed")
            values = file.read(expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: damaged or unreadable ({error}); fetch it anew") from error
    if len(values) != expected:
        got = "more" if len(values) > expected else f"only {len(values)}"
        raise DataError(f"{path}: its header promises {expected} values, the file holds {got}; fetch it anew")
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


def write_idx(path: Path, values: NDArray[np.uint8]) -> None:
    """Write an IDX file, gzipped with a zero time stamp so that equal arrays give equal files."""
    header = bytes((0, 0, UINT8_TYPE, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes(), compresslevel=9, mtime=0))


def read_grey_images(images: Path, labels: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images [N, 1, H, W] uint8 and labels [N] int64 of a pair of IDX files."""
    return read_idx(images, axes=3)[:, None], read_idx(labels, axes=1).astype(np.int64)
