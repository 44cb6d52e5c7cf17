"""An anchor-free detector: objects as points (after Zhou et al., 2019), on a U-Net's finest features."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from simnet.tasks.networks.unet import UNet
from simnet.tasks.networks.weights import load_weights

STRIDE = 2
"""Pixels per place of the maps, along each axis."""
MOST = 48
"""Detections of a picture that are given at most."""
DETECTED = ("car", "pedestrian", "bicyclist", "sign")
"""The classes, among those of street scenes."""


class Detector(nn.Module):
    """For images [B, 3, H, W] in [0, 1]: how likely an object's middle is where, and how large the object is there.

    Args:
        width: of the U-Net.
    """

    def __init__(self, *, width: int = 24) -> None:
        super().__init__()
        self.width = width
        self.network = UNet(width=width, n_classes=len(DETECTED) + 4)
        assert self.network.logits.bias is not None
        nn.init.constant_(self.network.logits.bias[: len(DETECTED)], -4.0)  # objects are rare

    def features(self, images: Tensor) -> list[Tensor]:
        """Feature stacks of images, finest first, at strides 2, 4, 8, 16."""
        return self.network.features(images)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [B, 4, H/2, W/2] of middles by class; and [B, 4, H/2, W/2]: where in its place the middle lies (down,
        across, in [0, 1]), logarithms of height and width in pixels."""
        maps = self.network.head(self.features(images))
        return maps[:, : len(DETECTED)], torch.cat((maps[:, -4:-2].sigmoid(), maps[:, -2:] + 2), dim=1)

    def detect(self, images: Tensor) -> Tensor:
        """[B, MOST, 6] float32: rows as in :mod:`simnet.tasks.boxes`, by falling score; score 0: no more detections.

        The peaks of each class's map; the nearest ones don't crowd each other out, since each is the highest of 3 x 3.
        """
        logits, geometry = self(images)
        height, width = images.shape[2:]
        heat = logits.float().sigmoid()
        peaks = heat * (F.max_pool2d(heat, 3, 1, 1) == heat)
        score, index = peaks.flatten(1).topk(min(MOST, peaks[0].numel()))
        n_places = heat.shape[2] * heat.shape[3]
        label, place = index // n_places, index % n_places
        down, across, log_h, log_w = geometry.float().flatten(2).gather(2, place[:, None].expand(-1, 4, -1)).unbind(1)
        y, x = STRIDE * (place // heat.shape[3] + down), STRIDE * (place % heat.shape[3] + across)
        h, w = log_h.clamp(max=8).exp() / 2, log_w.clamp(max=8).exp() / 2
        edges = ((x - w).clamp(min=0), (y - h).clamp(min=0), (x + w).clamp(max=width), (y + h).clamp(max=height))
        rows = torch.stack((*edges, label.to(score.dtype), score), dim=2)
        return F.pad(rows, (0, 0, 0, MOST - rows.shape[1]))


def load_detector(weights: Path) -> Detector:
    """The detector in float32, frozen and in evaluation mode, of a ``weights.safetensors``.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    network, _ = load_weights(weights, lambda header: Detector(width=int(header["width"])), "a detector")
    return network
