"""A small valid scenario, and how to load changes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from simnet.scenario.load import load_scenario
from simnet.scenario.schema import Scenario

VALID = """\
name: small
duration_s: 1e2
topology: {kind: city, devices: 4, gateways: 1, edges: 1}
tiers:
  device: {store_byte: 65536}
radios:
  radio: {bandwidth_hz: 1e6, mcs: adaptive}
wires:
  access: {rate_bit_per_s: 1e8}
sources:
  digits: {dataset: mnist, judge: classifier/digits_judge, items: 10}
codecs:
  plain: {kind: raw, image_shape: [1, 28, 28]}
  learned: {kind: aesc, model: digits_z40}
traffic: {kind: poisson, rate_per_s: 0.1}
protocol:
  codecs: {digits: [plain, learned]}
  store: {policy: lru, ttl_s: 60}
arms:
  cached: {store: {policy: {kind: gdsf}}}
  bare: {propagation: none, planner: {cost: airtime}}
"""

Load = Callable[..., Scenario]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a text, or bytes, as the file ``s.yaml``."""

    def load_text(text: str | bytes, *overrides: str) -> Scenario:
        path = tmp_path / "s.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_scenario(path, overrides=overrides)

    return load_text
