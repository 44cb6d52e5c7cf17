"""Fashion-MNIST: 28 x 28 grey pictures of clothes (Xiao, Rasul, Vollgraf, 2017), MNIST's file format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simnet.data.base import Dataset, require_file
from simnet.data.idx import read_grey_images


class FashionMnist(Dataset):
    """The IDX files; a training file cut to its first 10,000 images (``train10k-…``) also serves."""

    name = "fashion_mnist"
    class_names = (
        "T-shirt",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    )
    image_shape = (1, 28, 28)

    def _read(self, split: str, folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        prefixes = {"train": ("train", "train10k"), "test": ("t10k",)}[split]
        images, labels = (
            require_file(folder, *(f"{p}-{kind}-ubyte{end}" for p in prefixes for end in (".gz", "")))
            for kind in ("images-idx3", "labels-idx1")
        )
        return read_grey_images(images, labels)
