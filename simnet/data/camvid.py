"""CamVid: 240 x 320 street scenes with a label per pixel, 367 + 101 + 233 (Brostow et al.; SegNet's split)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simnet.data.base import DataError, Dataset, require_file
from simnet.data.label_maps import read_pairs
from simnet.data.street_classes import STREET_CLASSES

MAX_NAMES_BYTE = 1 << 20


class CamVid(Dataset):
    """``<split>.txt`` (names in order), ``<split>/images/<name>.webp | .jpg | .png``, ``<split>/labels/<name>.png``.

    Pictures of another size are scaled.
    """

    name = "camvid"
    class_names = STREET_CLASSES
    image_shape = (3, 240, 320)
    splits = ("train", "val", "test", "sample")
    dense = True

    def _read(self, split: str, folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        return read_camvid(folder, split, self.image_shape[1:])


def read_camvid(folder: Path, split: str, size: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The pictures of one split at (H, W), and their labels.

    Raises:
        DataError: a file is missing or damaged.
    """
    listed = require_file(folder, f"{split}.txt")
    if listed.stat().st_size > MAX_NAMES_BYTE:
        raise DataError(f"{listed}: got {listed.stat().st_size} bytes; too large for a list of names")
    names = listed.read_text(encoding="utf-8", errors="replace").split()
    if wrong := [name for name in names if Path(name).name != name]:
        raise DataError(f"{listed}: got {wrong[0]!r}; allowed names of files, without folders")
    pictures = (require_file(folder / split / "images", *(f"{n}.{e}" for e in ("webp", "jpg", "png"))) for n in names)
    return read_pairs([(p, folder / split / "labels" / f"{p.stem}.png") for p in pictures], size)
