"""LSCI's channel slices Ce and Cd (paper 000, Table III): a learned channel code with noisy feedback.

Table III's labels are displaced: its rows 1-5 are Ce (last 2C), rows 6-10 are Cd (last C). Between the layers: ReLU.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from safetensors.torch import save
from torch import Tensor, nn

from simnet.phy.channels.registry import channel_by_name
from simnet.phy.learned.channel import Equaliser, LearnedChannel
from simnet.phy.learned.feedback import FeedbackChannel
from simnet.tasks.networks.weights import half_tensors, load_weights

FULL_WIDTH = 64


class ChannelSliceShape(BaseModel):
    """How large the two networks are, and the channel that they are for.

    ``width``: channels of the first layer; 64 is the paper's. ``code_channels``: C of the source code.
    ``fading``: ``awgn``; ``rayleigh_block``: h ~ CN(0, 1), constant over an exchange, there and back, as links have
    it; ``rayleigh_fast``: a new h for every symbol.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Annotated[int, Field(ge=2, le=FULL_WIDTH)] = FULL_WIDTH
    code_channels: Annotated[int, Field(ge=1, le=256)] = 4
    fading: Literal["awgn", "rayleigh_block", "rayleigh_fast"] = "awgn"
    equaliser: Equaliser = "mmse"

    def channel(self) -> FeedbackChannel:
        """Forward and reverse channel, alike."""
        there, back = (LearnedChannel(channel_by_name(self.fading), self.equaliser) for _ in range(2))
        return FeedbackChannel(there, back, reciprocal=self.fading == "rayleigh_block")


class ChannelSlices(nn.Module):
    """Ce and Cd side by side."""

    def __init__(self, shape: ChannelSliceShape) -> None:
        super().__init__()
        self.shape = shape
        c = shape.code_channels
        self.encoder = _convolutions(2 * c, shape.width, 2 * c)
        self.decoder = _convolutions(2 * c, shape.width, c)


def _convolutions(n_in: int, w: int, n_out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n, m in pairwise((n_in, w, w, 2 * w, w, n_out)):
        layers += [nn.Conv2d(n, m, 3, 1, 1), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def pack_channel_slices(slices: ChannelSlices) -> bytes:
    """The content of a ``weights.safetensors``, as float16."""
    tensors = half_tensors(slices)
    return save(tensors, metadata={"shape": slices.shape.model_dump_json()})


def load_channel_slices(weights: Path) -> ChannelSlices:
    """The networks in float32, frozen and in evaluation mode.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    slices, _ = load_weights(
        weights, lambda header: ChannelSlices(ChannelSliceShape.model_validate_json(header["shape"])), "channel slices"
    )
    return slices


def through_channel(
    slices: ChannelSlices, channel: FeedbackChannel, quantised: Tensor, esno: Tensor, reverse_esno: Tensor,
    generator: torch.Generator,
) -> Tensor:  # fmt: skip
    """ŵ^q [B, C, h, w] of w^q, over fresh draws.

    Args:
        esno, reverse_esno: mean Es/N0 of the forward channel and of the feedback's, linear, [B].
    """
    draws = channel.draw(quantised, generator)
    reception = channel(quantised, slices.encoder, esno, reverse_esno, draws)
    received: Tensor = slices.decoder(reception.features)
    return received
