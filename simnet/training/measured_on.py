"""The data sets that a card is measured on, which are looked for before the training."""

from __future__ import annotations

from collections.abc import Sequence

from simnet.core.plugins import KINDS
from simnet.data.base import Dataset, ImageSet, Split
from simnet.training.run import TrainingRun


def first_of(names: Sequence[str], run: TrainingRun) -> ImageSet:
    """Test images of the first set; the others are read too, for what is missing is else said after the training.

    Raises:
        SimnetError: no data set of one of these names, or its files are missing.
    """
    sets: list[ImageSet] = [KINDS["data"].load(name)().load("test", run.data_root) for name in names]
    return sets[0]


def splits(data: Dataset) -> list[Split]:
    """``test``, and ``sample`` where images of the set are shipped."""
    shown: tuple[Split, ...] = ("test", "sample")
    return [split for split in shown if split in data.splits]
