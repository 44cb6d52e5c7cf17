"""The judge that measures SS: it lives outside the network; labels and originals never reach a node."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from simnet.codecs.networks.chunks import chunk_for, in_chunks
from simnet.codecs.quality import mean_squared_errors, psnr_db, ssim
from simnet.tasks.base import Task


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one recovered image was worth.

    Attributes:
        st_original, st_recovered: None if the original holds nothing to judge by.
        ss: st_recovered / st_original; None if the judge was unsure of the original: ST below the task's ``sure_st``.
        correct_original, correct_recovered: None if the task knows no hits.
        psnr_db: inf for a lossless copy.
        confidence: what a receiver could see.
        provider_score: what the sender could see.
    """

    st_original: float | None
    st_recovered: float | None
    ss: float | None
    judge_unsure: bool
    correct_original: bool | None
    correct_recovered: bool | None
    psnr_db: float
    ssim: float
    confidence: float
    provider_score: float

    @property
    def score_original(self) -> float:
        """What a population's SS adds up: hits, or ST where the task knows none."""
        return (self.st_original or 0.0) if self.correct_original is None else float(self.correct_original)

    @property
    def score_recovered(self) -> float:
        """As :attr:`score_original`."""
        return (self.st_recovered or 0.0) if self.correct_recovered is None else float(self.correct_recovered)


class Judge:
    """Measures recovered images of one source type against their originals.

    Args:
        originals: [N, C, H, W] float32 in [0, 1].
        labels: [N] int64, or [N, H, W] of a task that labels pixels.
    """

    def __init__(self, task: Task, originals: Tensor, labels: Tensor) -> None:
        self.task = task
        self.originals = originals
        self.labels = labels
        self._inferred = in_chunks(task.infer, originals, chunk_for(originals.shape))

    def measure(self, recovered: Tensor, which: Tensor) -> list[Measurement]:
        """One measurement per image.

        Args:
            recovered: [B, C, H, W] float32 in [0, 1].
            which: [B] int64, the original of each.
        """
        original, labels, before = self.originals[which], self.labels[which], self._inferred[which]
        after = in_chunks(self.task.infer, recovered, chunk_for(recovered.shape))
        hits = [self.task.recognised(inferred, labels) for inferred in (before, after)]
        columns = {
            "st_original": self.task.st(before, labels).tolist(),
            "st_recovered": self.task.st(after, labels).tolist(),
            "correct_original": [None] * len(which) if hits[0] is None else hits[0].tolist(),
            "correct_recovered": [None] * len(which) if hits[1] is None else hits[1].tolist(),
            "psnr_db": psnr_db(mean_squared_errors(original, recovered)).tolist(),
            "ssim": ssim(original, recovered).tolist(),
            "confidence": self.task.confidence(after).tolist(),
            "provider_score": self.task.agreement(after, before).tolist(),
        }
        rows = zip(*columns.values(), strict=True)
        return [_measurement(dict(zip(columns, row, strict=True)), self.task.sure_st) for row in rows]


def _measurement(values: dict[str, Any], sure_st: float) -> Measurement:
    if math.isnan(values["st_original"]):
        return Measurement(ss=None, judge_unsure=True, **{**values, "st_original": None, "st_recovered": None})
    unsure = values["st_original"] < sure_st
    ss = None if unsure else values["st_recovered"] / values["st_original"]
    return Measurement(ss=ss, judge_unsure=unsure, **values)
