"""The agent of RL-ASC, which chooses each concept's quantisation level (paper 004, II-C), and its episodes.

The paper prints M outputs; a choice among Q levels needs Q. The price λ of a bit is an input here, so that one agent
serves all rates: the paper trains one for each.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from simnet.codecs.networks.rlasc import LEVELS, STRIDE, Rlasc, enlarged, one_hot
from simnet.tasks.networks.weights import load_weights

GRID = (3, 4)
"""Places that are left of a picture before the fully connected layers."""


class AgentShape(BaseModel):
    """``code_channels``, ``n_classes``: of the codec. ``width``: channels of the convolutions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code_channels: Annotated[int, Field(ge=1, le=256)] = 16
    n_classes: Annotated[int, Field(ge=2, le=64)] = 11
    width: Annotated[int, Field(ge=2, le=256)] = 32


class Agent(nn.Module):
    """Two convolutions with ReLU and max-pooling, three fully connected layers with dropout, Q logits.

    What the convolutions give is normalised, which the paper doesn't say: else the features' size alone drives the
    policy to one level before it has learnt to look at the price.
    """

    def __init__(self, shape: AgentShape) -> None:
        super().__init__()
        self.shape = shape
        w = shape.width
        self.look = nn.Sequential(
            nn.Conv2d(shape.code_channels + 4, w, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(w, w, 3, 1, 1), nn.ReLU(), nn.AdaptiveMaxPool2d(GRID), nn.Flatten(),
            nn.LayerNorm(w * math.prod(GRID)),
        )  # fmt: skip
        self.choose = nn.Sequential(
            nn.Linear(w * math.prod(GRID) + shape.n_classes + 1, 128), nn.ReLU(), nn.Dropout(0.1),
            nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, len(LEVELS)),
        )  # fmt: skip

    def forward(self, features: Tensor, mask: Tensor, recovered: Tensor, label: int, price: Tensor) -> Tensor:
        """Logits [B, Q] of the levels for one concept.

        Args:
            features: f [B, n, h, w]; the agent sees f^(m).
            mask: s^(m) [B, 1, h, w], 0 or 1.
            recovered: x̂^(m−1) [B, 3, 8h, 8w].
            label: m.
            price: λ per bit per pixel, [B], > 0.
        """
        seen = torch.cat((features * mask, mask, F.avg_pool2d(recovered, STRIDE)), dim=1)
        which = F.one_hot(torch.full_like(price, label, dtype=torch.int64), self.shape.n_classes)
        logits: Tensor = self.choose(torch.cat((self.look(seen), which.to(seen.dtype), price.log()[:, None]), dim=1))
        return logits


class Episode:
    """Concepts of pictures, coded one after another; all are at the coarsest level at first.

    Args:
        features: f [B, n, h, w].
        label_map: s_d [B, h, w].
    """

    @torch.no_grad()
    def __init__(self, networks: Rlasc, features: Tensor, label_map: Tensor) -> None:
        self._networks = networks
        self.features, self.label_map = features, label_map
        self.masks = one_hot(label_map, networks.shape.n_classes)[:, :, None].to(features.dtype)
        self.there = self.masks.flatten(2).any(2)
        """[B, M]: which concepts a picture has."""
        self.levels = torch.zeros(self.there.shape, dtype=torch.int64, device=features.device)
        self._quantised = networks.quantiser.at_level(features, 0)
        self._painted = {
            label: networks.decoder.painted(self._quantised[rows], self.masks[rows, label], label)
            for label in range(networks.shape.n_classes)
            if len(rows := self.rows_with(label))
        }
        b, _, h, w = features.shape
        self._made = features.new_zeros(b, 3, STRIDE * h, STRIDE * w)
        for label, painted in self._painted.items():
            rows = self.rows_with(label)
            self._made.index_add_(0, rows, painted * enlarged(self.masks[rows, label]))
        self.recovered = self._fused(torch.arange(len(features), device=features.device), self._quantised, self._made)
        """x̂ [B, 3, 8h, 8w] at the levels chosen so far."""

    def rows_with(self, label: int) -> Tensor:
        """Indices of the pictures that have a concept."""
        return self.there[:, label].nonzero()[:, 0]

    @torch.no_grad()
    def choose(self, label: int, levels: Tensor) -> None:
        """Code one concept of the pictures that have it at these levels [P], and decode anew."""
        rows = self.rows_with(label)
        self.levels[rows, label] = levels
        mask = self.masks[rows, label]
        quantised = self._quantised[rows]
        for level in torch.unique(levels).tolist():
            at = (levels == level).nonzero()[:, 0]
            quantised[at] = self._coded_at(level, rows[at], label)
        self._quantised[rows] = quantised
        painted = self._networks.decoder.painted(quantised, mask, label)
        self._made[rows] += (painted - self._painted[label]) * enlarged(mask)
        self._painted[label] = painted
        self.recovered[rows] = self._fused(rows, quantised, self._made[rows])

    @torch.no_grad()
    def alternatives(self, label: int) -> Tensor:
        """What each level of one concept would make, the others as they are: x̂ [P, Q, 3, 8h, 8w]."""
        rows = self.rows_with(label)
        mask = self.masks[rows, label]
        found = []
        for level in range(len(LEVELS)):
            quantised = self._coded_at(level, rows, label)
            painted = self._networks.decoder.painted(quantised, mask, label)
            made = self._made[rows] + (painted - self._painted[label]) * enlarged(mask)
            found.append(self._fused(rows, quantised, made))
        return torch.stack(found, dim=1)

    def _coded_at(self, level: int, rows: Tensor, label: int) -> Tensor:
        """f̂ of pictures, one concept of which is coded at a level."""
        mask = self.masks[rows, label]
        return self._networks.quantiser.at_level(self.features[rows], level) * mask + self._quantised[rows] * (1 - mask)

    def _fused(self, rows: Tensor, quantised: Tensor, made: Tensor) -> Tensor:
        return self._networks.decoder.fused(quantised, self.label_map[rows], made, torch.ones_like(made[:, :1]))


@torch.no_grad()
def act(agent: Agent, networks: Rlasc, features: Tensor, label_map: Tensor, price: float | Tensor) -> Tensor:
    """The likeliest levels [B, M], concept by concept; 0 for concepts that aren't there.

    Args:
        price: λ per bit per pixel, > 0; one for all pictures, or [B].
    """
    return played(agent, Episode(networks, features, label_map), price).levels


@torch.no_grad()
def played(agent: Agent, episode: Episode, price: float | Tensor) -> Episode:
    """An episode that has just begun, played to its end as :func:`act` does."""
    features = episode.features
    prices = torch.as_tensor(price, dtype=torch.float32, device=features.device).expand(len(features))
    for label in range(agent.shape.n_classes):
        rows = episode.rows_with(label)
        if len(rows):
            logits = agent(features[rows], episode.masks[rows, label], episode.recovered[rows], label, prices[rows])
            episode.choose(label, logits.argmax(1))
    return episode


def load_agent(weights: Path) -> Agent:
    """The agent in float32, frozen and in evaluation mode, of a ``weights.safetensors``.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    agent, _ = load_weights(
        weights, lambda header: Agent(AgentShape.model_validate_json(header["shape"])), "an agent of RL-ASC"
    )
    return agent
