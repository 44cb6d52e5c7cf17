"""CamVid scaled to 96 x 128, for networks that train and run on a CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simnet.data.base import Dataset
from simnet.data.camvid import read_camvid
from simnet.data.street_classes import STREET_CLASSES


class CamVidSmall(Dataset):
    """The files of ``camvid``, scaled on reading."""

    name = "camvid_small"
    folder_name = "camvid"
    class_names = STREET_CLASSES
    image_shape = (3, 96, 128)
    splits = ("train", "val", "test", "sample")
    dense = True

    def _read(self, split: str, folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        return read_camvid(folder, split, self.image_shape[1:])
