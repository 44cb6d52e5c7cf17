"""Names of columns in words, units from their ends."""

from __future__ import annotations

import math

import pytest

from simnet.report.metrics import METRICS
from simnet.results.labels import UNITS, label, name_of, quantity, setting_text, value_text


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("ttl_s", "TTL (s)"),
        ("rate_per_s", "rate (1/s)"),
        ("store_byte", "store (B)"),
        ("rate_bit_per_s", "rate (bit/s)"),
        ("compute_flop_per_s", "compute (FLOP/s)"),
        ("mean_esno_db", "mean Es/N0 (dB)"),
        ("n_fetches", "fetches (number)"),
        ("devices", "devices"),
        ("policy", "policy"),
        ("zipf_exponent", "Zipf exponent"),
        ("byte_per_request", "traffic per request (B)"),
        ("miss_ratio", "miss ratio"),
        ("s", "s"),
    ],
)
def test_label(column: str, expected: str) -> None:
    assert label(column) == expected


def test_every_metric_has_its_own_label_with_its_unit() -> None:
    labels = {column: label(column) for column in METRICS}
    assert len(set(labels.values())) == len(METRICS)
    for column, text in labels.items():
        unit = UNITS.get(column.rpartition("_")[2])
        if unit is not None and not column.startswith("n_"):
            assert text.endswith(f"({unit})"), column
        assert "_" not in text


def test_values() -> None:
    texts = [value_text(v) for v in (None, math.nan, 60, 0.25, 64000, 1.5e6, -250000.0, True, "lru", "")]
    assert texts == ["∞", "∞", "60", "0.25", "64,000", "1.5M", "−250k", "yes", "lru", "–"]
    numbers = (99_999, 131_072, 999_499, 999_999, -999_999, 999_999_999, 1.5e16)
    assert [quantity(v) for v in numbers] == ["99,999", "131k", "999k", "1M", "−1M", "1G", "15000T"]
    assert quantity(999_500, 4) == "999.5k"
    assert setting_text("ttl_s", 600) == "TTL 600 s"
    assert setting_text("ttl_s", None) == "TTL ∞"
    assert setting_text("policy", "lru") == "lru"
    assert setting_text("devices", 8) == "devices 8"
    assert name_of("latency_p95_s") == "latency, 95 % quantile"
