"""The kinds of fading of a wireless link, by the names of scenarios."""

from __future__ import annotations

import math
from typing import Literal

FadingKind = Literal["none", "rayleigh", "rician", "clarke", "rayleigh_fast", "rician_fast", "tdl_a", "tdl_b", "tdl_c"]
"""``none``; flat, constant over coherence intervals: ``rayleigh`` (h ~ CN(0, 1)), ``rician``; flat, changing
continuously with the autocorrelation J0: ``clarke``; independent from symbol to symbol: ``rayleigh_fast``,
``rician_fast``; OFDM over tapped delay lines of TR 38.901: ``tdl_a``, ``tdl_b``, ``tdl_c``."""


def longest_burst_s(kind: FadingKind, coherence_time_s: float) -> float:
    """h is read once a burst, so that no burst may outlast its coherence. Of ``clarke``, whose autocorrelation is 1/2
    after that time, a tenth: 0.994 is left then."""
    if kind in ("none", "rayleigh_fast", "rician_fast"):
        return math.inf
    return 0.1 * coherence_time_s if kind == "clarke" else coherence_time_s
