"""Random pieces of labelled street scenes at several scales, as training batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from simnet.core.errors import SimnetError
from simnet.data.base import ImageSet
from simnet.training.recipe import Strict

Side = Annotated[int, Field(ge=32, le=2048)]


class Crops(Strict):
    """Batches of ``size`` (H, W), each a piece of the pictures, scaled down.

    A share ``whole`` of the batches shows whole pictures, the others pieces of a random size between ``size`` itself
    and the whole, so that one network serves pictures of both scales. ``mirror``: half of them are mirrored.
    ``light``: brightness and contrast vary by up to this share.
    """

    size: tuple[Side, Side] = (96, 128)
    whole: Annotated[float, Field(ge=0, le=1)] = 0.5
    mirror: bool = True
    light: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Cropper:
    """Cuts pieces from labelled sets.

    Args:
        sets: with dense labels and pictures of one shape; their pictures are numbered through.

    Raises:
        SimnetError: the pictures are smaller than ``size``.
    """

    def __init__(self, sets: Sequence[ImageSet], how: Crops) -> None:
        height, width = sets[0].images.shape[2:]
        if height < how.size[0] or width < how.size[1]:
            raise SimnetError(
                f"crops.size: got {list(how.size)}; allowed at most [{height}, {width}], the size of the pictures"
            )
        self._how = how
        self._images = torch.from_numpy(np.concatenate([s.images for s in sets]))
        self._labels = torch.from_numpy(np.concatenate([s.labels for s in sets]))

    def __len__(self) -> int:
        return len(self._images)

    def batch(
        self, indices: NDArray[np.int64], rng: np.random.Generator, device: torch.device
    ) -> tuple[Tensor, Tensor]:
        """Images [B, 3, h, w] float32 in [0, 1] and labels [B, h, w] int64."""
        size = self._how.size
        height, width = self._images.shape[2:]
        share = 1.0 if rng.random() < self._how.whole else rng.uniform(size[0] / height, 1.0)
        cut_height, cut_width = max(size[0], round(share * height)), max(size[1], round(share * width))
        tops = rng.integers(0, height - cut_height + 1, len(indices))
        lefts = rng.integers(0, width - cut_width + 1, len(indices))
        places = [(slice(t, t + cut_height), slice(x, x + cut_width)) for t, x in zip(tops, lefts, strict=True)]
        images = torch.stack([self._images[i, :, r, c] for i, (r, c) in zip(indices, places, strict=True)])
        labels = torch.stack([self._labels[i, r, c] for i, (r, c) in zip(indices, places, strict=True)])
        images, labels = images.to(device).float() / 255, labels.to(device)
        if (cut_height, cut_width) != size:
            images = F.interpolate(images, size=size, mode="bilinear", antialias=True).clamp(0, 1)
            labels = F.interpolate(labels[:, None].float(), size=size, mode="nearest-exact")[:, 0]
        if self._how.mirror and rng.random() < 0.5:
            images, labels = images.flip(3), labels.flip(2)
        if self._how.light:
            gain, shift = 1 + rng.uniform(-1, 1, (2, len(indices), 1, 1, 1)).astype(np.float32) * self._how.light
            images = (images - 0.5) * torch.from_numpy(gain).to(device) + 0.5 * torch.from_numpy(shift).to(device)
            images = images.clamp(0, 1)
        return images, labels.long()
