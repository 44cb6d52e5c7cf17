"""Measured Es/N0 of every channel model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from simnet.core.streams import generator
from simnet.core.units import db_to_linear, linear_to_db
from simnet.phy import qam
from simnet.phy.channels import flat
from simnet.phy.channels.grid import OfdmGrid
from simnet.phy.channels.registry import CHANNEL_NAMES, channel_by_name

WIDE = OfdmGrid(32, 480e3, 32)
"""15.36 MHz, prefix 2.1 µs."""
SETTINGS: dict[str, dict[str, Any]] = {
    "rician_block": {"k_factor_db": 6.0, "los_phase_rad": 1.0},
    "rician_fast": {"k_factor_db": 6.0, "los_phase_rad": 1.0},
    **{f"tdl_{letter}": {"rms_delay_spread_s": 0.21e-6, "grid": WIDE} for letter in "abc"},
    **{f"tdl_{letter}": {"rms_delay_spread_s": 0.1e-6, "grid": WIDE} for letter in "de"},
}


@pytest.mark.parametrize("name", CHANNEL_NAMES)
def test_measured_esno_is_the_nominal_one(name: str) -> None:
    esno_db = 7.0
    if name == "awgn" or name.endswith("fast"):
        n_blocks, n_symbols = 200, 2000
    elif name.endswith("block"):
        n_blocks, n_symbols = 160_000, 4
    else:
        n_blocks, n_symbols = 15_000 if name in ("tdl_d", "tdl_e") else 55_000, 32
    model, rng = channel_by_name(name, **SETTINGS.get(name, {})), generator(1, "esno gains", name)
    gain = torch.from_numpy(np.stack([model.gains(n_symbols, rng=rng) for _ in range(n_blocks)]))
    bits = generator(1, "esno bits").integers(0, 2, (n_blocks, 2 * n_symbols), dtype=np.uint8)
    sent = qam.modulate(torch.from_numpy(bits), 2)
    noise = torch.from_numpy(flat.complex_noise((1, "esno", name), n_blocks * n_symbols)).reshape(sent.shape)
    received = flat.pass_through(sent, gain, torch.full((n_blocks,), 1 / db_to_linear(esno_db)), noise)
    signal = gain.to(torch.complex128) * sent
    power = signal.abs().square().mean(1)
    measured = power.mean() / (received - signal).abs().square().mean()
    standard_error_db = 10 / math.log(10) * float(power.std() / power.mean()) / math.sqrt(n_blocks)
    assert 4 * standard_error_db < 0.05
    assert linear_to_db(float(measured)) == pytest.approx(esno_db, abs=0.05)
