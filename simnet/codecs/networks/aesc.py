"""AESC-I's semantic encoder and decoder (Dong et al., "Innovative semantic communication system", Tables I and II).

::

    grey28    28x28 -conv-> 13 -conv-> 6 -conv-> 2x2x16 -linear-> Z -linear-> 64 -> 2x2x16 -convT-> 6 -> 13 -> 28
    colour32  32x32 -conv-> 15 (3 convs) -conv-> 6 (3 convs) -> Zx6x6 -convT-> 15 (2 convs) -convT-> 32 (3 convs)

Strided convolutions are unpadded, the 3x3 ones of stride 1 are padded by 1; output paddings of 1, 0, 1 and of 1, 0
give the printed sizes. Table I's linear layers are read as 64 -> Z -> 64, and its first transposed convolution as
having 16 inputs: the printed numbers don't fit each other. So Z > 64 *expands* a bottleneck of 64 values.

With kernels of 3 the lowest five rows and rightmost five columns of a 28 x 28 image don't reach the decoder's output.
Digits have nothing there; clothes do. ``grey28_whole`` has kernels of 4, 3, 4, which give the same sizes without
padding and cover the image, for 1,904 more weights in the decoder.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from safetensors.torch import save
from torch import Tensor, nn

from simnet.core.errors import SimnetError
from simnet.tasks.networks.weights import load_weights

FULL_WIDTH = 32
"""Channels of Table II's first convolution; the other layers scale with it."""


class AescShape(BaseModel):
    """Which of the paper's two networks, and how large.

    ``z``: Z_dims, the rate knob: code values (grey28, grey28_whole) or code channels of 6 x 6 values (colour32).
    ``width``: channels of colour32's first convolution; 32 is the paper's, 8 trains on a CPU. grey28 has no width.
    ``code_activation``: ``relu`` is the paper's; it leaves dimensions dead. ``tanh`` bounds the code and leaves none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Literal["grey28", "grey28_whole", "colour32"]
    z: Annotated[int, Field(ge=1, le=1024)]
    width: Annotated[int, Field(ge=4, le=FULL_WIDTH, multiple_of=4)] = FULL_WIDTH
    code_activation: Literal["relu", "tanh"] = "relu"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the images."""
        return (3, 32, 32) if self.architecture == "colour32" else (1, 28, 28)

    @property
    def code_shape(self) -> tuple[int, int]:
        """(dimensions, values per dimension): all values of a dimension share range and entropy table."""
        return (self.z, 36) if self.architecture == "colour32" else (self.z, 1)

    @property
    def code_low(self) -> int:
        """The code's values lie in [code_low, 1]."""
        return 0 if self.code_activation == "relu" else -1

    def encoder(self) -> nn.Sequential:
        """Images [B, C, H, W] in [0, 1] -> codes [B, dimensions, values]; fresh weights."""
        if self.architecture == "colour32":
            layers = _colour_encoder(self.z, self.width)
        else:
            layers = _grey_encoder(self.z, self._grey_kernels)
        activation = nn.ReLU() if self.code_activation == "relu" else nn.Tanh()
        return nn.Sequential(*layers, activation, nn.Flatten(), nn.Unflatten(1, self.code_shape))

    def decoder(self) -> nn.Sequential:
        """Codes [B, dimensions, values] -> images [B, C, H, W] in (0, 1); fresh weights."""
        if self.architecture == "colour32":
            return nn.Sequential(nn.Unflatten(2, (6, 6)), *_colour_decoder(self.z, self.width))
        return nn.Sequential(nn.Flatten(), *_grey_decoder(self.z, self._grey_kernels))

    @property
    def _grey_kernels(self) -> tuple[int, int, int]:
        return (4, 3, 4) if self.architecture == "grey28_whole" else (3, 3, 3)


class Autoencoder(nn.Module):
    """Encoder and decoder side by side, for training.

    Args:
        shape: of the networks; fresh weights.
    """

    def __init__(self, shape: AescShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = shape.encoder()
        self.decoder = shape.decoder()
        self.apply(_he_initialise)

    @torch.no_grad()
    def start_as(self, smaller: Autoencoder) -> None:
        """Take over the weights of a network with fewer code dimensions: the same function, until training goes on.

        The new dimensions are coded (fresh weights), but the decoder doesn't listen to them yet.

        Raises:
            SimnetError: more than ``z`` differs, or it has more dimensions.
        """
        if smaller.shape.z > self.shape.z or smaller.shape != self.shape.model_copy(update={"z": smaller.shape.z}):
            raise SimnetError(
                f"autoencoder: {self.shape!r} cannot start from {smaller.shape!r}; only z may differ, and be smaller"
            )
        _first_decoding(self.decoder).weight.zero_()
        for own, taken in zip(self.parameters(), smaller.parameters(), strict=True):
            own[tuple(slice(n) for n in taken.shape)] = taken

    def prune_dead(self, largest: Tensor) -> Autoencoder:
        """The same function without the dimensions that are 0 for every image, as ReLU leaves them.

        Args:
            largest: [dimensions], greatest |value| of each seen.
        """
        alive = largest > 0
        if bool(alive.all()):
            return self
        smaller = Autoencoder(self.shape.model_copy(update={"z": int(alive.sum())}))
        last, first = _last_coding(self.encoder), _first_decoding(self.decoder)
        states = {k: v.clone() for k, v in self.state_dict().items()}
        names = {id(p): k for k, p in self.named_parameters()}
        for parameter, axis in ((last.weight, 0), (last.bias, 0), (first.weight, _code_axis(first))):
            name = names[id(parameter)]
            states[name] = states[name].index_select(axis, alive.nonzero().flatten())
        smaller.load_state_dict(states)
        return smaller

    @torch.no_grad()
    def fold_ranges(self, largest: Tensor) -> None:
        """Scale each code dimension to [code_low, 1], so that the decoder's first layer carries the ranges.

        Args:
            largest: [dimensions], > 0: the |value| that becomes 1. A tanh's codes are in range already.
        """
        if self.shape.code_activation == "relu":
            last, first = _last_coding(self.encoder), _first_decoding(self.decoder)
            last.weight /= largest.view(-1, *[1] * (last.weight.ndim - 1))
            assert last.bias is not None
            last.bias /= largest
            by_axis = [1] * first.weight.ndim
            by_axis[_code_axis(first)] = -1
            first.weight *= largest.view(by_axis)


def pack_autoencoder(autoencoder: Autoencoder, table: NDArray[np.uint8]) -> bytes:
    """The content of a ``weights.safetensors``: both networks, their shape, the entropy table [z, 16] of the codes."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in autoencoder.state_dict().items()}
    # One key only: safetensors writes several in random order, and equal weights shall give equal bytes.
    header = {"shape": autoencoder.shape.model_dump_json()}
    return save(tensors | {"table": torch.from_numpy(table)}, metadata=header)


def load_autoencoder(weights: Path) -> tuple[Autoencoder, NDArray[np.uint8]]:
    """Networks, frozen and in evaluation mode, and entropy table of a ``weights.safetensors``.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    autoencoder, (table,) = load_weights(
        weights, lambda header: Autoencoder(AescShape.model_validate_json(header["shape"])), "an AESC-I codec", "table"
    )
    return autoencoder, table.numpy()


def _he_initialise(layer: nn.Module) -> None:
    """Weights that keep the signal's size through ReLUs (He et al., 2015); torch's own let it fade, and training with
    it stays at the mean image for an epoch. A transposed convolution adds up only kernel² / stride² taps per pixel."""
    if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        fan_in = float(layer.weight[0].numel())
        if isinstance(layer, nn.ConvTranspose2d):
            fan_in = layer.in_channels * layer.kernel_size[0] ** 2 / layer.stride[0] ** 2
        nn.init.normal_(layer.weight, std=math.sqrt(2 / fan_in))
        assert layer.bias is not None
        nn.init.zeros_(layer.bias)


def _last_coding(encoder: nn.Sequential) -> nn.Linear | nn.Conv2d:
    return [m for m in encoder if isinstance(m, nn.Linear | nn.Conv2d)][-1]


def _first_decoding(decoder: nn.Sequential) -> nn.Linear | nn.ConvTranspose2d:
    return next(m for m in decoder if isinstance(m, nn.Linear | nn.ConvTranspose2d))


def _code_axis(first: nn.Module) -> int:
    """The axis of the decoder's first weight that runs over the code's dimensions."""
    return 1 if isinstance(first, nn.Linear) else 0


def _grey_encoder(z: int, kernels: tuple[int, int, int]) -> list[nn.Module]:
    return [
        nn.Conv2d(1, 16, kernels[0], stride=2), nn.ReLU(),
        nn.Conv2d(16, 16, kernels[1], stride=2), nn.ReLU(),
        nn.Conv2d(16, 16, kernels[2], stride=2), nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64, z),
    ]  # fmt: skip


def _grey_decoder(z: int, kernels: tuple[int, int, int]) -> list[nn.Module]:
    return [
        nn.Linear(z, 64), nn.ReLU(),
        nn.Unflatten(1, (16, 2, 2)),
        nn.ConvTranspose2d(16, 16, kernels[2], stride=2, output_padding=4 - kernels[2]), nn.ReLU(),
        nn.ConvTranspose2d(16, 16, kernels[1], stride=2), nn.ReLU(),
        nn.ConvTranspose2d(16, 1, kernels[0], stride=2, output_padding=4 - kernels[0]), nn.Sigmoid(),
    ]  # fmt: skip


def _colour_encoder(z: int, w: int) -> list[nn.Module]:
    return [
        nn.Conv2d(3, w, 4, stride=2), nn.ReLU(),
        nn.Conv2d(w, 2 * w, 3, padding=1), nn.ReLU(),
        nn.Conv2d(2 * w, 4 * w, 3, padding=1), nn.ReLU(),
        nn.Conv2d(4 * w, 8 * w, 3, padding=1), nn.ReLU(),
        nn.Conv2d(8 * w, 4 * w, 4, stride=2), nn.ReLU(),
        nn.Conv2d(4 * w, 2 * w, 3, padding=1), nn.ReLU(),
        nn.Conv2d(2 * w, w, 3, padding=1), nn.ReLU(),
        nn.Conv2d(w, z, 3, padding=1),
    ]  # fmt: skip


def _colour_decoder(z: int, w: int) -> list[nn.Module]:
    return [
        nn.ConvTranspose2d(z, 2 * w, 4, stride=2, output_padding=1), nn.ReLU(),
        nn.Conv2d(2 * w, 4 * w, 3, padding=1), nn.ReLU(),
        nn.Conv2d(4 * w, 4 * w, 3, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(4 * w, 4 * w, 4, stride=2), nn.ReLU(),
        nn.Conv2d(4 * w, 2 * w, 3, padding=1), nn.ReLU(),
        nn.Conv2d(2 * w, w, 3, padding=1), nn.ReLU(),
        nn.Conv2d(w, 3, 3, padding=1), nn.Sigmoid(),
    ]  # fmt: skip
