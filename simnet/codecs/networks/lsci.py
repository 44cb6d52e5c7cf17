"""The base model of LSCI (Dong et al., "Semantic communication system based on semantic slice-models propagation").

::

    image -E-> w [C, H/32, W/32] -nearest centre-> w^q -G-> image
    G:  stem | residual 1, 2, 3 | up 1, 2, 3, 4 | head      (Table I; each is a slice-model)

Table I prints six transposed convolutions of stride 2 against five strided convolutions; the first has stride 1 here.
Its nine residual blocks are three stages of three. A generator may leave out the last stages: training drops them at
random, so that a shallower generator serves before the rest has arrived.

Neither activations nor normalisation are printed. Here: ReLU, and every feature map but the last is normalised over
its channels place by place, without parameters, so that results depend neither on the batch nor on the picture's size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from simnet.codecs.networks.parts import transposed_axes
from simnet.core.errors import SimnetError
from simnet.tasks.networks.weights import half_tensors, inference_tensors, load_weights
from simnet.wire.slices import Precision, make_slice, read_slice

FULL_WIDTH = 64
STRIDE = 32
"""Pixels per code position, along each axis."""
N_STAGES = 3
BLOCKS_PER_STAGE = 3
AS_SLICE = ":slice"
"""Ends the names of parts that a weights file holds as slices."""
GENERATOR_PARTS = ("stem", *(f"residual{i + 1}" for i in range(N_STAGES)), *(f"up{i + 1}" for i in range(4)), "head")


class LsciShape(BaseModel):
    """How large a base model is, and how fine its code.

    ``width``: channels of the first convolution; 64 is the paper's, 8 trains on a CPU. ``code_channels``: C, the rate
    knob; 4 in the paper. ``n_centres``: levels of each code value; unstated; 5 here, learned, from −2 … 2 on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Annotated[int, Field(ge=2, le=FULL_WIDTH)] = FULL_WIDTH
    code_channels: Annotated[int, Field(ge=1, le=256)] = 4
    n_centres: Annotated[int, Field(ge=2, le=16)] = 5


class Encoder(nn.Sequential):
    """E: images [B, 3, H, W] in [0, 1], H and W multiples of 32, to features w [B, C, H/32, W/32]."""

    def __init__(self, shape: LsciShape) -> None:
        w = shape.width
        layers: list[nn.Module] = []
        n_in = 3
        for n_out, stride in ((w, 1), (2 * w, 2), (4 * w, 2), (8 * w, 2), (16 * w, 2), (16 * w, 2)):
            layers += [nn.Conv2d(n_in, n_out, 3, stride, 1), ChannelNorm(), nn.ReLU()]
            n_in = n_out
        super().__init__(*layers, nn.Conv2d(n_in, shape.code_channels, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        x = 2 * images - 1
        for layer in self:
            x = layer(x)
        return x


class Quantiser(nn.Module):
    """Each feature to the nearest of the learned centres (3, 4): hard forward, soft backward.

    Args:
        n_centres: start evenly from −2 to 2.
        sharpness: of the softmax whose mean takes the hard choice's place in the gradient.
    """

    def __init__(self, n_centres: int, sharpness: float = 1.0) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.linspace(-2, 2, n_centres))
        self.sharpness = sharpness

    def symbols(self, features: Tensor) -> Tensor:
        """Index of the nearest centre, int64, of the features' shape; the lower one in the middle."""
        return (features.unsqueeze(-1) - self.centres).abs().argmin(-1)

    def forward(self, features: Tensor) -> Tensor:
        """w^q of w."""
        squares = (features.unsqueeze(-1) - self.centres).square()
        soft = (torch.softmax(-self.sharpness * squares, dim=-1) * self.centres).sum(-1)
        hard = self.centres[squares.argmin(-1)]
        return hard.detach() + (soft - soft.detach())


class Generator(nn.Module):
    """G: w^q [B, C, h, w] to images [B, 3, 32h, 32w] in (0, 1)."""

    def __init__(self, shape: LsciShape) -> None:
        super().__init__()
        w = shape.width
        self.stem = _up(shape.code_channels, 16 * w, stride=1)
        for stage in range(N_STAGES):
            self.add_module(f"residual{stage + 1}", nn.Sequential(*(_Block(16 * w) for _ in range(BLOCKS_PER_STAGE))))
        for i, (n_in, n_out) in enumerate(((16 * w, 8 * w), (8 * w, 4 * w), (4 * w, 2 * w), (2 * w, w))):
            self.add_module(f"up{i + 1}", _up(n_in, n_out, stride=2))
        self.head = nn.Sequential(nn.ConvTranspose2d(w, 3, 3, 2, 1, output_padding=1))

    def forward(self, quantised: Tensor, n_stages: int = N_STAGES) -> Tensor:
        """``n_stages``: how many residual stages are used, from the first on."""
        x = quantised
        for part in generator_parts(n_stages):
            x = self.get_submodule(part)(x)
        return torch.sigmoid(x)


def generator_parts(n_stages: int = N_STAGES) -> tuple[str, ...]:
    """Names of the parts of a generator with so many residual stages, in order.

    Raises:
        SimnetError: there are not so many stages.
    """
    if not 0 <= n_stages <= N_STAGES:
        raise SimnetError(f"LSCI generator: got {n_stages} residual stages; allowed 0..{N_STAGES}")
    left_out = {f"residual{i + 1}" for i in range(n_stages, N_STAGES)}
    return tuple(part for part in GENERATOR_PARTS if part not in left_out)


class LsciBase(nn.Module):
    """Encoder, quantiser and generator side by side, for training."""

    def __init__(self, shape: LsciShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = Encoder(shape)
        self.quantiser = Quantiser(shape.n_centres)
        self.generator = Generator(shape)

    def forward(self, images: Tensor, n_stages: int = N_STAGES) -> Tensor:
        """x' of images of any size; they are padded to multiples of 32 by repeating the border, and cut again."""
        padded = pad_to_stride(images)
        made: Tensor = self.generator(self.quantiser(self.encoder(padded)), n_stages)
        return made[..., : images.shape[-2], : images.shape[-1]]


class ChannelNorm(nn.Module):
    """Mean 0 and mean square 1 over the channels of each place; no parameters."""

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(dim=1, keepdim=True)
        normed: Tensor = centred * torch.rsqrt(centred.square().mean(dim=1, keepdim=True) + 1e-5)
        return normed


class _Block(nn.Module):
    """x + conv(relu(norm(conv(relu(norm(x))))))."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.first = nn.Sequential(ChannelNorm(), nn.ReLU(), nn.Conv2d(n, n, 3, 1, 1))
        self.second = nn.Sequential(ChannelNorm(), nn.ReLU(), nn.Conv2d(n, n, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = x + self.second(self.first(x))
        return added


def _up(n_in: int, n_out: int, *, stride: int) -> nn.Sequential:
    convolution = nn.ConvTranspose2d(n_in, n_out, 3, stride, 1, output_padding=stride - 1)
    return nn.Sequential(convolution, ChannelNorm(), nn.ReLU())


def pad_to_stride(images: Tensor) -> Tensor:
    """Images with height and width filled up to multiples of 32, at the bottom and right, by repeating the border."""
    height, width = images.shape[-2:]
    return F.pad(images, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")


def code_size(image_shape: Sequence[int]) -> tuple[int, int]:
    """(h, w) of the code of images (C, H, W)."""
    _, height, width = image_shape
    return -(-height // STRIDE), -(-width // STRIDE)


def pack_base(model: LsciBase, counts: Tensor, *, precision: Precision | None = None, sparsity: float = 0.0) -> bytes:
    """The content of a ``weights.safetensors``: the networks as float16, their shape, how often each code symbol is.

    Args:
        counts: [C, n_centres] int64, of the training pictures.
        precision, sparsity: of the slices that the generator was trained for, if it was for some. Its parts then lie in
            the file as they travel, in fewer bytes; what is rounded and pruned already loses its peaks' last bits only.
    """
    tensors = half_tensors(model)
    if precision is not None:
        tensors = {k: v for k, v in tensors.items() if not k.startswith("generator.")}
        for part in GENERATOR_PARTS:
            network = model.generator.get_submodule(part)
            made = make_slice(
                part, "decoder", inference_tensors(network), precision=precision, sparsity=sparsity,
                channel_axis=transposed_axes(network),
            )  # fmt: skip
            tensors[f"generator.{part}{AS_SLICE}"] = torch.frombuffer(bytearray(made.payload), dtype=torch.uint8)
    # One key only: safetensors writes several in random order, and equal weights shall give equal bytes.
    return save(tensors | {"counts": counts}, metadata={"shape": model.shape.model_dump_json()})


def load_base(weights: Path) -> tuple[LsciBase, Tensor]:
    """The networks in float32, frozen and in evaluation mode, and the symbol counts of a ``weights.safetensors``.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    model, (counts,) = load_weights(
        weights, lambda header: LsciBase(LsciShape.model_validate_json(header["shape"])), "an LSCI base model",
        "counts", unpack=_without_slices,
    )  # fmt: skip
    return model, counts


def _without_slices(header: Mapping[str, str], tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a weights file, those that lie in slices among them."""
    plain = {k: v for k, v in tensors.items() if not k.endswith(AS_SLICE)}
    for key in tensors.keys() - plain.keys():
        held = read_slice(tensors[key].numpy().tobytes()).tensors
        plain |= {f"{key.removesuffix(AS_SLICE)}.{k}": torch.from_numpy(v.copy()) for k, v in held.items()}
    return plain
