"""Crops: picture and labels stay together, whatever is cut, scaled and mirrored."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from simnet.core.errors import SimnetError
from simnet.data.base import ImageSet
from simnet.training.crops import Cropper, Crops


def pictures(height: int = 96, width: int = 128) -> ImageSet:
    """Flat regions whose grey level is 20 times their label."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 11, (6, height // 16, width // 16)).astype(np.uint8)
    labels = labels.repeat(16, axis=1).repeat(16, axis=2)
    images = np.stack([labels * 20] * 3, axis=1)
    return ImageSet("flat", "test", images, labels, tuple("abcdefghijk"), "")


@pytest.mark.parametrize("how", [Crops(size=(64, 64), whole=0.0), Crops(size=(32, 48), whole=1.0, mirror=False)])
def test_labels_stay_with_their_pixels(how: Crops) -> None:
    cropper = Cropper([pictures(), pictures()], how)
    assert len(cropper) == 12
    rng = np.random.default_rng(2)
    for _ in range(5):
        images, labels = cropper.batch(np.array([0, 3, 11]), rng, torch.device("cpu"))
        assert images.shape == (3, 3, *how.size) and labels.shape == (3, *how.size)
        agrees = ((images[:, 0] * 255 / 20).round().long() == labels).float().mean()
        assert agrees > 0.8  # at the edges of regions, scaled pictures are mixed
        assert bool(((images >= 0) & (images <= 1)).all())


def test_batches_are_functions_of_their_generator() -> None:
    cropper = Cropper([pictures()], Crops(size=(32, 32), light=0.3))
    one, two = (cropper.batch(np.arange(4), np.random.default_rng(3), torch.device("cpu")) for _ in range(2))
    assert torch.equal(one[0], two[0]) and torch.equal(one[1], two[1])


def test_pictures_smaller_than_the_crop_are_refused() -> None:
    with pytest.raises(SimnetError, match=r"crops.size: got \[224, 320\]; allowed at most \[96, 128\]"):
        Cropper([pictures()], Crops(size=(224, 320)))
