"""A sweep over times to live and stores, read through the public function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from simnet.results import Results, load
from tests.support.sweep_folder import keep_or_fetch, write_sweep

AXES = {"ttl_s": [60, 600, 3600, None], "store_byte": [0, 64000]}


@pytest.fixture
def sweep(tmp_path: Path) -> Results:
    """Four times to live, the last for ever, two stores; three arms, five replications."""
    return load(write_sweep(tmp_path / "keep", AXES, keep_or_fetch))


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Results]:
    """``make(axes, table, **rest)``: ``table[(axis values…, arm)]`` -> [replications] of ``byte_per_request``."""

    def write(axes: Mapping[str, Any], table: Mapping[tuple[Any, ...], list[float | None]], **rest: Any) -> Results:
        arms = list(dict.fromkeys(key[-1] for key in table))
        first = rest.setdefault("first_seed", 1)

        def numbers(settings: Mapping[str, Any], arm: str, seed: int) -> dict[str, float | None]:
            return {"byte_per_request": table[(*settings.values(), arm)][seed - first]}

        n = len(next(iter(table.values())))
        folder = tmp_path / rest.pop("name", "made")
        return load(write_sweep(folder, axes, numbers, arms=arms, replications=n, **rest))

    return write
