"""What every check is given: a seed, how long to run, and how sure to be."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from simnet.statistics.batch_means import batch_means
from simnet.statistics.interval import Interval
from simnet.statistics.replications import student_t

N_BATCH = 40


@dataclass(frozen=True)
class Bench:
    """The conditions of a check.

    Args:
        seed: every draw is a function of it and of names.
        long: minutes instead of seconds, so that smaller faults show.
        confidence: of each interval, in (0, 1), corrected for the number of comparisons.
    """

    seed: int
    long: bool
    confidence: float

    def n(self, short: int, long: int) -> int:
        """How many observations to make."""
        return long if self.long else short

    def mean_of_series(self, series: ArrayLike) -> Interval:
        """Mean of one stationary run, warm-up cut off, whose observations depend on each other: by batch means.

        The batches are :data:`N_BATCH`, fixed beforehand: at so high a confidence Student's t grows fast where batches
        are few. Checks give series so long that a batch is ten times or more what theory says their memory is.
        """
        return batch_means(series, N_BATCH, self.confidence)

    def mean_of_independent(self, values: ArrayLike) -> Interval:
        """Mean of independent observations: Student's t."""
        return student_t(values, self.confidence)
