"""The best value of an axis, and those that may be as good."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from simnet.results.errors import ResultsError
from simnet.results.estimates import SEED, check_values, estimate, groups, keys_of, over_seeds, refuse_columns
from simnet.statistics.replications import CONFIDENCE, paired, student_t

ADDED = ("worse_by", "worse_by_low", "worse_by_high", "best", "as_good")
"""Columns of the answer, which no column of the frame may be called."""


def optimum(
    frame: pd.DataFrame, x: str, y: str, sense: Literal["least", "most"] = "least", confidence: float = CONFIDENCE
) -> pd.DataFrame:
    """The x with the least (or most) mean y, and the set that can't be told from it.

    Every x is compared with the best one by a paired interval over common replications. The intervals are widened for
    the number of comparisons (Bonferroni), so that the set ``as_good`` holds the true optimum with at least this
    confidence, whichever x happened to look best.

    Args:
        frame: from :meth:`Results.values`: columns x, y, ``seed``; others (``arm``, further axes) make groups, but
            further metrics don't.
        x: column of the axis; null is a value too.
        y: column of what is to be least or most.
        sense: ``least`` or ``most``.
        confidence: of the whole set, in (0, 1).

    Returns:
        Per group and x: ``n``, ``mean``, ``low``, ``high``, ``half_width`` of y over the replications that have y at
        every x; ``worse_by``, ``worse_by_low``, ``worse_by_high``: paired, ≥ 0 on average, in the unit of y; ``best``;
        ``as_good``: not significantly worse. Without an interval (n < 2) nothing can be told apart, and all are.

    Raises:
        ResultsError: another sense; no frame of values; no replication that has y at every x; a column with the name of
            one that is added.
    """
    if sense not in ("least", "most"):
        raise ResultsError(f"optimum: got sense {sense!r}; allowed 'least' or 'most'")
    check_values("optimum", frame, x, y)
    refuse_columns("optimum", frame, ADDED)
    rows = []
    for key, part in groups(frame, keys_of(frame, x, y)):
        wide = over_seeds(part, x, y)
        if wide.empty:
            raise ResultsError(
                f"optimum: no replication has {y} at every {x} in {key or 'all'}; leave points out with where={{…}}"
            )
        sign = 1.0 if sense == "least" else -1.0
        table = wide.to_numpy(float)
        at = int((sign * table.mean(axis=0)).argmin())
        level = 1 - (1 - confidence) / max(1, wide.shape[1] - 1)
        for i, value in enumerate(wide.columns):
            worse = paired(sign * table[:, i], sign * table[:, at], level)
            compared = estimate(worse)
            rows.append(
                {
                    **key,
                    x: value,
                    **estimate(student_t(table[:, i])),
                    "n_left_out": part[SEED].nunique() - len(wide),
                    "worse_by": compared["mean"],
                    "worse_by_low": compared["low"],
                    "worse_by_high": compared["high"],
                    "best": i == at,
                    "as_good": i == at or not worse.excludes(0.0),
                }
            )
    return pd.DataFrame(rows)
