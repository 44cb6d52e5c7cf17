"""Prices λ of a bit per pixel that RL-ASC's agent is asked at."""

from __future__ import annotations

import math
from typing import Annotated, TypeAlias

import numpy as np
import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from simnet.training.recipe import lowest_first

Price: TypeAlias = Annotated[float, Field(gt=0)]
Prices: TypeAlias = Annotated[tuple[Price, Price], AfterValidator(lowest_first)]
"""Lowest and highest."""


def drawn_prices(between: Prices, size: int | tuple[int, int], rng: np.random.Generator) -> Tensor:
    """Prices, float32, evenly in their logarithm."""
    return torch.from_numpy(np.exp(rng.uniform(math.log(between[0]), math.log(between[1]), size)).astype(np.float32))
