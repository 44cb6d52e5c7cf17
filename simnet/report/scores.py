"""What a population's SS adds up over deliveries."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def scores(deliveries: pd.DataFrame, of: Literal["original", "recovered"]) -> NDArray[np.float64]:
    """[N]: 1 where the judge recognised the image, else 0; ST where its task knows no hits (0 if it has none)."""
    hits = deliveries[f"correct_{of}"].astype("Float64")
    return np.asarray(hits.fillna(deliveries[f"st_{of}"].astype("Float64")).fillna(0.0), np.float64)


def total(values: NDArray[np.float64]) -> int | float:
    """Their sum: a count where all are hits."""
    added = float(values.sum())
    return int(added) if added.is_integer() else round(added, 6)
