"""Words that scenarios, networks, stores and results share."""

from __future__ import annotations

from typing import Literal

Tier = Literal["device", "gateway", "edge", "cloud"]
TIERS: tuple[Tier, ...] = ("device", "gateway", "edge", "cloud")
"""From the smallest machines to the largest."""
TtlFrom = Literal["from_fetch", "renewed_on_use"]
"""From when a time to live counts: from the last fetch, or from the last use."""
