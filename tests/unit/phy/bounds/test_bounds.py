"""Theory curves: shapes, limits, inverses, order of the bounds, and the errors of wrong arguments."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from math import exp, log10

import numpy as np
import pytest

from simnet.core.errors import SimnetError
from simnet.core.units import db_to_linear
from simnet.phy import qam
from simnet.phy.bounds.arguments import BITS_PER_SYMBOL
from simnet.phy.bounds.bit_information import bit_information, esno_for_bit_information
from simnet.phy.bounds.capacity import (
    bicm_capacity,
    capacity,
    ergodic_rayleigh_capacity,
    esno_for_rate,
    outage_probability,
    qam_capacity,
)
from simnet.phy.bounds.fading_average import mean_over_rayleigh, mean_over_rician
from simnet.phy.bounds.finite_length import (
    dispersion,
    normal_approximation_bits,
    normal_approximation_bler,
    normal_approximation_esno,
)
from simnet.phy.bounds.information_density import pam_levels
from simnet.phy.bounds.uncoded import (
    qam_ber_awgn,
    qam_ber_rayleigh,
    qam_ber_rician,
    qam_ser_awgn,
    qam_ser_rayleigh,
    qam_ser_rician,
)

ESNO = db_to_linear(np.arange(-30.0, 45.0, 0.5))

CURVES: dict[str, Callable[..., float]] = {
    "capacity": capacity,
    "qam_capacity": lambda e: qam_capacity(e, 4),
    "bicm_capacity": lambda e: bicm_capacity(e, 4),
    "bit_information": lambda e: bit_information(e, 4),
    "ergodic_rayleigh_capacity": ergodic_rayleigh_capacity,
    "outage_probability": lambda e: outage_probability(1.0, e, k_factor=2.0),
    "dispersion": lambda e: dispersion(e, 4),
    "normal_approximation_bler": lambda e: normal_approximation_bler(100, 150, e, 4),
    "normal_approximation_bits": lambda e: normal_approximation_bits(100, 1e-3, e, 4),
    "qam_ber_awgn": lambda e: qam_ber_awgn(e, 4),
    "qam_ber_rayleigh": lambda e: qam_ber_rayleigh(e, 4),
    "qam_ber_rician": lambda e: qam_ber_rician(e, 4, 3.0),
    "qam_ser_awgn": lambda e: qam_ser_awgn(e, 4),
    "qam_ser_rayleigh": lambda e: qam_ser_rayleigh(e, 4),
    "qam_ser_rician": lambda e: qam_ser_rician(e, 4, 3.0),
    "mean_over_rayleigh": lambda e: mean_over_rayleigh(lambda x: exp(-x), e).value,
}


@pytest.mark.parametrize("name", CURVES)
def test_a_float_gives_a_float_and_an_array_its_own_shape(name: str) -> None:
    curve = CURVES[name]
    esno = np.array([[0.0, 0.5], [2.0, 30.0]])
    values = curve(esno)
    assert values.shape == esno.shape
    for index in np.ndindex(esno.shape):
        alone = curve(float(esno[index]))
        assert type(alone) is float
        assert alone == pytest.approx(values[index], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("esno", [-0.1, float("nan"), float("inf")])
def test_impossible_esno_is_refused(name: str, esno: float) -> None:
    with pytest.raises(SimnetError, match=rf"esno: got {esno}; allowed finite values from 0"):
        CURVES[name](np.array([1.0, esno]))


@pytest.mark.parametrize(
    "curve", [qam_capacity, bicm_capacity, bit_information, dispersion, qam_ber_awgn, qam_ber_rayleigh, qam_ser_awgn]
)
def test_other_constellations_are_refused(curve: Callable[[float, int], float]) -> None:
    with pytest.raises(SimnetError, match="QAM bits per symbol: got 3; allowed 2"):
        curve(1.0, 3)


def test_the_mapping_is_that_of_the_transmitter() -> None:
    assert set(qam.BITS_PER_SYMBOL) <= set(BITS_PER_SYMBOL)
    for bits in qam.BITS_PER_SYMBOL:
        np.testing.assert_allclose(pam_levels(bits), qam.pam_levels(bits).numpy(), rtol=1e-15)


def test_the_package_loads_no_tensor_library() -> None:
    modules = ("capacity", "bit_information", "finite_length", "uncoded", "fading_average")
    lines = [f"import simnet.phy.bounds.{module}" for module in modules]
    program = "\n".join([*lines, "import sys", "print('torch' in sys.modules)"])
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


@pytest.mark.parametrize("bits", BITS_PER_SYMBOL)
def test_capacities_keep_their_order_and_limits(bits: int) -> None:
    gaussian, symbols, bitwise = capacity(ESNO), qam_capacity(ESNO, bits), bicm_capacity(ESNO, bits)
    rounding = 1e-12
    assert (bitwise <= symbols + rounding).all()
    assert (symbols <= gaussian + rounding).all()
    for curve in (symbols, bitwise):
        assert (np.diff(curve) > -rounding).all()
        assert curve[-1] == pytest.approx(bits, abs=1e-9)
    # at low Es/N0 symbols of zero mean and equal power in both dimensions lose nothing to second order
    assert qam_capacity(1e-3, bits) == pytest.approx(capacity(1e-3), rel=1e-6)
    assert qam_capacity(0.0, bits) == bicm_capacity(0.0, bits) == 0.0


def test_bits_of_qpsk_are_independent() -> None:
    np.testing.assert_allclose(bicm_capacity(ESNO, 2), qam_capacity(ESNO, 2), rtol=0, atol=1e-12)
    np.testing.assert_allclose(dispersion(ESNO, 2, bicm=True), dispersion(ESNO, 2, bicm=False), rtol=0, atol=1e-12)


@pytest.mark.parametrize("bicm", [False, True])
@pytest.mark.parametrize("bits", BITS_PER_SYMBOL)
def test_esno_for_rate_inverts_the_capacity(bits: int, bicm: bool) -> None:
    rates = bits * np.array([0.0, 1e-6, 0.1, 1 / 3, 0.5, 0.9, 0.999])
    esno = esno_for_rate(rates, bits, bicm=bicm)
    curve = bicm_capacity if bicm else qam_capacity
    np.testing.assert_allclose(curve(esno, bits), rates, rtol=1e-7, atol=1e-12)
    assert esno[0] == 0.0
    assert isinstance(esno_for_rate(1.0, bits, bicm=bicm), float)


def test_esno_for_rate_of_gaussian_symbols() -> None:
    assert esno_for_rate(3.0) == pytest.approx(7.0)
    assert capacity(7.0) == pytest.approx(3.0)


def test_a_rate_beyond_the_constellation_is_refused() -> None:
    with pytest.raises(SimnetError, match=r"rate: got 4\.0 bit per channel use; allowed below 4"):
        esno_for_rate(4.0, 4)
    with pytest.raises(SimnetError, match=r"rate: got -1\.0"):
        esno_for_rate(-1.0)


@pytest.mark.parametrize("bits", BITS_PER_SYMBOL)
def test_bit_information_is_the_quadrature(bits: int) -> None:
    esno = db_to_linear(np.arange(-60.0, 50.0, 0.37))  # no multiple of the table's step
    information = bit_information(esno, bits)
    np.testing.assert_allclose(information, bicm_capacity(esno, bits) / bits, rtol=0, atol=1e-6)
    assert (np.diff(information) >= 0.0).all()
    assert bit_information(0.0, bits) == 0.0
    assert bit_information(1e9, bits) == 1.0


@pytest.mark.parametrize("bits", BITS_PER_SYMBOL)
def test_the_effective_esno_of_equal_symbols_is_theirs(bits: int) -> None:
    esno = db_to_linear(np.arange(-60.0, 40.0, 0.37))
    information = bit_information(esno, bits)
    open_range = information < 1.0 - 1e-9
    assert open_range.sum() > 150
    back = esno_for_bit_information(information, bits)
    np.testing.assert_allclose(back[open_range], esno[open_range], rtol=1e-6)
    assert (np.diff(back) >= 0.0).all()
    assert esno_for_bit_information(0.0, bits) == 0.0
    assert np.isfinite(esno_for_bit_information(1.0, bits))


@pytest.mark.parametrize("information", [-1e-9, 1.0 + 1e-9, float("nan")])
def test_impossible_information_is_refused(information: float) -> None:
    with pytest.raises(SimnetError, match=r"information per coded bit: got .*; allowed 0 to 1"):
        esno_for_bit_information(information, 4)


def test_outage_without_signal_or_rate() -> None:
    assert outage_probability(1.0, 0.0) == outage_probability(1.0, 0.0, k_factor=4.0) == 1.0
    assert outage_probability(0.0, 1.0) == 0.0
    assert outage_probability(2.0, 100.0, bits_per_symbol=4) > outage_probability(2.0, 100.0)


BLOCKS = [(None, True), (2, True), (4, True), (4, False), (6, True), (8, True)]


@pytest.mark.parametrize(("bits", "bicm"), BLOCKS)
@pytest.mark.parametrize("bler", [0.5, 1e-1, 1e-3, 1e-6])
def test_normal_approximation_and_its_inverses(bits: int | None, bicm: bool, bler: float) -> None:
    n = 288
    k = round(n * (bits or 3) / 2)
    esno = normal_approximation_esno(n, k, bler, bits, bicm=bicm)
    assert normal_approximation_bler(n, k, esno, bits, bicm=bicm) == pytest.approx(bler, rel=1e-8)
    assert normal_approximation_bits(n, bler, esno, bits, bicm=bicm) == pytest.approx(k, rel=1e-8)


@pytest.mark.parametrize(("bits", "bicm"), BLOCKS)
def test_normal_approximation_falls_with_esno_and_length(bits: int | None, bicm: bool) -> None:
    rate = (bits or 3) / 2
    bler = normal_approximation_bler(100, round(100 * rate), ESNO, bits, bicm=bicm)
    assert bler[0] > 0.999
    assert bler[-1] == pytest.approx(0.0, abs=1e-12)
    assert (np.diff(bler) <= 1e-15).all()
    limit = esno_for_rate(rate, bits, bicm=bicm)
    gaps = [normal_approximation_esno(n, round(n * rate), 1e-3, bits, bicm=bicm) / limit for n in (100, 1000, 100_000)]
    assert gaps[0] > gaps[1] > gaps[2] > 1.0
    assert gaps[2] < 1.03


def test_the_third_term_counts_real_channel_uses() -> None:
    # At the median Q⁻¹ vanishes: k = n·C + ½·log2(2n), here 32 + 3
    assert normal_approximation_bits(32, 0.5, 1.0) == pytest.approx(35.0)


@pytest.mark.parametrize(
    ("n", "k", "bits", "message"),
    [
        (100, 3, None, "information bits per block: got 3; allowed between 3.82 and inf"),
        (100, 200, 2, "information bits per block: got 200; allowed between 3.82 and 200"),
        (0, 10, 2, "channel uses per block: got 0; allowed 1 or more"),
    ],
)
def test_impossible_blocks_are_refused(n: int, k: int, bits: int | None, message: str) -> None:
    with pytest.raises(SimnetError, match=message):
        normal_approximation_bler(n, k, 1.0, bits)
    with pytest.raises(SimnetError, match=message):
        normal_approximation_esno(n, k, 0.1, bits)


@pytest.mark.parametrize("bler", [0.0, 1.0, -0.1])
def test_impossible_error_rates_are_refused(bler: float) -> None:
    with pytest.raises(SimnetError, match=f"block error rate: got {bler}; allowed between 0 and 1"):
        normal_approximation_esno(100, 100, bler)
    with pytest.raises(SimnetError, match=f"block error rate: got {bler}; allowed between 0 and 1"):
        normal_approximation_bits(100, bler, 1.0)


@pytest.mark.parametrize("bits", BITS_PER_SYMBOL)
def test_a_rice_factor_of_zero_is_rayleigh_and_a_large_one_awgn(bits: int) -> None:
    np.testing.assert_allclose(qam_ber_rician(ESNO, bits, 0.0), qam_ber_rayleigh(ESNO, bits), rtol=1e-10)
    esno = ESNO[ESNO < 10.0]
    np.testing.assert_allclose(qam_ber_rician(esno, bits, 1e7), qam_ber_awgn(esno, bits), rtol=1e-4)
    np.testing.assert_allclose(qam_ser_rician(esno, bits, 1e7), qam_ser_awgn(esno, bits), rtol=1e-4)


@pytest.mark.parametrize("bits", BITS_PER_SYMBOL)
def test_without_signal_bits_are_guessed(bits: int) -> None:
    assert qam_ber_awgn(0.0, bits) == pytest.approx(0.5)
    assert qam_ser_awgn(0.0, bits) == pytest.approx(1.0 - 2.0**-bits)


def staircase(esno: float) -> float:
    """As a measured table: a jump to 0.9, a waterfall of 2 decades per dB with a kink, and a floor at 1e-6."""
    esno_db = 10.0 * log10(esno) if esno > 0.0 else -np.inf
    if esno_db < 1.0:
        return 1.0
    return max(0.9 * 10.0 ** (-2.0 * (esno_db - 1.0) - 1.5 * max(0.0, esno_db - 2.0)), 1e-6)


@pytest.mark.parametrize("k_factor", [0.0, 5.0, 100.0])
@pytest.mark.parametrize("mean_esno_db", [-10.0, 0.0, 3.0, 20.0, 60.0])
def test_breakpoints_change_no_average(mean_esno_db: float, k_factor: float) -> None:
    mean_esno = db_to_linear(mean_esno_db)
    floor_db = 2.0 + (6.0 + log10(0.9) - 2.0) / 3.5
    breakpoints = [db_to_linear(x) for x in (1.0, 2.0, floor_db)]
    told = mean_over_rician(staircase, mean_esno, k_factor, breakpoints=breakpoints)
    found = mean_over_rician(staircase, mean_esno, k_factor)
    assert found.value == pytest.approx(told.value, rel=1e-7)
    assert told.error < 1e-9 * told.value
    assert 1e-6 * (1.0 - 1e-12) <= told.value <= 1.0


def test_the_average_of_nothing_received_is_the_error_rate_of_noise() -> None:
    assert mean_over_rayleigh(staircase, 0.0) == (1.0, 0.0)


@pytest.mark.parametrize("rate", [1.5, -0.1, float("nan")])
def test_a_function_that_is_no_error_rate_is_refused(rate: float) -> None:
    with pytest.raises(SimnetError, match=rf"block error rate at Es/N0 .*: the function gave {rate}; allowed 0 to 1"):
        mean_over_rayleigh(lambda esno: rate, 1.0)


def test_a_negative_rice_factor_is_refused() -> None:
    for call in (
        lambda: qam_ber_rician(1.0, 2, -1.0),
        lambda: outage_probability(1.0, 1.0, k_factor=-1.0),
        lambda: mean_over_rician(staircase, 1.0, -1.0),
    ):
        with pytest.raises(SimnetError, match=r"k_factor: got -1\.0; allowed finite values from 0"):
            call()
