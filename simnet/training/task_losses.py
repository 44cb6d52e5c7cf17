"""Tasks on street scenes, as those see them who learn what a task needs: a loss on pictures, and a judge's figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from simnet.data.base import ImageSet
from simnet.signal.originals import Originals
from simnet.signal.other_judges import DetectionJudge
from simnet.tasks.networks.detector import Detector
from simnet.tasks.networks.segmenter import Segmenter
from simnet.tasks.networks.task_network import TaskNetwork
from simnet.training.detector import detection_loss
from simnet.training.segmenter import class_weights

BATCH = 16
Recover = Callable[[Tensor], Tensor]
"""What arrives of pictures [B, 3, H, W] in [0, 1]."""


class TaskLoss(Protocol):
    """What a task's own network loses."""

    @property
    def network(self) -> TaskNetwork: ...

    def __call__(self, made: Tensor, labels: Tensor) -> Tensor:
        """Of pictures [B, 3, H, W], given the labels [B, H, W] of their originals."""


@dataclass(frozen=True)
class DetectionLoss:
    """``size_weight``: of errors in place and size, beside those of where objects are."""

    network: Detector
    size_weight: float

    def __call__(self, made: Tensor, labels: Tensor) -> Tensor:
        return detection_loss(self.network, made, labels, self.size_weight)


@dataclass(frozen=True)
class SegmentationLoss:
    """Cross-entropy of labelled pixels. ``weights``: of classes, [K]."""

    network: Segmenter
    weights: Tensor

    def __call__(self, made: Tensor, labels: Tensor) -> Tensor:
        logits = self.network(made).float()
        return F.cross_entropy(logits, labels, weight=self.weights, ignore_index=self.network.n_classes)


def loss_of(network: TaskNetwork, train: Sequence[ImageSet], *, size_weight: float, balance: float) -> TaskLoss:
    """Of either kind of network, on its device.

    Args:
        train: whose labels say how often classes are seen.
        balance: as of :class:`simnet.training.segmenter.Recipe`.
    """
    if isinstance(network, Detector):
        return DetectionLoss(network, size_weight)
    device = next(network.parameters()).device
    return SegmentationLoss(network, class_weights(train, network.n_classes, balance).to(device))


def judged_by(network: TaskNetwork, images: ImageSet) -> Callable[[Recover], dict[str, float]]:
    """What a network says of recovered pictures: mAP by a detector, SS and more by a segmentation network."""
    if isinstance(network, Segmenter):
        return Originals.of(images, network, features=network).held_against
    judge, device = DetectionJudge.of(images, network), next(network.parameters()).device
    return lambda recover: judge.held_against(recovered(images, recover, device))


@torch.no_grad()
def recovered(images: ImageSet, recover: Recover, device: torch.device) -> Tensor:
    """What arrives of all pictures of a set, in order, [N, 3, H, W]."""
    batches = torch.split(torch.tensor(images.images), BATCH)
    return torch.cat([recover(batch.to(device).float() / 255) for batch in batches])
