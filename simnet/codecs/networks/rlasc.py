"""The networks of RL-ASC: a picture as semantic concepts, each coded as finely as its class deserves (paper 004).

::

    image -E-> f [n, H/8, W/8]    f^(m) = f · s_d^(m) (2)    nearest of the centres of the concept's level (24)
    f^(m) -> local generator, one for all concepts -> head of class m -> y^(m); their sum is x_l (29)
    f, s_d -> global generator with SPADE -> x_g (30)
    f -> attention -> W_l + W_g = 1;   x = W_l x_l + W_g x_g (31)

Where the paper is silent or its own formula would not do, this is what is built:

* The label map is sent at an eighth of the size (at full size it takes three times the bits of all features), and
  SPADE and masks see that one, enlarged.
* y^(m) counts inside its concept only: the masks, bilinearly enlarged, sum to 1 everywhere.
* The encoder's last layer has neither normalisation nor activation: with them no picture could say how bright it is.
  For the same reason ``normalisation: channel`` is offered, which keeps what ``instance`` (the paper's) takes away.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from simnet.codecs.entropy.label_map import MAX_CLASSES, table_shape
from simnet.codecs.networks.lsci import ChannelNorm
from simnet.tasks.networks.weights import half_tensors, load_weights, no_damage

WHAT = "an RL-ASC codec"
"""Names these weights files in errors."""
STRIDE = 8
"""Pixels per place of the features, along each axis."""
LEVELS = (2, 3, 5, 9, 17, 33)
"""Centres of each quantisation level, from coarse to fine; Q = 6."""
SHARPNESS = 2.0
"""σ of (25), times the distance of a level's centres at first."""


class RlascShape(BaseModel):
    """How large the networks are.

    ``width``: channels of the first convolution; 64 in the paper. ``code_channels``: n, the rate knob; 16, 32 or 64 in
    the paper. ``n_classes``: M, of the label map. ``normalisation``: see the module.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Annotated[int, Field(ge=4, le=128, multiple_of=2)] = 64
    code_channels: Annotated[int, Field(ge=1, le=256)] = 16
    n_classes: Annotated[int, Field(ge=2, le=MAX_CLASSES)] = 11
    normalisation: Literal["instance", "channel"] = "instance"

    def norm(self, n: int) -> nn.Module:
        return ChannelNorm() if self.normalisation == "channel" else nn.InstanceNorm2d(n)


class Encoder(nn.Sequential):
    """E: images [B, 3, H, W] in [0, 1] to features f [B, n, H/8, W/8]."""

    def __init__(self, shape: RlascShape) -> None:
        w = shape.width
        layers: list[nn.Module] = [nn.Conv2d(3, w, 7, 1, 3), shape.norm(w), nn.LeakyReLU(0.2)]
        for n_in, n_out in pairwise((w, 2 * w, 4 * w, 8 * w)):
            layers += [nn.Conv2d(n_in, n_out, 3, 2, 1), shape.norm(n_out), nn.LeakyReLU(0.2)]
        super().__init__(*layers, nn.Conv2d(8 * w, shape.code_channels, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        x = 2 * images - 1
        for layer in self:
            x = layer(x)
        return x


class Quantiser(nn.Module):
    """Each value to the nearest centre of its level (24): hard forward, soft backward (25)."""

    def __init__(self) -> None:
        super().__init__()
        self.centres = nn.ParameterList(torch.linspace(-2, 2, n) for n in LEVELS)

    def symbols(self, features: Tensor, level: int) -> Tensor:
        """Index of the nearest centre, int64, of the features' shape; the lower one in the middle."""
        nearest: Tensor = (features.unsqueeze(-1) - self.centres[level]).abs().argmin(-1)
        return nearest

    def forward(self, features: Tensor, levels: Tensor) -> Tensor:
        """f̂ [B, n, h, w] of f, each place at its level [B, h, w] (index into ``LEVELS``)."""
        quantised = torch.zeros_like(features)
        for level in torch.unique(levels).tolist():
            at = (levels == level)[:, None].expand_as(features)
            quantised = quantised.masked_scatter(at, self.at_level(features[at], level).to(features.dtype))
        return quantised

    def at_level(self, values: Tensor, level: int) -> Tensor:
        """Quantised values, of the same shape."""
        centres = self.centres[level]
        distance = (values.unsqueeze(-1) - centres).abs()
        sharpness = SHARPNESS * (len(centres) - 1) / 4
        soft = (torch.softmax(-sharpness * distance, dim=-1) * centres).sum(-1)
        hard = centres[distance.argmin(-1)]
        quantised: Tensor = hard.detach() + (soft - soft.detach())
        return quantised


class Local(nn.Module):
    """G_l up to the heads: one concept's features [P, n, h, w] to [P, w, 4h, 4w]."""

    def __init__(self, shape: RlascShape) -> None:
        super().__init__()
        w = shape.width
        self.layers = nn.Sequential(
            nn.Conv2d(shape.code_channels, 4 * w, 7, 1, 3), shape.norm(4 * w), nn.ReLU(),
            *(_Block(shape, 4 * w) for _ in range(5)),
            *_up(shape, 4 * w, 2 * w), *_up(shape, 2 * w, w),
        )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        made: Tensor = self.layers(features)
        return made


class Global(nn.Module):
    """G_g: f̂ [B, n, h, w] and the label map [B, h, w] to x_g [B, 3, 8h, 8w] in (0, 1)."""

    def __init__(self, shape: RlascShape) -> None:
        super().__init__()
        w = shape.width
        self.n_classes = shape.n_classes
        self.embedded = nn.Sequential(nn.Conv2d(shape.n_classes, w, 3, 1, 1), nn.ReLU())
        self.start = nn.Conv2d(shape.code_channels, 4 * w, 3, 1, 1)
        self.blocks = nn.ModuleList(_SpadeBlock(shape, 4 * w) for _ in range(3))
        self.up = nn.Sequential(
            *_up(shape, 4 * w, 2 * w), *_up(shape, 2 * w, w), *_up(shape, w, w // 2), nn.Conv2d(w // 2, 3, 3, 1, 1)
        )

    def forward(self, features: Tensor, label_map: Tensor) -> Tensor:
        there = self.embedded(one_hot(label_map, self.n_classes).to(features.dtype))
        x = self.start(features)
        for block in self.blocks:
            x = block(x, there)
        return torch.sigmoid(self.up(x))


class Attention(nn.Sequential):
    """f̂ [B, n, h, w] to W_l [B, 1, 8h, 8w] in (0, 1); W_g is the rest to 1."""

    def __init__(self, shape: RlascShape) -> None:
        w = shape.width
        widths = (shape.code_channels, 8 * w, 4 * w, 2 * w)
        ups = (layer for n_in, n_out in pairwise(widths) for layer in _up(shape, n_in, n_out))
        super().__init__(*ups, nn.Conv2d(2 * w, 2, 3, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        x = features
        for layer in self:
            x = layer(x)
        return x.softmax(dim=1)[:, :1]


class Decoder(nn.Module):
    """G_l with a head per class, G_g, attention."""

    def __init__(self, shape: RlascShape) -> None:
        super().__init__()
        w = shape.width
        self.local = Local(shape)
        self.heads = nn.ModuleList(_transposed(w, 3) for _ in range(shape.n_classes))
        self.whole = Global(shape)
        self.attention = Attention(shape)

    def forward(
        self, quantised: Tensor, label_map: Tensor, heads: Sequence[int] | None = None, whole_map: Tensor | None = None
    ) -> Tensor:
        """x̂ [B, 3, 8h, 8w] in (0, 1) of f̂ [B, n, h, w] and the label map [B, h, w].

        Args:
            heads: classes whose heads are there; where another one lies, only G_g paints. None: all are there.
            whole_map: the label map [B, 8h, 8w] where it is known: concepts count just there.
        """
        b, _, h, w = quantised.shape
        there = one_hot(label_map, len(self.heads))
        made = quantised.new_zeros(b, 3, STRIDE * h, STRIDE * w)
        share = quantised.new_zeros(b, 1, STRIDE * h, STRIDE * w)
        for label in range(len(self.heads)) if heads is None else heads:
            images = there[:, label].flatten(1).any(1).nonzero()[:, 0]
            if len(images):
                mask = there[images, label, None].to(quantised.dtype)
                painted = self.painted(quantised[images], mask, label)
                grown = enlarged(mask) if whole_map is None else (whole_map[images] == label)[:, None].to(mask.dtype)
                made = made.index_add(0, images, (painted * grown).to(made.dtype))
                share = share.index_add(0, images, grown.to(share.dtype))
        return self.fused(quantised, label_map, made, share)

    def painted(self, quantised: Tensor, mask: Tensor, label: int) -> Tensor:
        """y^(m) [P, 3, 8h, 8w] in (0, 1) of one concept, which lies at ``mask`` [P, 1, h, w] (28)."""
        return torch.sigmoid(self.heads[label](self.local(quantised * mask)))

    def fused(self, quantised: Tensor, label_map: Tensor, made: Tensor, share: Tensor) -> Tensor:
        """x̂ (31) of x_l, the sum of painted concepts by their shares, and those shares [B, 1, 8h, 8w]."""
        near = self.attention(quantised) * share
        x: Tensor = near * (made / share.clamp(min=1e-6)) + (1 - near) * self.whole(quantised, label_map)
        return x


class Rlasc(nn.Module):
    """Encoder, quantiser, decoder, and the layer of the classification loss (3), which only training needs."""

    def __init__(self, shape: RlascShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder, self.quantiser, self.decoder = Encoder(shape), Quantiser(), Decoder(shape)
        self.classify = nn.Linear(shape.code_channels, shape.n_classes)

    def forward(self, images: Tensor, label_map: Tensor, levels: Tensor) -> Tensor:
        """x̂ of images [B, 3, H, W], each class at its level [B, M]."""
        return self.made_of(self.encoder(images), label_map, levels)

    def made_of(self, features: Tensor, label_map: Tensor, levels: Tensor) -> Tensor:
        """x̂ of features f [B, n, h, w]."""
        made: Tensor = self.decoder(self.quantiser(features, placed(levels, label_map)), label_map)
        return made


def placed(levels: Tensor, label_map: Tensor) -> Tensor:
    """Each place's level [B, h, w], of each class's [B, M]."""
    return levels.gather(1, label_map.flatten(1)).view_as(label_map)


def shrunk(labels: Tensor, n_classes: int) -> Tensor:
    """s_d [B, H/8, W/8] of a label map [B, H, W] without unlabelled pixels: the class that most pixels have."""
    shares = F.avg_pool2d(one_hot(labels, n_classes).float(), STRIDE)
    return shares.argmax(1)


def enlarged(mask: Tensor) -> Tensor:
    """Masks [P, 1, h, w] at the size of images; those of all concepts sum to 1 everywhere."""
    return F.interpolate(mask, scale_factor=STRIDE, mode="bilinear", align_corners=False)


def one_hot(labels: Tensor, n_classes: int) -> Tensor:
    """[B, M, h, w] bool of a label map [B, h, w]."""
    return labels[:, None] == torch.arange(n_classes, device=labels.device).view(1, -1, 1, 1)


class _Block(nn.Module):
    """x + norm(conv(relu(norm(conv(x)))))."""

    def __init__(self, shape: RlascShape, n: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(n, n, 3, 1, 1), shape.norm(n), nn.ReLU(), nn.Conv2d(n, n, 3, 1, 1), shape.norm(n)
        )

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = x + self.layers(x)
        return added


class _Spade(nn.Module):
    """Spatially adaptive normalisation (Park et al., CVPR 2019): norm(x) · (1 + γ(s)) + β(s)."""

    def __init__(self, shape: RlascShape, n: int) -> None:
        super().__init__()
        self.norm = shape.norm(n)
        self.gamma = nn.Conv2d(shape.width, n, 3, 1, 1)
        self.beta = nn.Conv2d(shape.width, n, 3, 1, 1)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        modulated: Tensor = self.norm(x) * (1 + self.gamma(there)) + self.beta(there)
        return modulated


class _SpadeBlock(nn.Module):
    """x + conv(relu(spade(conv(relu(spade(x))))))."""

    def __init__(self, shape: RlascShape, n: int) -> None:
        super().__init__()
        self.first, self.second = _Spade(shape, n), _Spade(shape, n)
        self.convolutions = nn.ModuleList(nn.Conv2d(n, n, 3, 1, 1) for _ in range(2))

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        y = self.convolutions[0](F.relu(self.first(x, there)))
        added: Tensor = x + self.convolutions[1](F.relu(self.second(y, there)))
        return added


def _up(shape: RlascShape, n_in: int, n_out: int) -> tuple[nn.Module, ...]:
    return _transposed(n_in, n_out), shape.norm(n_out), nn.ReLU()


def _transposed(n_in: int, n_out: int) -> nn.ConvTranspose2d:
    """Doubles height and width."""
    return nn.ConvTranspose2d(n_in, n_out, 3, 2, 1, output_padding=1)


def pack_rlasc(networks: Rlasc, tables: Tensor, map_table: Tensor) -> bytes:
    """The content of a ``weights.safetensors``: the networks as float16, and the tables of their codes.

    Args:
        tables: [M, 69] uint8, lengths of the Huffman codes of each class, levels from coarse to fine.
        map_table: [(M + 1)², 16] uint8 (of more columns where M > 16), of the label map's coder.
    """
    halves = half_tensors(networks)
    return save(
        halves | {"tables": tables, "map_table": map_table}, metadata={"shape": networks.shape.model_dump_json()}
    )


def load_rlasc(weights: Path) -> tuple[Rlasc, Tensor, Tensor]:
    """The networks in float32, frozen and in evaluation mode, and both tables of :func:`pack_rlasc`.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    networks, (tables, map_table) = load_weights(
        weights, lambda header: Rlasc(RlascShape.model_validate_json(header["shape"])), WHAT, "tables", "map_table"
    )
    n = networks.shape.n_classes
    with no_damage(weights, WHAT):
        for name, table, wanted in (("tables", tables, (n, sum(LEVELS))), ("map_table", map_table, table_shape(n))):
            if table.shape != wanted or table.dtype != torch.uint8:
                got = f"{list(table.shape)} {table.dtype}"
                raise ValueError(f"{name}: got {got}; allowed {list(wanted)} {torch.uint8}")
    return networks, tables, map_table
