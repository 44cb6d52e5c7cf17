"""Boxes: of labelled regions, how much two overlap, and average precision of detections.

Boxes are rows (left, top, right, bottom, class, score), float64, in pixels; right and bottom lie outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    return Matched.of(found, truth, n_classes, threshold).mean_average_precision()


def average_precision(found: Sequence[Boxes], truth: Sequence[Boxes], label: int, threshold: float = 0.5) -> float:
    """Area under precision over recall at 101 recalls, precision made monotone (COCO's); NaN without true boxes.

    Detections are matched by falling score, each with the true box of its picture that it overlaps most among those
    not taken yet.
    """
    return _OfClass.of(found, truth, label, threshold).average_precision(np.ones(len(truth), np.int64))


@dataclass(frozen=True)
class Matched:
    """Detections held against the truth once, for mAP over any choice of the pictures: a picture's matches stay."""

    of_class: tuple[_OfClass, ...]
    n_pictures: int

    @classmethod
    def of(cls, found: Sequence[Boxes], truth: Sequence[Boxes], n_classes: int, threshold: float = 0.5) -> Matched:
        """As for :func:`mean_average_precision`."""
        return cls(tuple(_OfClass.of(found, truth, label, threshold) for label in range(n_classes)), len(truth))

    def mean_average_precision(self, counts: NDArray[np.int64] | None = None) -> float:
        """mAP over the classes that the truth shows; NaN if it shows none.

        Args:
            counts: how often each picture counts, [n_pictures]; None: once.
        """
        counts = np.ones(self.n_pictures, np.int64) if counts is None else counts
        scores = [matches.average_precision(counts) for matches in self.of_class]
        there = [score for score in scores if not np.isnan(score)]
        return float(np.mean(there)) if there else float("nan")


@dataclass(frozen=True)
class _OfClass:
    """Detections of one class by falling score: the picture of each, and whether it is right; true boxes by picture."""

    picture: NDArray[np.int64]
    hit: NDArray[np.bool_]
    n_true: NDArray[np.int64]

    @classmethod
    def of(cls, found: Sequence[Boxes], truth: Sequence[Boxes], label: int, threshold: float) -> _OfClass:
        pictures, hits, scores, n_true = [], [], [], []
        for picture, (detected, real) in enumerate(zip(found, truth, strict=True)):
            wanted = real[real[:, 4] == label]
            own = detected[detected[:, 4] == label]
            own = own[np.argsort(-own[:, 5], kind="stable")]
            n_true.append(len(wanted))
            shared, taken = overlaps(own, wanted), np.zeros(len(wanted), np.bool_)
            for row in shared:
                free = np.where(taken, -1.0, row)
                best = int(free.argmax()) if len(free) else -1
                hit = best >= 0 and free[best] >= threshold
                if hit:
                    taken[best] = True
                hits.append(hit)
            pictures.extend([picture] * len(own))
            scores.extend(own[:, 5].tolist())
        order = np.argsort(-np.array(scores), kind="stable")
        return cls(np.array(pictures, np.int64)[order], np.array(hits, np.bool_)[order], np.array(n_true, np.int64))

    def average_precision(self, counts: NDArray[np.int64]) -> float:
        n_true = int(counts @ self.n_true)
        if n_true == 0:
            return float("nan")
        count = counts[self.picture]
        count, hit = count[count > 0], self.hit[count > 0]
        if not len(hit):
            return 0.0
        right = np.cumsum(count * hit)
        recall, precision = right / n_true, right / np.cumsum(count)
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        at = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
        return float(np.append(precision, 0.0)[at].mean())
