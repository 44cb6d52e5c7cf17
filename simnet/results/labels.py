"""Columns and values in words, for axes and legends: ``ttl_s`` is "TTL (s)", null is "∞"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simnet.report.wording import NONE, number

FOR_EVER = "∞"
"""A null on an axis of numbers: a limit that there isn't, as of a time to live."""

UNITS = {
    "byte": "B",
    "bit": "bit",
    "s": "s",
    "ms": "ms",
    "m": "m",
    "j": "J",
    "joule": "J",
    "w": "W",
    "hz": "Hz",
    "db": "dB",
    "dbm": "dBm",
    "flop": "FLOP",
    "per_s": "1/s",
    "bit_per_s": "bit/s",
    "byte_per_s": "B/s",
    "flop_per_s": "FLOP/s",
    "m_per_s": "m/s",
    "joule_per_flop": "J/FLOP",
    "joule_per_bit": "J/bit",
}
"""End of a column's name -> its unit; the longest that fits counts."""
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
"""Of large numbers: from which on, and its letter."""
WORDS = {
    "ttl": "TTL",
    "ss": "SS",
    "st": "ST",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "esno": "Es/N0",
    "ebno": "Eb/N0",
    "snr": "SNR",
    "sinr": "SINR",
    "mcs": "MCS",
    "jpeg": "JPEG",
    "jpeg2000": "JPEG 2000",
    "avif": "AVIF",
    "webp": "WebP",
    "cpu": "CPU",
    "zipf": "Zipf",
}
NAMES = {
    "satisfied": "satisfied requests (share)",
    "ss_mean": "mean SS",
    "ss_mean_delivered": "mean SS of delivered requests",
    "ss_population": "population SS",
    "code_byte": "traffic of codes (B)",
    "model_byte": "traffic of models (B)",
    "control_byte": "traffic of control (B)",
    "enhancement_byte": "traffic of enhancements (B)",
    "stripped_byte": "headers of formats (B)",
    "end_to_end_byte": "end-to-end traffic (B)",
    "link_byte": "traffic over links (B)",
    "byte_per_request": "traffic per request (B)",
    "model_byte_per_request": "models per request (B)",
    "channel_use": "channel uses",
    "latency_mean_s": "mean latency (s)",
    "latency_median_s": "median latency (s)",
    "latency_p95_s": "latency, 95 % quantile (s)",
    "model_fetch_mean_s": "mean wait for models (s)",
    "tx_j": "energy of transmitters (J)",
    "rx_j": "energy of receivers (J)",
    "compute_j": "energy of computing (J)",
    "idle_j": "idle energy (J)",
    "psnr_db_mean": "mean PSNR (dB)",
}
"""Columns whose name alone would read badly; the rest follows from ``UNITS`` and ``WORDS``."""


def label(column: str) -> str:
    """A column in words with its unit in parentheses.

    ``ttl_s`` → "TTL (s)", ``rate_per_s`` → "rate (1/s)", ``n_fetches`` → "fetches (number)".
    """
    if column in NAMES:
        return NAMES[column]
    parts = column.split("_")
    if parts[0] == "n" and len(parts) > 1:
        return f"{_words(parts[1:])} (number)"
    for start in range(1, len(parts)):
        unit = UNITS.get("_".join(parts[start:]))
        if unit is not None:
            return f"{_words(parts[:start])} ({unit})"
    return _words(parts)


def name_of(column: str) -> str:
    """The label without its unit."""
    return label(column).rpartition(" (")[0] or label(column)


def unit_of(column: str) -> str:
    """The unit in the label: "s", "B"; empty for shares, numbers and what has none."""
    unit = label(column).removeprefix(name_of(column)).strip(" ()")
    return "" if unit in ("share", "number") else unit


def value_text(value: Any, digits: int = 3) -> str:
    """A value of an axis: a number without exponent, 10⁵ and more with a prefix; null of numbers is "∞"."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return FOR_EVER
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value or NONE
    return quantity(float(value), digits)


def setting_text(column: str, value: Any) -> str:
    """A value with its axis: "TTL 600 s"; words stand alone."""
    if isinstance(value, str):
        return value
    unit, text = unit_of(column), value_text(value)
    return f"{name_of(column)} {text}" + (f" {unit}" if unit and text != FOR_EVER else "")


def quantity(value: float, digits: int = 3) -> str:
    """A number for a tick: "60", "0.25", "64,000", "1.5M"."""
    if abs(value) < 1e5:
        return number(value, digits)
    rounded = float(f"{value:.{digits}g}")  # before its prefix is chosen: 999,999 is 1M
    divisor, prefix = next((least, name) for least, name in PREFIXES if abs(rounded) >= least)
    shown = rounded / divisor
    return f"{shown:.{max(digits, len(f'{abs(shown):.0f}'))}g}{prefix}".replace("-", "−")


def _words(parts: list[str]) -> str:
    return " ".join(WORDS.get(part, part) for part in parts)
