"""Boxes: of labelled regions, how much two overlap, and average precision of detections.

Boxes are rows (left, top, right, bottom, class, score), float64, in pixels; right and bottom lie outside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Boxes = NDArray[np.float64]
"""[N, 6]."""
LEAST_AREA = 0.0012
"""Of a region, as a share of the picture: 15 pixels of 96 x 128, 92 of 240 x 320. Below it nobody tells what it is."""
EIGHT_NEIGHBOURS = np.ones((3, 3), np.int64)


def boxes_of_regions(labels: NDArray[np.integer], classes: Sequence[int]) -> Boxes:
    """Boxes around connected regions of a label map [H, W]; their class is the index into ``classes``, score 1.

    Objects of one class that touch are one region, and so one box: of label maps nobody can tell them apart.
    """
    rows = []
    for index, label in enumerate(classes):
        regions, _ = ndimage.label(labels == label, EIGHT_NEIGHBOURS)
        sizes = np.bincount(regions.ravel())
        for region, box in enumerate(ndimage.find_objects(regions), start=1):
            if box is not None and sizes[region] >= LEAST_AREA * labels.size:
                vertical, horizontal = box
                rows.append((horizontal.start, vertical.start, horizontal.stop, vertical.stop, index, 1.0))
    return np.array(rows, np.float64).reshape(-1, 6)


def overlaps(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Intersection over union of each pair, [len(a), len(b)]."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    shared = (high - low).clip(min=0).prod(2)
    areas = [(x[:, 2:4] - x[:, :2]).prod(1) for x in (a, b)]
    union = areas[0][:, None] + areas[1] - shared
    overlap: NDArray[np.float64] = shared / union
    return overlap


def mean_average_precision(
    found: Sequence[Boxes], truth: Sequence[Boxes], n_classes: int, threshold: float = 0.5
) -> float:
    """mAP over the classes that the truth shows; NaN if it shows none.

    Args:
        found, truth: one entry per picture; precision is over all pictures together.
        threshold: overlap from which a detection is right.
    """
    scores = [average_precision(found, truth, label, threshold) for label in range(n_classes)]
    there = [score for score in scores if not np.isnan(score)]
    return float(np.mean(there)) if there else float("nan")


def average_precision(found: Sequence[Boxes], truth: Sequence[Boxes], label: int, threshold: float = 0.5) -> float:
    """Area under precision over recall at 101 recalls, precision made monotone (COCO's); NaN without true boxes.

    Detections are matched by falling score, each with the true box of its picture that it overlaps most among those
    not taken yet.
    """
    n_true, hits, scores = 0, [], []
    for detected, real in zip(found, truth, strict=True):
        wanted = real[real[:, 4] == label]
        own = detected[detected[:, 4] == label]
        own = own[np.argsort(-own[:, 5], kind="stable")]
        n_true += len(wanted)
        shared, taken = overlaps(own, wanted), np.zeros(len(wanted), np.bool_)
        for row in shared:
            free = np.where(taken, -1.0, row)
            best = int(free.argmax()) if len(free) else -1
            hit = best >= 0 and free[best] >= threshold
            if hit:
                taken[best] = True
            hits.append(hit)
        scores.extend(own[:, 5].tolist())
    if n_true == 0:
        return float("nan")
    if not hits:
        return 0.0
    order = np.argsort(-np.array(scores), kind="stable")
    right = np.cumsum(np.array(hits)[order])
    recall, precision = right / n_true, right / np.arange(1, len(right) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return float(np.append(precision, 0.0)[at].mean())
