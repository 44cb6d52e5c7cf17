"""What else recovered pictures are held against: another segmentation network, a detector, how their features lie.

FID and KID here are those of our own features (the coarsest stack of a segmentation network, averaged over each
picture), not of Inception's: they compare codecs on one data set and say nothing beside published ones. FID is biased
below some 2000 pictures; KID isn't.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simnet.codecs.networks.chunks import chunk_for
from simnet.core import streams
from simnet.data.base import ImageSet
from simnet.signal.originals import Originals
from simnet.tasks.boxes import Boxes, Matched, boxes_of_regions
from simnet.tasks.detection import SURE, boxes_of
from simnet.tasks.networks.detector import DETECTED, Detector
from simnet.tasks.networks.segmenter import Segmenter

N_RESAMPLES = 200


@dataclass(frozen=True)
class DetectionJudge:
    """A detector, with the true boxes of pictures and with what it surely finds in the originals."""

    images: ImageSet
    detector: Detector
    truth: list[Boxes]
    own: list[Boxes]

    @classmethod
    def of(cls, images: ImageSet, detector: Detector) -> DetectionJudge:
        """Run the detector over a set."""
        found = _found(detector, torch.from_numpy(images.images).float() / 255)
        classes = [images.class_names.index(name) for name in DETECTED]
        truth = [boxes_of_regions(labels, classes) for labels in images.labels]
        return cls(images, detector, truth, [boxes[boxes[:, 5] >= SURE] for boxes in found])

    def held_against(self, recovered: Tensor) -> dict[str, float]:
        """mAP at an overlap of one half against the true boxes, and against the detector's own output on the originals
        (``own``; paper 004, section IV-E), each with a 95 % bootstrap interval over pictures.

        Args:
            recovered: [N, 3, H, W] of all pictures, in order.
        """
        found, counts = self.found(recovered), self.resampled(N_RESAMPLES)
        figures = {}
        for of, boxes in (("", self.truth), ("_own", self.own)):
            matched = Matched.of(found, boxes, len(DETECTED))
            low, high = np.quantile([matched.mean_average_precision(n) for n in counts], [0.025, 0.975])
            values = {"map_50": matched.mean_average_precision(), "map_low": low, "map_high": high}
            figures.update({f"{key}{of}": round(float(value), 4) for key, value in values.items()})
        return figures

    def found(self, recovered: Tensor) -> list[Boxes]:
        """What the detector finds in pictures [N, 3, H, W]."""
        return _found(self.detector, recovered)

    def matched(self, recovered: Tensor) -> Matched:
        """That of recovered pictures of all originals, in order, held against the true boxes."""
        return Matched.of(self.found(recovered), self.truth, len(DETECTED))

    def resampled(self, n: int) -> NDArray[np.int64]:
        """How often each picture counts in n bootstrap samples of the set, [n, N]; the same ones at every call."""
        n_pictures = len(self.images)
        rng = streams.generator(0, "bootstrap", "detection", self.images.sha256)
        drawn = (rng.integers(0, n_pictures, n_pictures) for _ in range(n))
        return np.stack([np.bincount(which, minlength=n_pictures) for which in drawn])


@dataclass(frozen=True)
class SecondJudge:
    """Another segmentation network than the first judge, with the pictures that it has judged."""

    originals: Originals

    @classmethod
    def of(cls, images: ImageSet, network: Segmenter) -> SecondJudge:
        """Run the network over a set."""
        return cls(Originals.of(images, network, features=network))

    def held_against(self, recovered: Tensor) -> dict[str, float]:
        """``miou_second`` and SS with its interval, ``ss_second`` and so on, of recovered pictures [N, 3, H, W]."""
        found = self.originals.measured(recovered)
        return {f"{key}_second": found[key] for key in ("miou", "ss", "ss_low", "ss_high")}


@dataclass(frozen=True)
class Distribution:
    """Features of original pictures, one vector each."""

    features: Segmenter
    originals: Tensor

    @classmethod
    def of(cls, images: ImageSet, features: Segmenter) -> Distribution:
        """Run the network over a set."""
        return cls(features, _pooled(features, torch.from_numpy(images.images).float() / 255))

    def held_against(self, recovered: Tensor) -> dict[str, float]:
        """``feature_fid`` and ``feature_kid`` of recovered pictures [N, 3, H, W]."""
        made = _pooled(self.features, recovered)
        fid, kid = frechet_distance(self.originals, made), kernel_distance(self.originals, made)
        return {"feature_fid": round(fid, 4), "feature_kid": round(kid, 5)}


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Fréchet distance of the Gaussians of two samples [N, D] (Heusel et al., NeurIPS 2017)."""
    of_a, of_b = torch.cov(a.T), torch.cov(b.T)
    root = torch.linalg.eigvals(of_a @ of_b).real.clamp(min=0).sqrt().sum()  # trace of the matrix' square root
    return float((a.mean(0) - b.mean(0)).square().sum() + of_a.trace() + of_b.trace() - 2 * root)


def kernel_distance(a: Tensor, b: Tensor) -> float:
    """Unbiased squared maximum mean discrepancy of two samples [N, D], kernel (x·y/D + 1)³ (Bińkowski et al., 2018)."""
    n, m = len(a), len(b)
    within_a, within_b, across = (((x @ y.T) / a.shape[1] + 1) ** 3 for x, y in ((a, a), (b, b), (a, b)))
    one = (within_a.sum() - within_a.trace()) / (n * (n - 1))
    other = (within_b.sum() - within_b.trace()) / (m * (m - 1))
    return float(one + other - 2 * across.mean())


@torch.no_grad()
def _pooled(features: Segmenter, pictures: Tensor) -> Tensor:
    """[N, D] float64."""
    return torch.cat([features.features(batch)[-1].double().mean((2, 3)) for batch in _parts(pictures)])


@torch.no_grad()
def _found(detector: Detector, pictures: Tensor) -> list[Boxes]:
    device = next(detector.parameters()).device
    return [boxes for batch in _parts(pictures) for boxes in boxes_of(detector.detect(batch.to(device)))]


def _parts(pictures: Tensor) -> tuple[Tensor, ...]:
    return torch.split(pictures, chunk_for(pictures.shape))
