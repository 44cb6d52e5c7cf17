"""Intersection over union: of one picture, and of a whole set."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def confusion(predicted: Tensor, truth: Tensor, n_classes: int) -> Tensor:
    """How many pixels of each true class were taken for which, [B, K, K] int64: rows are the truth.

    Pixels whose true class is K or more are unlabelled and count nowhere.

    Args:
        predicted: [B, H, W], classes 0 … K − 1.
        truth: [B, H, W].
    """
    pair = truth.long() * n_classes + predicted.long()
    pair[truth >= n_classes] = n_classes**2
    pair = pair.flatten(1) + torch.arange(len(pair), device=pair.device).view(-1, 1) * (n_classes**2 + 1)
    counts = torch.bincount(pair.flatten(), minlength=len(truth) * (n_classes**2 + 1))
    return counts.view(len(truth), -1)[:, :-1].view(-1, n_classes, n_classes)


def iou(matrix: Tensor) -> Tensor:
    """Intersection over union per class, [..., K] float64; NaN where a class is neither there nor predicted.

    Args:
        matrix: [..., K, K] counts, as :func:`confusion` gives them (or sums of such).
    """
    hits = matrix.diagonal(dim1=-2, dim2=-1).double()
    return hits / (matrix.sum(-1) + matrix.sum(-2) - hits)


def mean_iou(matrix: Tensor, classes: Sequence[int] | None = None) -> Tensor:
    """mIoU [...] float64 over the classes that the truth shows; NaN if it shows none.

    A class that isn't there but is predicted lowers the IoU of those whose pixels it took.

    Args:
        matrix: as for :func:`iou`; a sum over pictures gives the mIoU of the set.
        classes: which count; None: all.
    """
    there = matrix.sum(-1) > 0
    if classes is not None:
        chosen = torch.zeros(matrix.shape[-1], dtype=torch.bool, device=matrix.device)
        chosen[list(classes)] = True
        there = there & chosen
    scores = iou(matrix).nan_to_num(0.0)
    return (scores * there).sum(-1) / there.sum(-1)
