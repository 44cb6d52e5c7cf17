"""Path losses against closed forms and textbook figures."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simnet.topology.radio_geometry import (
    LogDistance,
    air_delay_s,
    fibre_delay_s,
    free_space_path_loss_db,
    log_distance_path_loss_db,
)


@pytest.mark.parametrize("carrier_hz", [433e6, 868e6, 2.4e9, 28e9])
@pytest.mark.parametrize("distance_m", [1.0, 50.0, 2000.0])
def test_free_space_in_the_engineers_form(distance_m: float, carrier_hz: float) -> None:
    # ITU-R P.525: 32.4 + 20 log10(f / MHz) + 20 log10(d / km), its constant rounded to 0.05 dB.
    expected_db = 32.45 + 20 * math.log10(carrier_hz / 1e6) + 20 * math.log10(distance_m / 1e3)
    assert abs(free_space_path_loss_db(distance_m, carrier_hz) - expected_db) < 0.005


def test_log_distance_with_exponent_2_is_free_space() -> None:
    for distance_m in (1.0, 7.0, 900.0):
        expected_db = free_space_path_loss_db(distance_m, 868e6)
        model = LogDistance(carrier_hz=868e6, exponent=2.0)
        assert math.isclose(model.mean_path_loss_db(distance_m), expected_db, rel_tol=1e-12)


def test_ten_times_the_distance_costs_ten_times_the_exponent() -> None:
    near_db = log_distance_path_loss_db(20.0, reference_loss_db=40.0, exponent=3.5)
    far_db = log_distance_path_loss_db(200.0, reference_loss_db=40.0, exponent=3.5)
    assert math.isclose(far_db - near_db, 35.0)
    assert math.isclose(near_db, 40.0 + 35.0 * math.log10(20.0))


def test_nearer_than_the_reference_distance_the_loss_stays() -> None:
    assert log_distance_path_loss_db(0.0, reference_loss_db=40.0, exponent=3.0) == 40.0


def test_shadowing_is_normal_named_by_the_link_and_the_same_both_ways() -> None:
    model = LogDistance(shadowing_sigma_db=8.0)
    n = 4000
    mean_db = model.mean_path_loss_db(100.0)
    draws_db = np.array([model.path_loss_db(100.0, seed=1, a=f"d{i}", b="g") - mean_db for i in range(n)])
    assert abs(draws_db.mean()) < 4 * 8.0 / math.sqrt(n)
    assert abs(draws_db.std(ddof=1) - 8.0) < 4 * 8.0 / math.sqrt(2 * n)
    assert model.path_loss_db(100.0, seed=1, a="g", b="d7") == mean_db + draws_db[7]
    assert model.path_loss_db(100.0, seed=2, a="d7", b="g") != mean_db + draws_db[7]


def test_delays() -> None:
    assert math.isclose(air_delay_s(299_792_458.0), 1.0)
    # The rule of thumb: fibre costs 5 µs per kilometre (4.9).
    assert abs(fibre_delay_s(1000.0) - 4.9e-6) < 0.05e-6
