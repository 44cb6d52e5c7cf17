"""Multi-scale critics of patches: a Wasserstein GAN with gradient penalty (paper 000, III-A), or hinge (paper 004)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

GRADIENT_PENALTY = 10.0
"""Gulrajani et al., 2017."""


class PatchCritic(nn.Sequential):
    """D at one scale (Table I): images [B, 3, H, W] to a score per patch.

    No batch normalisation: the penalty is per image.

    Args:
        width: channels of the first convolution; 64 is the paper's.
        n_in: channels of the images, and of what lies beside them.
    """

    def __init__(self, width: int, n_in: int = 3) -> None:
        layers: list[nn.Module] = []
        for n_out in (width, 2 * width, 4 * width, 8 * width):
            layers += [nn.Conv2d(n_in, n_out, 3, 2, 1), nn.LeakyReLU(0.2)]
            n_in = n_out
        super().__init__(*layers, nn.Conv2d(n_in, 1, 1))


class MultiScaleCritic(nn.Module):
    """Three critics, which see the images at whole, half and quarter size."""

    def __init__(self, width: int, n_scales: int = 3, n_in: int = 3) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchCritic(width, n_in) for _ in range(n_scales))

    def forward(self, images: Tensor) -> Tensor:
        """Mean score of each image over patches and scales, [B]. Means in (12, 13), whose sums would swamp λ·d."""
        return torch.stack([scores.flatten(1).mean(1) for scores in self.by_patch(images)]).mean(0)

    def by_patch(self, images: Tensor) -> list[Tensor]:
        """Scores [B, 1, h, w] of patches, at each scale."""
        scores = []
        for critic in self.scales:
            scores.append(critic(images))
            images = F.avg_pool2d(images, 2)
        return scores


def generator_loss(critic: MultiScaleCritic, made: Tensor) -> Tensor:
    """−E[D(x')] (14); the critic's weights get no gradient."""
    frozen = {name: parameter.detach() for name, parameter in critic.named_parameters()}
    scores: Tensor = functional_call(critic, frozen, (made,))
    return -scores.mean()


def critic_loss(critic: MultiScaleCritic, real: Tensor, made: Tensor, rng: np.random.Generator) -> Tensor:
    """E[D(x')] − E[D(x)] (11–13) and the gradient penalty on points between both; what made x' gets no gradient."""
    made = made.detach()
    shares = torch.from_numpy(rng.random((len(real), 1, 1, 1), dtype=np.float32)).to(real.device)
    between = (shares * real + (1 - shares) * made).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
    loss: Tensor = critic(made).mean() - critic(real).mean() + GRADIENT_PENALTY * penalty
    return loss


def hinge_loss(critic: MultiScaleCritic, real: Tensor, made: Tensor) -> Tensor:
    """L_D of (32), patch by patch, mean over patches and scales; what made x̂ gets no gradient."""
    losses = [F.relu(1 - scores).mean() for scores in critic.by_patch(real)]
    losses += [F.relu(1 + scores).mean() for scores in critic.by_patch(made.detach())]
    return 2 * torch.stack(losses).mean()
