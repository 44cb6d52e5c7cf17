"""Labelled test pictures, and what codecs make of them: distortion, mIoU, SS with its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from simnet.codecs.networks.chunks import chunk_for
from simnet.codecs.quality import mean_squared_errors, psnr_db, ssim
from simnet.core import streams
from simnet.data.base import ImageSet
from simnet.tasks.feature_distance import feature_distance
from simnet.tasks.intersection import confusion, mean_iou
from simnet.tasks.networks.segmenter import Segmenter

N_RESAMPLES = 1000


@dataclass(frozen=True)
class Originals:
    """Test pictures with what judge and features say of them: computed once, held against many codecs."""

    images: ImageSet
    judge: Segmenter
    features: Segmenter
    judged: Tensor
    """Confusions [N, K, K] of the originals."""

    @classmethod
    @torch.no_grad()
    def of(cls, images: ImageSet, judge: Segmenter, features: Segmenter) -> Originals:
        """Run the judge over a set, on its device, where the features must be, too."""
        device = next(judge.parameters()).device
        return cls(images, judge, features, torch.cat([
            confusion(judge(original).argmax(1), truth, judge.n_classes).cpu()
            for original, truth in batches(images, device)
        ]))  # fmt: skip

    @property
    def _device(self) -> torch.device:
        return next(self.judge.parameters()).device

    @torch.no_grad()
    def held_against(self, recover: Callable[[Tensor], Tensor]) -> dict[str, float]:
        """As :meth:`measured`, of what ``recover`` makes of originals [B, 3, H, W] in [0, 1]."""
        return self.measured(torch.cat([recover(original) for original, _ in batches(self.images, self._device)]))

    @torch.no_grad()
    def measured(self, recovered: Tensor) -> dict[str, float]:
        """PSNR (mean over pictures), SSIM, feature distance, mIoU and SS of the set, with 95 % bootstrap intervals.

        Args:
            recovered: [N, 3, H, W] in [0, 1], in the order of the originals.
        """
        rows, matrices, parts = [], [], torch.split(recovered, chunk_for(recovered.shape))
        for (original, truth), part in zip(batches(self.images, self._device), parts, strict=True):
            made = part.to(self._device)
            psnr = psnr_db(mean_squared_errors(original, made))
            structure = ssim(original, made)
            far = feature_distance(self.features.features(original), self.features.features(made))
            rows.append(torch.stack([psnr, structure, far], 1).cpu())
            matrices.append(confusion(self.judge(made).argmax(1), truth, self.judge.n_classes).cpu())
        psnr_mean, structure_mean, far_mean = torch.cat(rows).mean(0).tolist()
        after = torch.cat(matrices)
        low, high = ss_interval(self.judged, after, streams.generator(0, "bootstrap", self.images.sha256))
        return {
            "psnr_db": round(psnr_mean, 3),
            "ssim": round(structure_mean, 4),
            "feature_distance": round(far_mean, 4),
            "miou": round(float(mean_iou(after.sum(0))), 4),
            "ss": round(float(mean_iou(after.sum(0)) / mean_iou(self.judged.sum(0))), 4),
            "ss_low": round(low, 4),
            "ss_high": round(high, 4),
            "n": len(self.images),
        }


def batches(images: ImageSet, device: torch.device | None = None) -> Iterator[tuple[Tensor, Tensor]]:
    """Pictures [B, 3, H, W] float32 in [0, 1] and labels [B, H, W] of a set, in order."""
    n = chunk_for(images.images.shape)
    for start in range(0, len(images), n):
        pixels, labels = images.images[start : start + n], images.labels[start : start + n]
        yield torch.tensor(pixels, device=device).float() / 255, torch.tensor(labels, device=device)


def ss_interval(before: Tensor, after: Tensor, rng: np.random.Generator) -> tuple[float, float]:
    """95 % interval of the ratio of two mIoUs, by the percentiles of a paired bootstrap over pictures.

    Args:
        before, after: confusions [N, K, K] of originals and recovered pictures.
    """
    weights = torch.from_numpy(rng.multinomial(len(before), np.full(len(before), 1 / len(before)), N_RESAMPLES))
    drawn_before, drawn_after = (torch.einsum("rn,nij->rij", weights.double(), m.double()) for m in (before, after))
    ratios = mean_iou(drawn_after) / mean_iou(drawn_before)
    low, high = torch.quantile(ratios, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return float(low), float(high)
