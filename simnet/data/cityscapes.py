"""Cityscapes: street scenes of 50 cities, for users with its licence (Cordts et al., CVPR 2016), at 256 x 512."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simnet.data.base import DataError, Dataset
from simnet.data.label_maps import read_pairs
from simnet.data.street_classes import STREET_CLASSES

IMAGE_END, LABEL_END = "_leftImg8bit.png", "_gtFine_labelIds.png"
CLASS_OF_ID = {
    7: "road", 8: "pavement", 11: "building", 12: "building", 13: "fence", 17: "pole", 19: "sign", 20: "sign",
    21: "tree", 22: "tree", 23: "sky", 24: "pedestrian", 25: "bicyclist", 26: "car", 27: "car", 28: "car",
    32: "bicyclist", 33: "bicyclist",
}  # fmt: skip
"""Cityscapes' label id -> the street class that it counts as; all other ids are unlabelled. Walls are buildings,
traffic lights are signs, terrain is with the trees, trucks and buses are cars, riders and cycles are bicyclists."""


class Cityscapes(Dataset):
    """``leftImg8bit/<split>/<city>/*_leftImg8bit.png`` and ``gtFine/<split>/<city>/*_gtFine_labelIds.png``.

    The labels of Cityscapes' own test pictures are withheld, so ``test`` reads its ``val`` folder. Nothing is shipped.
    """

    name = "cityscapes"
    class_names = STREET_CLASSES
    image_shape = (3, 256, 512)
    splits = ("train", "test")
    dense = True

    def _read(self, split: str, folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        own = {"train": "train", "test": "val"}[split]
        pictures = sorted((folder / "leftImg8bit" / own).glob(f"*/*{IMAGE_END}"))
        if not pictures:
            raise DataError(
                f"{folder / 'leftImg8bit' / own}: no pictures *{IMAGE_END} in folders of cities; Cityscapes needs a "
                "licence of its own: register at cityscapes-dataset.com, unpack leftImg8bit and gtFine here"
            )
        labels = [
            folder / "gtFine" / own / p.parent.name / (p.name.removesuffix(IMAGE_END) + LABEL_END) for p in pictures
        ]
        to_class = np.full(256, len(STREET_CLASSES) - 1, np.uint8)
        for label_id, name in CLASS_OF_ID.items():
            to_class[label_id] = STREET_CLASSES.index(name)
        return read_pairs(list(zip(pictures, labels, strict=True)), self.image_shape[1:], to_class)
