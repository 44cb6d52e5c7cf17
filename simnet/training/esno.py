"""The Es/N0 of a recipe that trains over a channel."""

from __future__ import annotations

from simnet.training.recipe import Strict


class Esno(Strict):
    """Mean Es/N0 in training, dB, uniform between the two; alike in both directions, where symbols go back."""

    low_db: float
    high_db: float
