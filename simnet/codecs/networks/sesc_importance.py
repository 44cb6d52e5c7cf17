"""What says how much each feature of an SE-SC codec matters, as a model of its own: one per task (paper 002, Table I).

``network``: the CNN on the task network's intermediate features. ``entropy``: no task; a Gaussian model of the features
themselves, whose bits are the weight: what its neighbours don't foretell counts as important (the table's second row).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from simnet.codecs.networks.sesc import Importance, SescShape, scaled_to_1
from simnet.tasks.networks.task_network import TaskNetwork
from simnet.tasks.networks.weights import half_tensors, load_weights

By = Literal["network", "entropy"]
BEFORE = ((1.0, 1.0, 1.0), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0))
"""Neighbours that come before a feature, row by row from the top."""
LOG_DEVIATION = 7.0
"""Most by which a deviation differs from 1, as a natural logarithm."""


class EntropyModel(nn.Module):
    """Bits of features by Gaussians whose mean and deviation follow from the neighbours above and to the left.

    The context model of Minnen et al. (NeurIPS 2018): values of a feature are independent given those neighbours.
    """

    def __init__(self, shape: SescShape) -> None:
        super().__init__()
        n, w = 2 * shape.symbols, shape.importance_width
        self.grid = shape.grid
        self.context = nn.Conv2d(n, w, 3, 1, 1)
        self.mix = nn.Sequential(nn.ReLU(), nn.Conv2d(w, w, 1), nn.ReLU(), nn.Conv2d(w, 2 * n, 1))

    def bits(self, symbols: Tensor) -> Tensor:
        """-log2 of the density of features [B, L_tot, symbols] complex: [B, L_tot] float32.

        Bits of a resolution Δ are these less 2 symbols · log2 Δ, the same for all features.
        """
        values = torch.cat((symbols.real, symbols.imag), dim=-1).transpose(1, 2)
        values = values.reshape(len(symbols), -1, *self.grid)
        before = torch.tensor(BEFORE, device=values.device)
        seen = F.conv2d(values, self.context.weight * before, self.context.bias, padding=1)
        mean, log_deviation = self.mix(seen).float().chunk(2, dim=1)
        log_deviation = log_deviation.clamp(-LOG_DEVIATION, LOG_DEVIATION)
        nats = ((values - mean) / log_deviation.exp()).square() / 2 + log_deviation + math.log(2 * math.pi) / 2
        bits: Tensor = nats.sum(1).flatten(1) / math.log(2)
        return bits

    def forward(self, symbols: Tensor) -> Tensor:
        """Weights [B, L_tot], those of the fewest bits of each image 0, of the most 1."""
        return scaled_to_1(self.bits(symbols))


class ImportanceHead(BaseModel):
    """What an importance model is for.

    ``codec``: zoo name of the SE-SC model whose features it weighs. ``task``: zoo name of the network whose features
    it reads; None: it is an entropy model. ``networks``: of the codec, with the width and the task's channels of this
    model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    importance: By
    codec: Annotated[str, Field(min_length=1)]
    task: Annotated[str, Field(min_length=1)] | None
    networks: SescShape

    @model_validator(mode="after")
    def _task_of_a_network(self) -> Self:
        if (self.task is None) != (self.importance == "entropy"):
            raise ValueError(f"task: got {self.task} for importance {self.importance}; allowed with 'network' only")
        return self

    def build(self) -> Importance | EntropyModel:
        """The model with fresh weights."""
        return Importance(self.networks) if self.importance == "network" else EntropyModel(self.networks)


@dataclass(frozen=True)
class ImportanceModel:
    """An importance model and what it is for."""

    head: ImportanceHead
    network: Importance | EntropyModel


def weights_by(network: Importance | EntropyModel, images: Tensor, symbols: Tensor, task: TaskNetwork | None) -> Tensor:
    """How much each feature matters, [B, L_tot] in [0, 1], the least of each image 0, the largest 1.

    Args:
        images: [B, 3, H, W].
        symbols: the sender's of these, [B, L_tot, symbols] complex, before power normalisation.
        task: the network whose features an :class:`Importance` reads; None with an entropy model.
    """
    if isinstance(network, EntropyModel):
        weights: Tensor = network(symbols)
        return weights
    assert task is not None
    weights = network(task.features(images))
    return weights


def pack_importance(model: ImportanceModel) -> bytes:
    """The content of a ``weights.safetensors``, as float16."""
    halves = half_tensors(model.network)
    return save(halves, metadata={"head": model.head.model_dump_json()})


def load_importance(weights: Path) -> ImportanceModel:
    """The model in float32, frozen and in evaluation mode.

    Raises:
        SimnetError: missing, damaged, or not such a file.
    """
    heads: list[ImportanceHead] = []

    def build(header: Mapping[str, str]) -> Importance | EntropyModel:
        heads.append(ImportanceHead.model_validate_json(header["head"]))
        return heads[0].build()

    network, _ = load_weights(weights, build, "an importance model of SE-SC")
    return ImportanceModel(heads[0], network)
