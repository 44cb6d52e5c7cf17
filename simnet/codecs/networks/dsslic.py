"""The networks of a reduced DSSLIC: a label map and a compact picture to a picture (Akbari et al., ICASSP 2019).

There a network makes the compact picture and the label map is sent at full size. Here the compact picture is the mean
of each 8 x 8 pixels, and the map has its size, as RL-ASC's has. FineNet is RL-ASC's global generator, so that the two
differ in what they send, not in who paints.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from simnet.codecs.entropy.label_map import MAX_CLASSES
from simnet.codecs.networks.rlasc import STRIDE, Global, RlascShape
from simnet.tasks.networks.weights import half_tensors, load_weights

COMPACT_BIT = 5
"""Of each value of the compact picture."""
TOP = 2**COMPACT_BIT - 1
_TO_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
"""Of R, G, B (ITU-T T.871)."""


class DsslicShape(BaseModel):
    """``width``: channels of the generator's last layers. ``n_classes``: of the label map."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Annotated[int, Field(ge=4, le=128, multiple_of=2)] = 64
    n_classes: Annotated[int, Field(ge=2, le=MAX_CLASSES)] = 11


class FineNet(nn.Module):
    """Symbols of the compact picture [B, 3, h, w] and label map [B, h, w] to x' [B, 3, 8h, 8w] in (0, 1)."""

    def __init__(self, shape: DsslicShape) -> None:
        super().__init__()
        self.shape = shape
        as_rlasc = RlascShape(width=shape.width, code_channels=3, n_classes=shape.n_classes, normalisation="channel")
        self.paint = Global(as_rlasc)

    def forward(self, symbols: Tensor, label_map: Tensor) -> Tensor:
        made: Tensor = self.paint(4 * symbols.to(self.paint.start.weight.dtype) / TOP - 2, label_map)
        return made


def compact(images: Tensor) -> Tensor:
    """The compact picture of images [B, 3, H, W] in [0, 1]: Y, Cb, Cr as symbols 0 … 31, int64 [B, 3, H/8, W/8]."""
    small = F.avg_pool2d(images, STRIDE)
    ycbcr = torch.einsum("cd,bdhw->bchw", torch.tensor(_TO_YCBCR, device=images.device), small)
    ycbcr = ycbcr + torch.tensor([0.0, 0.5, 0.5], device=images.device).view(1, 3, 1, 1)
    symbols: Tensor = (ycbcr * TOP).round().clamp(0, TOP).long()
    return symbols


def pack_dsslic(network: FineNet, compact_table: Tensor, map_table: Tensor) -> bytes:
    """The content of a ``weights.safetensors``: the network as float16, and the tables of its codes.

    Args:
        compact_table: [3, 16] uint8, of the compact picture's coder.
        map_table: [(M + 1)², 16] uint8 (of more columns where M > 16), of the label map's coder.
    """
    halves = half_tensors(network)
    tables = {"compact_table": compact_table, "map_table": map_table}
    return save(halves | tables, metadata={"shape": network.shape.model_dump_json()})


def load_dsslic(weights: Path) -> tuple[FineNet, Tensor, Tensor]:
    """The network in float32, frozen and in evaluation mode, and both tables of :func:`pack_dsslic`.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    network, (compact_table, map_table) = load_weights(
        weights, lambda header: FineNet(DsslicShape.model_validate_json(header["shape"])), "a DSSLIC codec",
        "compact_table", "map_table",
    )  # fmt: skip
    return network, compact_table, map_table
