"""Shifts and mirror images, pixel by pixel."""

from __future__ import annotations

import numpy as np

from simnet.training.augmentation import Augmentation, Augmenter

IMAGES = np.random.default_rng(0).integers(1, 256, size=(5, 3, 6, 6), dtype=np.uint8)


def batch(indices: list[int], **how: object) -> np.ndarray:
    augmenter = Augmenter(IMAGES, Augmentation.model_validate(how))
    return augmenter.batch(np.array(indices), np.random.default_rng(1))


def test_without_augmentation_the_images_come_back() -> None:
    assert np.array_equal(batch([3, 0]), IMAGES[[3, 0]])


def test_every_result_is_a_shifted_or_mirrored_original() -> None:
    padded = np.pad(IMAGES[2], ((0, 0), (1, 1), (1, 1)))
    allowed = {
        (dy, dx, flip): padded[:, dy : dy + 6, dx : dx + 6][..., :: -1 if flip else 1].tobytes()
        for dy in range(3)
        for dx in range(3)
        for flip in (False, True)
    }
    seen = {np.ascontiguousarray(image).tobytes() for image in batch([2] * 600, shift_px=1, mirror=True)}
    # 18 variants, each missed by 600 draws with probability (17/18)^600 < 1e-14
    assert seen == set(allowed.values())


def test_mirror_takes_half() -> None:
    n = 2000
    flipped = (batch([1] * n, mirror=True)[:, 0, 0, 0] == IMAGES[1, 0, 0, 5]).sum()
    assert abs(flipped - n / 2) < 4 * np.sqrt(n / 4)
