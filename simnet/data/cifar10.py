"""CIFAR-10: 32 x 32 colour photographs in 10 classes, 50,000 + 10,000 (Krizhevsky, 2009)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.lib.format import MAGIC_PREFIX
from numpy.typing import NDArray

from simnet.data.base import DataError, Dataset, require_file
from simnet.data.mosaic import read_mosaic

RECORD_BYTES = 1 + 3 * 32 * 32
MAX_LABELS = 60_000


class Cifar10(Dataset):
    """The authors' *binary* version (``data_batch_1.bin`` …; never the pickles), or lossless WebP mosaics.

    Mosaics are ``<split>_00.webp`` … in the original order, with ``<split>_labels.npy`` (uint8).
    """

    name = "cifar10"
    class_names = (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )
    image_shape = (3, 32, 32)

    def _read(self, split: str, folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        binary = folder / "cifar-10-batches-bin"
        binary = binary if binary.is_dir() else folder
        names = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}[split]
        if (binary / names[0]).is_file():
            return _read_binary([require_file(binary, name) for name in names])
        mosaics = sorted(folder.glob(f"{split}_[0-9][0-9].webp"))
        if not mosaics:
            raise DataError(f"{folder}: no CIFAR-10 {split} images; looked for {names[0]} (binary), {split}_00.webp")
        images = np.concatenate([read_mosaic(path, tile=32) for path in mosaics])
        return images, _read_labels(require_file(folder, f"{split}_labels.npy"))


def _read_binary(paths: list[Path]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Records of one label byte and 3072 pixels (red, green, blue planes)."""
    records = []
    for path in paths:
        size = path.stat().st_size
        if size == 0 or size % RECORD_BYTES or size > 50_000 * RECORD_BYTES:
            raise DataError(f"{path}: got {size} bytes; expected whole records of {RECORD_BYTES}; fetch it anew")
        records.append(np.fromfile(path, dtype=np.uint8).reshape(-1, RECORD_BYTES))
    table = np.concatenate(records)
    return table[:, 1:].reshape(-1, 3, 32, 32), table[:, 0].astype(np.int64)


def _read_labels(path: Path) -> NDArray[np.int64]:
    if path.stat().st_size > 1024 + 8 * MAX_LABELS:
        raise DataError(f"{path}: got {path.stat().st_size} bytes; too large for {MAX_LABELS} labels")
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC_PREFIX)) != MAGIC_PREFIX:  # np.load would open archives too
                raise ValueError("it isn't in NumPy's format .npy")
        labels = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError, OverflowError) as error:  # the header may say any length
        raise DataError(f"{path}: not a readable array of labels ({error}); fetch it anew") from error
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(f"{path}: got shape {labels.shape} of {labels.dtype}; expected one axis of whole numbers")
    return np.asarray(labels, dtype=np.int64)
