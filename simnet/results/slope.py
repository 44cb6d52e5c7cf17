"""Elasticity: by how many per cent one quantity changes when another changes by one per cent."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simnet.results.errors import ResultsError
from simnet.results.estimates import SEED, check_values, estimate, groups, keys_of, over_seeds, refuse_columns
from simnet.statistics.replications import student_t

ADDED = ("kind", "from", "to")
"""Columns of the answer, which no column of the frame may be called."""


def elasticity(frame: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """d ln y / d ln x between neighbouring values of x, and of a straight line through all of them.

    The slope is taken in each replication and then averaged with its 95 % Student-t interval, so that common random
    numbers cancel. Only replications that have y at every x take part.

    Args:
        frame: from :meth:`Results.values`: columns x, y, ``seed``; others (``arm``, further axes) make groups, but
            further metrics don't.
        x, y: columns, > 0.

    Returns:
        The group's columns, ``kind`` (``between`` neighbours, or ``fit``: least squares over all), ``from``, ``to``
        (the ends in x), then ``n``, ``mean``, ``low``, ``high``, ``half_width``, ``n_left_out``.

    Raises:
        ResultsError: no frame of values; a value ≤ 0 or a null x, which have no logarithm; fewer than two x; a group's
            column with the name of one that is added.
    """
    check_values("elasticity", frame, x, y)
    for column in (x, y):
        if not pd.api.types.is_numeric_dtype(frame[column]):
            raise ResultsError(f"elasticity: got {column} of words, {frame[column].iloc[0]!r}; allowed numbers > 0")
        wrong = frame[column].le(0) | (frame[column].isna() if column == x else False)
        if wrong.any():
            first = frame.loc[wrong, column].iloc[0]
            raise ResultsError(
                f"elasticity: got {column} = {'null' if pd.isna(first) else f'{first:g}'} in {int(wrong.sum())} rows; "
                "allowed > 0, for ln needs it: leave those points out with where={…}"
            )
    refuse_columns("elasticity", frame, ADDED)
    rows = []
    for key, part in groups(frame, keys_of(frame, x, y)):
        wide = over_seeds(part, x, y).sort_index(axis=1)
        at = wide.columns.to_numpy(float)
        if len(at) < 2:
            raise ResultsError(f"elasticity: got {len(at)} value of {x} in {key or 'all'}; allowed two or more")
        n_left_out = part[SEED].nunique() - len(wide)
        ln_x, ln_y = np.log(at), np.log(wide.to_numpy(float))
        for i, slopes in enumerate((np.diff(ln_y, axis=1) / np.diff(ln_x)).T):
            ends = {"kind": "between", "from": at[i], "to": at[i + 1]}
            rows.append({**key, **ends, **estimate(student_t(slopes)), "n_left_out": n_left_out})
        centred = ln_x - ln_x.mean()
        fit = student_t(ln_y @ centred / (centred @ centred))
        rows.append({**key, "kind": "fit", "from": at[0], "to": at[-1], **estimate(fit), "n_left_out": n_left_out})
    return pd.DataFrame(rows)
