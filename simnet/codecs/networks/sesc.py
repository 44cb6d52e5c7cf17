"""The networks of SE-SC: only the features that the task needs are sent; a learned one stands for the others.

Paper 002, section IV and Table I (first rows): a masked transformer (He et al., CVPR 2022) as codec, and a CNN on the
intermediate features of the task's own network that says how much each feature matters::

    image -> patches -> transformer -> to symbols -> [only those of weight above μ] -> power 1 per image -> channel
    channel -> from symbols; the shared feature where nothing came -> transformer -> pixels of each patch
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from safetensors.torch import save
from torch import Tensor, nn

from simnet.phy.channels.registry import channel_by_name
from simnet.phy.learned.channel import Equaliser, LearnedChannel
from simnet.tasks.networks.task_network import TaskNetwork
from simnet.tasks.networks.weights import half_tensors, load_weights


class SescShape(BaseModel):
    """How large the networks are, and the channel that they are for.

    ``size``: height and width of the pictures. ``patch``: pixels of a feature, along each axis. ``width``, ``depth``,
    ``heads``: of the encoder's transformer; ``decoder_width``, ``decoder_depth``, ``decoder_heads``: of the decoder's.
    ``symbols``: complex ones of a feature. ``importance_width``: channels of the importance network; ``task_channels``:
    of the task network's features that it sees, one number for each stack. The full size is that of MAE's ViT-B: width
    768, depth 12, 12 heads, decoder 512 x 8 with 16 heads, patches of 16.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: tuple[Annotated[int, Field(ge=16, le=1024)], Annotated[int, Field(ge=16, le=1024)]] = (96, 128)
    patch: Annotated[int, Field(ge=4, le=32)] = 8
    width: Annotated[int, Field(ge=8, le=1024, multiple_of=8)] = 128
    depth: Annotated[int, Field(ge=1, le=24)] = 4
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    decoder_width: Annotated[int, Field(ge=8, le=1024, multiple_of=8)] = 96
    decoder_depth: Annotated[int, Field(ge=1, le=24)] = 2
    decoder_heads: Annotated[int, Field(ge=1, le=64)] = 4
    symbols: Annotated[int, Field(ge=1, le=512)] = 24
    importance_width: Annotated[int, Field(ge=2, le=256)] = 32
    task_channels: Annotated[tuple[int, ...], Field(min_length=1)] = (24, 36, 72, 120)
    fading: Literal["awgn", "rayleigh_block", "rayleigh_fast"] = "rayleigh_block"
    equaliser: Equaliser = "mmse"

    @model_validator(mode="after")
    def _whole_patches(self) -> Self:
        if self.size[0] % self.patch or self.size[1] % self.patch:
            raise ValueError(f"size: got {list(self.size)}; allowed multiples of patch, {self.patch}")
        return self

    @model_validator(mode="after")
    def _whole_heads(self) -> Self:
        for end in ("", "decoder_"):
            width, heads = getattr(self, f"{end}width"), getattr(self, f"{end}heads")
            if width % heads:
                raise ValueError(f"{end}heads: got {heads}; allowed: what divides {end}width, {width}")
        return self

    @property
    def grid(self) -> tuple[int, int]:
        """Features of a picture, down and across."""
        return self.size[0] // self.patch, self.size[1] // self.patch

    @property
    def n_features(self) -> int:
        """L_tot."""
        return math.prod(self.grid)

    def channel(self) -> LearnedChannel:
        return LearnedChannel(channel_by_name(self.fading), self.equaliser)


class Importance(nn.Module):
    """The semantic-aware network: weights in [0, 1] of the features, from the task network's stacks."""

    def __init__(self, shape: SescShape) -> None:
        super().__init__()
        w = shape.importance_width
        self.grid = shape.grid
        self.lateral = nn.ModuleList(nn.Conv2d(n, w, 1) for n in shape.task_channels)
        self.mix = nn.Sequential(
            nn.ReLU(), nn.Conv2d(w, w, 3, 1, 1), nn.ReLU(), nn.Conv2d(w, w, 3, 1, 1), nn.ReLU(), nn.Conv2d(w, 1, 1)
        )

    def forward(self, stacks: list[Tensor]) -> Tensor:
        """Weights [B, L_tot], the least of each image 0, the largest 1."""
        x = torch.stack(
            [
                nn.functional.adaptive_avg_pool2d(lateral(stack), self.grid)
                for lateral, stack in zip(self.lateral, stacks, strict=True)
            ]
        ).sum(0)
        return scaled_to_1(self.mix(x).flatten(1))


class Sender(nn.Module):
    """Patches, transformer, and the layer that gives each feature's symbols."""

    def __init__(self, shape: SescShape) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, shape.width, shape.patch, shape.patch)
        self.blocks = transformer(shape.width, shape.depth, shape.heads)
        self.to_symbols = nn.Linear(shape.width, 2 * shape.symbols)
        self._grid, self._width = shape.grid, shape.width

    def forward(self, images: Tensor) -> Tensor:
        """[B, L_tot, symbols] complex, before power normalisation."""
        tokens = self.patches(images - 0.5).flatten(2).transpose(1, 2)
        tokens = tokens + positions(self._grid, self._width).to(tokens)
        return torch.complex(*self.to_symbols(self.blocks(tokens)).float().chunk(2, dim=-1))


class Input(nn.Module):
    """The layer at the channel, and the shared feature."""

    def __init__(self, shape: SescShape) -> None:
        super().__init__()
        self.from_symbols = nn.Linear(2 * shape.symbols, shape.decoder_width)
        self.shared = nn.Parameter(torch.zeros(shape.decoder_width))

    def forward(self, values: Tensor, sent: Tensor) -> Tensor:
        """Features [B, L_tot, D] of real and imaginary parts [B, L_tot, 2 symbols], of which those ``sent`` count."""
        features = self.from_symbols(values)
        known = sent[..., None].to(features.dtype)
        filled: Tensor = known * features + (1 - known) * self.shared
        return filled


class Receiver(nn.Module):
    """From received symbols to pixels; the shared feature stands where nothing was sent."""

    def __init__(self, shape: SescShape) -> None:
        super().__init__()
        self.shape = shape
        self.input = Input(shape)
        self.output = nn.Sequential(
            transformer(shape.decoder_width, shape.decoder_depth, shape.decoder_heads),
            nn.Linear(shape.decoder_width, 3 * shape.patch**2),
        )

    def forward(self, symbols: Tensor, sent: Tensor) -> Tensor:
        """Images [B, 3, H, W] in [0, 1] of symbols [B, L_tot, symbols], of which those ``sent`` [B, L_tot] count."""
        return self.of_values(torch.cat((symbols.real, symbols.imag), dim=-1), sent)

    def of_values(self, values: Tensor, sent: Tensor) -> Tensor:
        """The same of real and imaginary parts, [B, L_tot, 2 symbols]."""
        tokens = self.input(values, sent)
        pixels = self.output(tokens + positions(self.shape.grid, self.shape.decoder_width).to(tokens)).float()
        (rows, columns), patch = self.shape.grid, self.shape.patch
        tiles = pixels.view(-1, rows, columns, 3, patch, patch).permute(0, 3, 1, 4, 2, 5)
        images: Tensor = (tiles.reshape(-1, 3, rows * patch, columns * patch) + 0.5).clamp(0, 1)
        return images


class Sesc(nn.Module):
    """Sender, importance network and receiver."""

    def __init__(self, shape: SescShape) -> None:
        super().__init__()
        self.shape = shape
        self.sender, self.importance, self.receiver = Sender(shape), Importance(shape), Receiver(shape)

    def weights(self, images: Tensor, task: TaskNetwork) -> Tensor:
        """How much each feature matters to the task, [B, L_tot] in [0, 1]."""
        weights: Tensor = self.importance(task.features(images))
        return weights


def scaled_to_1(raw: Tensor) -> Tensor:
    """Figures [B, L_tot] moved and scaled image by image: the least becomes 0, the largest 1."""
    low, high = raw.amin(1, keepdim=True), raw.amax(1, keepdim=True)
    return (raw - low) / (high - low).clamp(min=1e-6)


def most_important(weights: Tensor, n: int) -> Tensor:
    """The n features of the largest weights, [B, L_tot] bool: what μ is raised to until the rate fits."""
    best = weights.topk(n, dim=1).indices
    return torch.zeros_like(weights, dtype=torch.bool).scatter(1, best, True)


def above(weights: Tensor, threshold: float) -> Tensor:
    """Features whose weight is at least μ, [B, L_tot] bool; the most important one always."""
    return (weights >= threshold) | most_important(weights, 1)


def transformer(width: int, depth: int, heads: int) -> nn.Sequential:
    """Blocks as in ViT: normalisation first, GELU, four times as wide inside; normalised at the end."""
    return nn.Sequential(*(Block(width, heads) for _ in range(depth)), nn.LayerNorm(width))


class Block(nn.Module):
    """x + attention(norm(x)), then + perceptron(norm(x)) (Dosovitskiy et al., 2021), in products that are counted."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self.before = nn.LayerNorm(width)
        self.to_qkv, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        qkv = self.to_qkv(self.before(x)).view(n, length, 3, self._heads, width // self._heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attention = (q @ k.transpose(-1, -2) * (width // self._heads) ** -0.5).softmax(-1)
        x = x + self.mix((attention @ v).transpose(1, 2).reshape(n, length, width))
        out: Tensor = x + self.perceptron(x)
        return out


@cache
def positions(grid: tuple[int, int], width: int) -> Tensor:
    """Sines and cosines of row and column, [rows · columns, width] (Vaswani et al., 2017, in two axes, as MAE has)."""
    rate = 10000.0 ** (-torch.arange(width // 4) / (width // 4))
    axes = [torch.arange(n)[:, None] * rate for n in grid]
    row, column = (torch.cat((a.sin(), a.cos()), dim=1) for a in axes)
    return torch.cat((row[:, None].expand(-1, grid[1], -1), column[None].expand(grid[0], -1, -1)), dim=-1).flatten(0, 1)


def pack_sesc(networks: Sesc) -> bytes:
    """The content of a ``weights.safetensors``, as float16."""
    halves = half_tensors(networks)
    return save(halves, metadata={"shape": networks.shape.model_dump_json()})


def load_sesc(weights: Path) -> Sesc:
    """The networks in float32, frozen and in evaluation mode.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    networks, _ = load_weights(
        weights, lambda header: Sesc(SescShape.model_validate_json(header["shape"])), "an SE-SC codec"
    )
    return networks
