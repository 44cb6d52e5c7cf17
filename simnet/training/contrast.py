"""Contrastive losses between images as sent and as recovered (paper 003, sections IV-B and V-A)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Denominator = Literal["paper", "supcon"]


N_HIDDEN = 128
"""Of the projection; the paper does not say."""


class Projection(nn.Module):
    """P_ψ: two fully connected layers onto the unit hypersphere, [B, n_in] -> [B, n_out]."""

    def __init__(self, n_in: int, n_out: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_in, N_HIDDEN), nn.ReLU(), nn.Linear(N_HIDDEN, n_out))

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(self.layers(features).float(), dim=1)


def info_nce(sent: Tensor, recovered: Tensor, temperature: float) -> Tensor:
    """L_sem (8): every one of the 2 B samples is told from 2 B − 1 others, its own counterpart being the right one.

    Args:
        sent, recovered: q of the images and of what arrived of them, [B, D] of length 1.
        temperature: τ > 0.
    """
    both = torch.cat((sent, recovered))
    similarity = _similarity(both, temperature)
    n = len(sent)
    counterpart = torch.arange(2 * n, device=both.device).roll(n)
    return F.cross_entropy(similarity, counterpart)


def supervised_contrast(
    sent: Tensor, recovered: Tensor, labels: Tensor, temperature: float, denominator: Denominator = "paper"
) -> Tensor:
    """L_sem,R (13): every sample is drawn to all others of its class, S_x, x itself being none of them.

    Args:
        sent, recovered: q of the codes and of the re-encoded images, [B, D] of length 1.
        labels: classes [B].
        temperature: τ > 0.
        denominator: ``paper``: the sum runs over the samples of other classes, as (13) is printed, so that the loss can
            fall below 0; samples of a batch that holds one class only count 0. ``supcon``: over all but x (Khosla
            et al., 2020).
    """
    both, classes = torch.cat((sent, recovered)), labels.repeat(2)
    similarity = _similarity(both, temperature)
    same = classes[:, None] == classes
    positive = same & ~torch.eye(len(both), dtype=torch.bool, device=both.device)
    others = similarity.masked_fill(same, -torch.inf) if denominator == "paper" else similarity
    total = others.logsumexp(1)
    each = total - (similarity.masked_fill(~positive, 0.0)).sum(1) / positive.sum(1)
    return torch.where(total.isfinite(), each, torch.zeros_like(each)).mean()


def _similarity(q: Tensor, temperature: float) -> Tensor:
    """q_x · q_m / τ, [N, N]; −∞ of a sample with itself."""
    similarity = q @ q.T / temperature
    return similarity.masked_fill(torch.eye(len(q), dtype=torch.bool, device=q.device), -torch.inf)


@torch.no_grad()
def follow(follower: nn.Module, leader: nn.Module, momentum: float) -> None:
    """θʳ ← β θʳ + (1 − β) θ (14), in place; running means of batch normalisation follow in the same way."""
    for mine, its in zip(follower.state_dict().values(), leader.state_dict().values(), strict=True):
        if mine.is_floating_point():
            mine.lerp_(its, 1 - momentum)
