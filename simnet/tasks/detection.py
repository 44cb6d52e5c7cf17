"""Where are cars, people, bicyclists and signs? ST is the mAP over the wished classes that the truth shows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from simnet.core.zoo import model_dir
from simnet.tasks.base import Task
from simnet.tasks.boxes import Boxes, boxes_of_regions, mean_average_precision
from simnet.tasks.flops import flop_per_image
from simnet.tasks.networks.detector import DETECTED, Detector, load_detector

SURE = 0.3
"""Score from which a detection on an original counts as true, where no truth is known."""


class Detection(Task):
    """Detection by a detector of the zoo; true boxes are those around the label map's regions.

    Args:
        network: frozen, in evaluation mode; its device is the task's.
        image_shape: (3, H, W) of the pictures; the network takes any.
        labels: what each class of ``DETECTED`` is in label maps.
        classes: names of the wished classes, among ``DETECTED``.
    """

    name = "detection"
    sure_st = 0.2
    """As for segmentation: a mean over classes, small and rare ones among them."""

    def __init__(
        self, network: Detector, image_shape: tuple[int, int, int], labels: Sequence[int],
        classes: Sequence[str] = DETECTED,
    ) -> None:  # fmt: skip
        self.network = network
        self._image_shape = image_shape
        self._labels = labels
        self._wished = [DETECTED.index(name) for name in classes]

    @classmethod
    def from_zoo(
        cls, model: str, image_shape: tuple[int, int, int], labels: Sequence[int], classes: Sequence[str] = DETECTED
    ) -> Detection:
        """The task with the zoo's detector ``model``, e.g. ``detector/street``."""
        return cls(load_detector(model_dir(model) / "weights.safetensors"), image_shape, labels, classes)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self._image_shape

    @cached_property
    def flop_per_image(self) -> int:
        return flop_per_image(self.network, self.image_shape)

    def infer(self, images: Tensor) -> Tensor:
        """Detections [B, 48, 6] of images [B, 3, H, W]: see :meth:`Detector.detect`."""
        return self.network.detect(images)

    def st(self, inferred: Tensor, truth: Tensor) -> Tensor:
        """mAP at an overlap of one half, [B] float64, of each picture alone; NaN where the truth [B, H, W] has none."""
        return self._scores(inferred, [boxes_of_regions(labels.cpu().numpy(), self._labels) for labels in truth])

    def confidence(self, inferred: Tensor) -> Tensor:
        """Score of the surest detection, [B]."""
        return inferred[:, :, 5].amax(1)

    def agreement(self, recovered: Tensor, original: Tensor) -> Tensor:
        """mAP of what is found in the recovered picture, with what is surely found in the original for the truth.

        1 where nothing is.
        """
        return self._scores(recovered, [b[b[:, 5] >= SURE] for b in boxes_of(original)]).nan_to_num(1.0)

    def _scores(self, found: Tensor, truth: Sequence[Boxes]) -> Tensor:
        wished = [b[np.isin(b[:, 4], self._wished)] for b in truth]
        scores = [
            mean_average_precision([own], [real], len(DETECTED))
            for own, real in zip(boxes_of(found), wished, strict=True)
        ]
        return torch.tensor(scores, dtype=torch.float64, device=found.device)


def boxes_of(detections: Tensor) -> list[Boxes]:
    """Each picture's detections [B, N, 6], without the empty rows."""
    rows = detections.double().cpu().numpy()
    return [picture[picture[:, 5] > 0] for picture in rows]
