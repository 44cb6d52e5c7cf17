"""Images sent over the channel that networks of paper 003 are for, and what is left of them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simnet.codecs.networks.jscc import Jscc, n_symbols
from simnet.codecs.quality import mean_squared_errors, psnr_db
from simnet.core import streams
from simnet.core.units import db_to_linear
from simnet.tasks.networks.base import Classifier

BATCH = 500


@torch.no_grad()
def transmitted(networks: Jscc, images: NDArray[np.uint8], head: int, esno_db: float, seed: int) -> Tensor:
    """What arrives of images at one mean Es/N0; one draw of the channel for each.

    Args:
        images: [N, 3, H, W].

    Returns:
        [N, 3, H, W] float32 in [0, 1].
    """
    device, channel = next(networks.parameters()).device, networks.shape.channel()
    generator = torch.Generator(device)
    generator.manual_seed(int(streams.generator(seed, "evaluation", head, str(esno_db)).integers(2**62)))
    made = []
    for start in range(0, len(images), BATCH):
        batch = torch.tensor(images[start : start + BATCH], device=device).float() / 255
        draws = channel.draw(len(batch), n_symbols((batch.shape[2], batch.shape[3]), head), generator)
        esno = torch.full((len(batch),), db_to_linear(esno_db), device=device)
        made.append(networks(batch, head, channel, esno, draws).cpu())
    return torch.cat(made)


def psnr_of(images: NDArray[np.uint8], made: Tensor) -> Tensor:
    """PSNR of each image, in dB, [N]."""
    return psnr_db(mean_squared_errors(torch.tensor(images).float() / 255, made))


@torch.no_grad()
def truth(judge: Classifier, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Of each image: whether the judge recognises it, and the probability that it gives the truth; [N] float64."""
    device = next(judge.parameters()).device
    inferred = torch.cat([judge(x.to(device)).softmax(1).cpu() for x in torch.split(images, BATCH)])
    return (inferred.argmax(1) == labels).double(), inferred[torch.arange(len(labels)), labels].double()
