"""Python's collector of cyclic garbage, made to run less often."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = 100_000, 20, 1000
"""Of the collector: nearly all that a run makes stays until its end, and little of it is cyclic."""


@contextmanager
def rare_garbage() -> Iterator[None]:
    """Look for cyclic garbage less often: by default a third of the time would go into looking through records."""
    usual = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
