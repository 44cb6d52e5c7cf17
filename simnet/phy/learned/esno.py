"""The Es/N0 that a learned coder is trained at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from simnet.core.errors import SimnetError, UnknownName

Per = Literal["image", "batch"]


@dataclass(frozen=True)
class EsnoRange:
    """Uniform in dB.

    Attributes:
        low_db: lowest Es/N0.
        high_db: highest; equal to the lowest for a fixed one.
        per: a draw for each ``image``, or one for the ``batch``.

    Raises:
        UnknownName: ``per`` is neither.
        SimnetError: the highest lies below the lowest.
    """

    low_db: float
    high_db: float
    per: Per = "image"

    def __post_init__(self) -> None:
        if self.per not in get_args(Per):
            raise UnknownName("Es/N0 drawn per", self.per, get_args(Per))
        if not self.low_db <= self.high_db:
            raise SimnetError(f"Es/N0 range: got {self.low_db} to {self.high_db} dB; allowed lowest first")

    def sample(self, n_images: int, generator: torch.Generator) -> Tensor:
        """Es/N0, linear, [n_images] float32 on the generator's device."""
        n_draws = n_images if self.per == "image" else 1
        uniform = torch.rand(n_draws, generator=generator, device=generator.device)
        esno_db = self.low_db + (self.high_db - self.low_db) * uniform
        return (10.0 ** (esno_db / 10.0)).expand(n_images)
