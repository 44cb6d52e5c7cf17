"""The networks of DeepJSCC, DeepSC, SemCC and SemRE: one architecture, from pixels to channel symbols and back.

Paper 003, section IV-A and Fig. 1::

    image -> 5 x 5 -> 2 x [ResBlock, 4 x 4 stride 2] -> channel coding 3 x 3 -> power 1 per image -> channel
    channel -> 5 x 5 -> 2 x [ResBlock, 3 x 3, pixel shuffle] -> 3 x 3, sigmoid -> image

Batch normalisation and PReLU follow every convolution but those that give symbols and pixels. The layers next to the
channel are heads, one for each number of symbols; the others are one trunk that all heads share.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from simnet.core.errors import SimnetError
from simnet.core.zoo import model_dir
from simnet.phy.channels.registry import channel_by_name
from simnet.phy.learned.channel import Equaliser, LearnedChannel
from simnet.phy.learned.draws import ChannelDraws
from simnet.phy.learned.mapping import to_features, to_symbols
from simnet.phy.learned.power import normalise_power
from simnet.tasks.networks.weights import half_tensors, load_weights, no_damage

FULL_WIDTH = 64
TRUNK = ("encoder.", "decoder.")
"""How the names of a trunk's tensors begin."""
WHAT = "a JSCC codec"
"""Names these weights files in errors."""
STRIDE = 4
"""Pixels per position of the code, along each axis."""


class JsccShape(BaseModel):
    """How large the networks are, and the channel that they are for.

    ``width``: channels of every layer; 64 is the full size. ``heads``: complex symbols per position, 4 x 4 pixels, of
    each head: c of them make k/n = c/48 of colour images, so 2 is 1/24, 4 is 1/12, 8 is 1/6, 19 is about 1/2.5.
    ``fading``: ``awgn``; ``rayleigh_block``: one h ~ CN(0, 1) per image; ``rayleigh_fast``: one per symbol.
    ``trunk``: zoo name of the model whose trunk the heads are for, as it is; None: the trunk is their own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Annotated[int, Field(ge=2, le=256)] = FULL_WIDTH
    heads: Annotated[tuple[Annotated[int, Field(ge=1, le=24)], ...], Field(min_length=1)] = (8,)
    fading: Literal["awgn", "rayleigh_block", "rayleigh_fast"] = "awgn"
    equaliser: Equaliser = "mmse"
    trunk: str | None = None

    def channel(self) -> LearnedChannel:
        return LearnedChannel(channel_by_name(self.fading), self.equaliser)


class ResBlock(nn.Module):
    """Two 3 x 3 convolutions and a way around them (He et al., 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _layer(width, width, 3)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        self.last = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(x + self.second(self.first(x)))
        return out


class Jscc(nn.Module):
    """Encoder and decoder, each a trunk and heads."""

    def __init__(self, shape: JsccShape) -> None:
        super().__init__()
        self.shape = shape
        w = shape.width
        self.encoder = nn.Sequential(
            _layer(3, w, 5), ResBlock(w), _layer(w, w, 4, stride=2), ResBlock(w), _layer(w, w, 4, stride=2)
        )
        self.to_channel = nn.ModuleDict({str(c): nn.Conv2d(w, 2 * c, 3, padding=1) for c in shape.heads})
        self.from_channel = nn.ModuleDict({str(c): _layer(2 * c, w, 5) for c in shape.heads})
        self.decoder = nn.Sequential(
            ResBlock(w), _up(w), ResBlock(w), _up(w), nn.Conv2d(w, 3, 3, padding=1), nn.Sigmoid()
        )  # fmt: skip

    def train(self, mode: bool = True) -> Jscc:
        """Also says whether batches' statistics count; those of another model's trunk are what they are."""
        super().train(mode)
        if self.shape.trunk is not None:
            self.encoder.eval()
            self.decoder.eval()
        return self

    def encode(self, images: Tensor, head: int) -> Tensor:
        """Symbols [B, k] complex of images [B, 3, H, W] in [0, 1], of mean power 1 per image (equation 2)."""
        features: Tensor = self.to_channel[str(head)](self.encoder(images))
        return normalise_power(to_symbols(features))

    def decode(self, symbols: Tensor, head: int, size: tuple[int, int]) -> Tensor:
        """Images [B, 3, H, W] in [0, 1] of equalised symbols [B, k]."""
        height, width = size
        features = to_features(symbols, (2 * head, height // STRIDE, width // STRIDE))
        images: Tensor = self.decoder(self.from_channel[str(head)](features))
        return images

    def forward(self, images: Tensor, head: int, channel: LearnedChannel, esno: Tensor, draws: ChannelDraws) -> Tensor:
        """x̂ [B, 3, H, W] of x over a channel, Es/N0 linear [B]."""
        received = channel(self.encode(images, head), esno, draws)
        return self.decode(received.symbols, head, (images.shape[2], images.shape[3]))


def n_symbols(size: tuple[int, int], head: int) -> int:
    """k: complex symbols of an image of H x W pixels."""
    return head * (size[0] // STRIDE) * (size[1] // STRIDE)


def _layer(n_in: int, n_out: int, kernel: int, *, stride: int = 1) -> nn.Sequential:
    padding = (kernel - stride) // 2 if stride > 1 else kernel // 2
    convolution = nn.Conv2d(n_in, n_out, kernel, stride, padding, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(n_out), nn.PReLU())


def _up(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, 4 * width, 3, padding=1, bias=False), nn.BatchNorm2d(4 * width), nn.PixelShuffle(2), nn.PReLU()
    )


def pack_jscc(networks: Jscc) -> bytes:
    """The content of a ``weights.safetensors``, as float16; the trunk only if it is the model's own."""
    tensors = {k: v for k, v in half_tensors(networks).items() if not k.endswith("num_batches_tracked")}
    if networks.shape.trunk is not None:
        tensors = {k: v for k, v in tensors.items() if not k.startswith(TRUNK)}
    return save(tensors, metadata={"shape": networks.shape.model_dump_json()})


def load_jscc(weights: Path) -> Jscc:
    """The networks in float32, frozen and in evaluation mode.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    networks, _ = load_weights(
        weights, lambda header: Jscc(JsccShape.model_validate_json(header["shape"])), WHAT, unpack=_with_trunk
    )
    return networks


def shape_of(weights: Path) -> JsccShape:
    """What a weights file says of its networks, without reading them.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    with no_damage(weights, WHAT), safe_open(weights, framework="pt") as file:
        return JsccShape.model_validate_json((file.metadata() or {})["shape"])


def trunk_of(shape: JsccShape) -> dict[str, Tensor]:
    """Tensors of the trunk that a model shares with another, by their names in :class:`Jscc`.

    Raises:
        SimnetError: there is no such model, it has no trunk of its own, or the trunk is of another width.
    """
    assert shape.trunk is not None
    owner = load_jscc(model_dir(shape.trunk) / "weights.safetensors")
    if owner.shape.trunk is not None or owner.shape.width != shape.width:
        got = f"{shape.trunk!r}, of width {owner.shape.width}, trunk of {owner.shape.trunk or 'its own'}"
        raise SimnetError(f"trunk: got {got}; allowed is a model of width {shape.width} with a trunk of its own")
    return {k: v for k, v in owner.state_dict().items() if k.startswith(TRUNK)}


def _with_trunk(header: Mapping[str, str], tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    shape = JsccShape.model_validate_json(header["shape"])
    return tensors if shape.trunk is None else tensors | trunk_of(shape)
