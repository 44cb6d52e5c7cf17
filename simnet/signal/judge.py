"""The judge that measures SS: it lives outside the network; labels and originals never reach a node."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pytorch_msssim import ssim
from torch import Tensor

from simnet.codecs.networks.chunks import in_chunks
from simnet.tasks.base import Task
from simnet.tasks.similarity import SURE_ST


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one recovered image was worth.

    Attributes:
        ss: st_recovered / st_original; None if the judge was unsure of the original (ST < 0.5).
        psnr_db: inf for a lossless copy.
        confidence: highest class probability of the recovered image: what a receiver could see.
        provider_score: probability of the original's most likely class, recovered over original: what the sender could
            see.
    """

    st_original: float
    st_recovered: float
    ss: float | None
    judge_unsure: bool
    correct_original: bool
    correct_recovered: bool
    psnr_db: float
    ssim: float
    confidence: float
    provider_score: float


class Judge:
    """Measures recovered images of one source type against their originals.

    Args:
        originals: [N, C, H, W] float32 in [0, 1].
        labels: [N] int64.
    """

    def __init__(self, task: Task, originals: Tensor, labels: Tensor) -> None:
        self.task = task
        self.originals = originals
        self.labels = labels
        self._inferred = in_chunks(task.infer, originals)

    def measure(self, recovered: Tensor, which: Tensor) -> list[Measurement]:
        """One measurement per image.

        Args:
            recovered: [B, C, H, W] float32 in [0, 1].
            which: [B] int64, the original of each.
        """
        original, labels, before = self.originals[which], self.labels[which], self._inferred[which]
        after = in_chunks(self.task.infer, recovered)
        columns = {
            "st_original": self.task.st(before, labels),
            "st_recovered": self.task.st(after, labels),
            "correct_original": self.task.recognised(before, labels),
            "correct_recovered": self.task.recognised(after, labels),
            "psnr_db": psnr_db(original, recovered),
            "ssim": in_chunks(_ssim, torch.stack([original, recovered], dim=1)),
            "confidence": after.amax(dim=1),
            "provider_score": _ratio_at(before.argmax(dim=1), after, before),
        }
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        return [_measurement(dict(zip(columns, row, strict=True))) for row in rows]


def psnr_db(original: Tensor, recovered: Tensor) -> Tensor:
    """PSNR of each image, [B] float64, peak 1; inf where they are equal."""
    mse = (original.double() - recovered.double()).square().flatten(1).mean(1)
    return -10.0 * torch.log10(mse)


def _ssim(pairs: Tensor) -> Tensor:
    """SSIM [B] of pairs [B, 2, C, H, W], with Wang's settings: 11×11 Gaussian window, σ 1.5, K = (0.01, 0.03)."""
    result: Tensor = ssim(pairs[:, 0], pairs[:, 1], data_range=1.0, size_average=False, win_size=11, win_sigma=1.5)
    return result


def _ratio_at(which: Tensor, after: Tensor, before: Tensor) -> Tensor:
    index = which.view(-1, 1)
    return (after.gather(1, index) / before.gather(1, index)).squeeze(1)


def _measurement(values: dict[str, float]) -> Measurement:
    unsure = values["st_original"] < SURE_ST
    ss = None if unsure else values["st_recovered"] / values["st_original"]
    return Measurement(ss=ss, judge_unsure=unsure, **values)  # type: ignore[arg-type]
