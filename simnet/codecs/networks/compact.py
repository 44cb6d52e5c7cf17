"""ComCNN and RecCNN: a picture of half the size for JPEG, and a network that restores what comes out of it.

F. Jiang et al., "An end-to-end compression framework based on convolutional neural networks", IEEE Trans. Circuits
Syst. Video Technol. 28(10), 2018; a rival of paper 000.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from simnet.tasks.networks.weights import load_weights


class CompactShape(BaseModel):
    """``width``: channels; 64 in the paper. ``depth``: layers of RecCNN; 20 in the paper."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Annotated[int, Field(ge=2, le=128)] = 64
    depth: Annotated[int, Field(ge=2, le=40)] = 20


class Compact(nn.Module):
    """``com``: [B, 3, H, W] -> [B, 3, H/2, W/2]; ``rec`` undoes it. H and W are even, values in [0, 1].

    Both add to what plain scaling gives (the mean of 2 x 2 pixels, bicubic interpolation): the paper does so in RecCNN.
    """

    def __init__(self, shape: CompactShape) -> None:
        super().__init__()
        self.shape = shape
        w = shape.width
        self.com = nn.Sequential(
            nn.Conv2d(3, w, 3, 1, 1), nn.ReLU(), nn.Conv2d(w, w, 3, 2, 1), nn.ReLU(), nn.Conv2d(w, 3, 3, 1, 1)
        )
        inner = (_layer(w) for _ in range(shape.depth - 2))
        self.rec = nn.Sequential(nn.Conv2d(3, w, 3, 1, 1), nn.ReLU(), *inner, nn.Conv2d(w, 3, 3, 1, 1))

    def compact(self, images: Tensor) -> Tensor:
        """The picture that JPEG codes."""
        compact: Tensor = (F.avg_pool2d(images, 2) + self.com(images)).clamp(0, 1)
        return compact

    def restore(self, compact: Tensor) -> Tensor:
        """Images of decoded compact pictures."""
        scaled = F.interpolate(compact.float(), scale_factor=2, mode="bicubic", align_corners=False)
        images: Tensor = (scaled + self.rec(scaled)).clamp(0, 1)
        return images


def _layer(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())


def load_compact(weights: Path) -> Compact:
    """The networks in float32, frozen and in evaluation mode, of a ``weights.safetensors``.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    network, _ = load_weights(
        weights, lambda header: Compact(CompactShape.model_validate_json(header["shape"])), "a ComCNN codec"
    )
    return network


def pad_to_even(images: Tensor) -> Tensor:
    """Repeats the last row and column where their number is odd."""
    height, width = images.shape[2:]
    return F.pad(images, (0, width % 2, 0, height % 2), mode="replicate") if (height | width) % 2 else images
