"""MNIST: 28 x 28 grey handwritten digits, 60,000 + 10,000 (LeCun, Cortes, Burges)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simnet.data.base import Dataset, require_file
from simnet.data.idx import read_grey_images


class Mnist(Dataset):
    """The IDX files of the original distribution, gzipped or plain."""

    name = "mnist"
    class_names = tuple("0123456789")
    image_shape = (1, 28, 28)

    def _read(self, split: str, folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        prefix = {"train": "train", "test": "t10k"}[split]
        images, labels = (
            require_file(folder, f"{prefix}-{kind}-ubyte.gz", f"{prefix}-{kind}-ubyte")
            for kind in ("images-idx3", "labels-idx1")
        )
        return read_grey_images(images, labels)
