"""Theory curves against definitions integrated in another way, closed forms, simulation, Sionna and published values.

Nothing here is taken from ``simnet.phy.bounds`` but the values under test: constellations are Gray-labelled as
i XOR i/2, densities are mixtures of Gaussians, Rice's distribution is that of ``scipy.stats``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import exp, log, log2, pi, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import betainc, erfc, expn, ndtr
from scipy.stats import chi2, norm, rice

from simnet.core.streams import generator
from simnet.core.units import db_to_linear, linear_to_db
from simnet.phy.bounds.bit_information import bit_information
from simnet.phy.bounds.capacity import (
    bicm_capacity,
    ergodic_rayleigh_capacity,
    esno_for_rate,
    outage_probability,
    qam_capacity,
)
from simnet.phy.bounds.fading_average import mean_over_rayleigh, mean_over_rician
from simnet.phy.bounds.finite_length import dispersion, normal_approximation_bits
from simnet.phy.bounds.uncoded import (
    qam_ber_awgn,
    qam_ber_rayleigh,
    qam_ber_rician,
    qam_ser_awgn,
    qam_ser_rayleigh,
    qam_ser_rician,
)

Array = NDArray[np.float64]
ALL_BITS = [2, 4, 6, 8]


def pam(bits: int, esno: float) -> tuple[Array, NDArray[np.int64]]:
    """Levels in rising order, for noise of variance 1, and their Gray labels."""
    side = 2 ** (bits // 2)
    index = np.arange(side)
    return (2.0 * index - side + 1.0) * sqrt(3.0 * esno / (side**2 - 1)), index ^ index >> 1


def bits_of(label: NDArray[np.int64], n_bits: int) -> NDArray[np.int64]:
    return label[:, None] >> np.arange(n_bits) & 1


# Capacity


def entropy(levels: Array) -> float:
    """Differential entropy in bits of an equal mixture of unit Gaussians at ``levels``."""

    def integrand(y: float) -> float:
        density = np.mean(np.exp(-0.5 * (y - levels) ** 2)) / sqrt(2 * pi)
        return -float(density * np.log2(density)) if density > 0.0 else 0.0

    edges = np.unique(np.concatenate(([levels[0] - 12.0, levels[-1] + 12.0], levels, (levels[1:] + levels[:-1]) / 2)))
    return sum(quad(integrand, a, b, epsabs=1e-12, epsrel=1e-12)[0] for a, b in pairwise(edges))


@pytest.mark.parametrize("bits", ALL_BITS)
@pytest.mark.parametrize("esno_db", [-10.0, 5.0, 15.0, 25.0])
def test_capacities_are_differences_of_entropies(bits: int, esno_db: float) -> None:
    """I(X; Y) = h(Y) − h(Y|X) and I(B; Y) = h(Y) − h(Y|B), the entropies by adaptive quadrature."""
    esno = db_to_linear(esno_db)
    levels, label = pam(bits, esno)
    received = entropy(levels)
    assert qam_capacity(esno, bits) == pytest.approx(2 * (received - 0.5 * log2(2 * pi * np.e)), abs=1e-9)
    each_bit = [received - (entropy(levels[b == 0]) + entropy(levels[b == 1])) / 2 for b in bits_of(label, bits // 2).T]
    assert bicm_capacity(esno, bits) == pytest.approx(2 * sum(each_bit), abs=1e-9)
    assert bit_information(esno, bits) == pytest.approx(np.mean(each_bit), abs=1e-6)


def densities(bits: int, esno: float, n_symbols: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Information densities in bits, CM and BICM, [n_symbols] each, of simulated complex symbols."""
    levels, label = pam(bits, 1.0)
    points = ((levels[:, None] + 1j * levels) / sqrt(2.0)).ravel()
    labels = (label[:, None] * len(label) + label).ravel()
    sent = rng.integers(len(points), size=n_symbols)
    noise = rng.standard_normal((n_symbols, 2)) @ [1.0, 1.0j] / sqrt(2.0 * esno)
    likelihood = np.exp(-esno * np.abs((points[sent] + noise)[:, None] - points) ** 2)
    rows = np.arange(n_symbols)
    total = likelihood.mean(1)
    table = bits_of(labels, bits)
    bitwise = np.zeros(n_symbols)
    for b in range(bits):
        same = table[:, b] == table[sent, b][:, None]
        bitwise += np.log2((likelihood * same).sum(1) / (len(points) / 2) / total)
    return np.log2(likelihood[rows, sent] / total), bitwise


@pytest.mark.parametrize("bits", [2, 4, 6])
@pytest.mark.parametrize("code_rate", [0.25, 0.5, 0.85])
def test_capacity_and_dispersion_are_moments_of_simulated_densities(bits: int, code_rate: float) -> None:
    n = 60_000
    esno = 2.0 ** (bits * code_rate) - 1.0
    simulated = densities(bits, esno, n, generator(1, "information density", bits, str(code_rate)))
    for bicm, density in zip((False, True), simulated, strict=True):
        curve = bicm_capacity if bicm else qam_capacity
        deviation = density - density.mean()
        assert abs(density.mean() - curve(esno, bits)) < 4 * density.std() / sqrt(n)
        standard_error = (deviation**2).std() / sqrt(n)
        assert abs(density.var() - dispersion(esno, bits, bicm=bicm)) < 4 * standard_error
        assert standard_error < 0.02 * density.var()


@pytest.mark.parametrize("bits", ALL_BITS)
def test_bit_information_is_what_sionnas_demapper_gives(bits: int) -> None:
    mapping = pytest.importorskip("sionna.phy.mapping", reason="sionna-no-rt is not installed")
    llr2mi = pytest.importorskip("sionna.phy.fec.utils").llr2mi
    torch = pytest.importorskip("torch")
    esno = db_to_linear(4.0 * bits - 5.0)
    n_runs, n_symbols = 50, 1000
    rng = generator(2, "sionna", bits)
    sent = torch.as_tensor(rng.integers(0, 2, (n_runs, n_symbols * bits)), dtype=torch.float32, device="cpu")
    noise = torch.as_tensor(rng.standard_normal((n_runs, n_symbols, 2)) / sqrt(2.0 * esno), dtype=torch.float32)
    symbols = mapping.Mapper("qam", bits, device="cpu")(sent)
    no = torch.tensor(1.0 / esno)
    llr = mapping.Demapper("app", "qam", bits, device="cpu")(symbols + torch.view_as_complex(noise), no)
    runs = llr2mi(llr, 1.0 - 2.0 * sent, reduce_dims=False).double().numpy()
    standard_error = runs.std(ddof=1) / sqrt(n_runs)
    assert abs(runs.mean() - bit_information(esno, bits)) < 4 * standard_error
    assert standard_error < 2e-3


def test_published_limits_of_binary_codes() -> None:
    """QPSK is two BPSK channels: Eb/N0 = Es/N0 − 10·log10(2R).

    0.187 dB at R = 1/2: S.-Y. Chung et al., IEEE Commun. Lett. 5(2), 2001. C = 0.5 bit, rounded, at 0.189 dB:
    G. Durisi, A. Lancho, "Transmitting short packets over wireless channels", section 3.1.
    """
    assert linear_to_db(esno_for_rate(1.0, 2)) == pytest.approx(0.187, abs=5e-4)
    assert qam_capacity(db_to_linear(0.189), 2) / 2 == pytest.approx(0.5, abs=5e-4)
    ebno_at_zero_rate = esno_for_rate(1e-4, 2) / 1e-4
    assert linear_to_db(ebno_at_zero_rate) == pytest.approx(linear_to_db(log(2.0)), abs=5e-4)


@pytest.mark.parametrize("mean_esno", [1e-6, 1e-2, 0.0199, 0.0201, 1.0, 30.0, 1e5])
def test_ergodic_capacity_is_its_integral(mean_esno: float) -> None:
    edges = [0.0, 1e-6, 1e-4, 1e-2, 0.1, 1.0, 10.0, 45.0]
    pieces = [
        quad(lambda t: np.log1p(t * mean_esno) / log(2.0) * exp(-t), a, b, epsabs=0, epsrel=1e-12)[0]
        for a, b in pairwise(edges)
    ]
    assert ergodic_rayleigh_capacity(mean_esno) == pytest.approx(sum(pieces), rel=1e-10)


def gains(k_factor: float, count: int, *names: str | int) -> NDArray[np.complex128]:
    """Flat gains: a direct path of fixed strength and a diffuse one."""
    diffuse = generator(3, *names).standard_normal((count, 2)) @ [1.0, 1.0j] / sqrt(2.0)
    result: NDArray[np.complex128] = sqrt(k_factor / (k_factor + 1)) * 1j + diffuse / sqrt(k_factor + 1)
    return result


@pytest.mark.parametrize("k_factor", [0.0, 1.0, 10.0])
@pytest.mark.parametrize(("bits", "mean_esno"), [(None, 3.0), (4, 10.0)])
def test_outage_is_how_often_the_drawn_channel_is_too_weak(k_factor: float, bits: int | None, mean_esno: float) -> None:
    n, rate = 100_000, 2.0
    esno = mean_esno * np.abs(gains(k_factor, n, "outage", str(k_factor))) ** 2
    information = np.log2(1 + esno) if bits is None else bits * bit_information(esno, bits)
    expected = outage_probability(rate, mean_esno, k_factor=k_factor, bits_per_symbol=bits)
    assert 0.001 < expected < 0.99
    assert abs(np.mean(information < rate) - expected) < 4 * sqrt(expected * (1 - expected) / n)


# Finite length


def sphere_packing_bits(n: int, bler: float, snr: float) -> float:
    """log2 of the largest code that could have ``bler`` over n real uses of AWGN: the cone of C. E. Shannon 1959.

    The noise carries the sent point out of the cone of half-angle θ with probability ``bler``; M such cones fill space.
    """
    radius, step = np.linspace(chi2.ppf(1e-14, n - 1), chi2.isf(1e-14, n - 1), 4001, retstep=True)
    weight = step * chi2.pdf(radius, n - 1)

    def outside(cotangent: float) -> float:
        return float(weight @ ndtr(cotangent * np.sqrt(radius) - sqrt(n * snr)))

    cotangent = brentq(lambda c: outside(c) - bler, 1e-6, 50.0, xtol=1e-13)
    return 1.0 - log2(betainc((n - 1) / 2, 0.5, 1.0 / (1.0 + cotangent**2)))


def binary_converse_bits(n: int, bler: float, snr: float) -> float:
    """The same for binary input: the meta-converse of Polyanskiy et al. 2010 with i.i.d. outputs.

    All codewords are alike, so that the bound is −log2 of the least probability, under the output distribution, of a
    test that accepts the sent word with probability 1 − bler; S is the sum of n information densities.
    """
    step = 5e-3  # bits; rounding to it adds 1e-3 bit² to the variance of S
    noise = np.arange(-8.0, 8.0, 1e-3)
    density = 1.0 - np.logaddexp(0.0, -2.0 * snr - 2.0 * sqrt(snr) * noise) / log(2.0)
    bins = np.rint(density / step).astype(int)
    one = np.bincount(bins - bins.min(), norm.pdf(noise) / norm.pdf(noise).sum())
    size = n * (len(one) - 1) + 1
    fft_size = 1 << (size - 1).bit_length()
    total = np.maximum(np.fft.irfft(np.fft.rfft(one, fft_size) ** n, fft_size)[:size], 0.0)
    s = step * (np.arange(size) + n * bins.min())
    first = int(np.searchsorted(np.cumsum(total), bler))
    return -log2(float(np.sum(total[first:] * np.exp2(-s[first:]))))


@pytest.mark.parametrize(
    ("converse", "bits", "snr"),
    [(sphere_packing_bits, None, snr) for snr in (1.0, 3.0, 10.0)]
    + [(binary_converse_bits, 2, snr) for snr in (0.7, 1.4)],
)
@pytest.mark.parametrize("bler", [0.1, 0.01])
def test_normal_approximation_keeps_its_distance_from_the_converse(
    converse: Callable[[int, float, float], float], bits: int | None, snr: float, bler: float
) -> None:
    """Two of its terms grow with n; were one of them wrong, so would the distance.

    From 128 to 480 real uses ½·log2(n) grows by 0.95 bit, and 1 % of the dispersion term by 0.1 to 0.2 bit; a distance
    that stays within 0.15 bit excludes either fault. A complex use at Es/N0 = snr is two real ones at snr.
    """
    distance = [converse(n, bler, snr) - normal_approximation_bits(n // 2, bler, snr, bits) for n in (128, 480)]
    assert abs(distance[1] - distance[0]) < 0.15
    assert all(0.0 < d < 4.0 for d in distance)


def test_published_rate_at_finite_length() -> None:
    """Durisi & Lancho, section 3.1: at 0.189 dB and a block error rate of 1e-8, 512 real uses carry 0.31 bit each."""
    bits = normal_approximation_bits(256, 1e-8, db_to_linear(0.189), 2)
    assert bits / 512 == pytest.approx(0.31, abs=0.005)


# Uncoded


def brute_force_ber(bits: int, esno: float) -> float:
    """Probability of each decision region of each level, times the bits that it gets wrong."""
    levels, label = pam(bits, esno)
    borders = np.concatenate(([-np.inf], (levels[1:] + levels[:-1]) / 2, [np.inf]))
    # of the tails that matter take the small side, so that small rates keep their digits
    to_right = ndtr(-(borders - levels[:, None]))
    to_left = ndtr(borders - levels[:, None])
    index = np.arange(len(levels))
    probability = np.where(index[:, None] < index, to_right[:, :-1] - to_right[:, 1:], to_left[:, 1:] - to_left[:, :-1])
    table = bits_of(label, bits // 2)
    wrong = (table[:, None] != table).sum(-1)
    return float((probability * wrong).sum()) / (len(levels) * bits / 2)


def brute_force_ser(bits: int, esno: float) -> float:
    levels, _ = pam(bits, esno)
    miss = erfc((levels[1] - levels[0]) / 2 / sqrt(2.0)) * (1.0 - 1.0 / len(levels))
    return float(miss * (2.0 - miss))


def rice_mean(function: Callable[[float], float], mean_esno: float, k_factor: float) -> float:
    """Mean of ``function`` over |h|²·mean_esno, |h| of Rice's distribution."""
    line_of_sight, scale = sqrt(2.0 * k_factor), sqrt(0.5 / (k_factor + 1.0))
    amplitude, most = rice(line_of_sight, scale=scale), (line_of_sight + 9.0) * scale  # beyond: less than 1e-16
    edges = np.unique([0.0, *10.0 ** np.arange(-4.0, 0.0), *amplitude.isf([0.99, 0.5, 0.01]), most])
    pieces = [
        quad(lambda r: amplitude.pdf(r) * function(r * r * mean_esno), a, b, epsabs=0, epsrel=1e-9, limit=200)[0]
        for a, b in pairwise(edges)
    ]
    return float(sum(pieces))


@pytest.mark.parametrize("bits", ALL_BITS)
@pytest.mark.parametrize("esno_db", [-10.0, 5.0, 15.0, 25.0])
def test_error_rates_in_awgn(bits: int, esno_db: float) -> None:
    esno = db_to_linear(esno_db)
    assert qam_ber_awgn(esno, bits) == pytest.approx(brute_force_ber(bits, esno), rel=1e-9)
    assert qam_ser_awgn(esno, bits) == pytest.approx(brute_force_ser(bits, esno), rel=1e-9, abs=1e-15)


def test_the_textbook_form_of_16_qam() -> None:
    """Cho & Yoon 2002, eq. (10) and (11), averaged: 3/8 erfc(x) + 1/4 erfc(3x) − 1/8 erfc(5x), x = √(esno/10)."""
    esno = db_to_linear(np.arange(-10.0, 25.0))
    x = np.sqrt(esno / 10.0)
    expected = (3 * erfc(x) + 2 * erfc(3 * x) - erfc(5 * x)) / 8
    np.testing.assert_allclose(qam_ber_awgn(esno, 4), expected, rtol=1e-12)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize(("mean_esno_db", "k_factor"), [(0.0, 0.0), (25.0, 0.0), (10.0, 2.0), (20.0, 10.0)])
def test_error_rates_under_fading(bits: int, mean_esno_db: float, k_factor: float) -> None:
    mean_esno = db_to_linear(mean_esno_db)
    ber = rice_mean(lambda esno: brute_force_ber(bits, esno), mean_esno, k_factor)
    ser = rice_mean(lambda esno: brute_force_ser(bits, esno), mean_esno, k_factor)
    assert qam_ber_rician(mean_esno, bits, k_factor) == pytest.approx(ber, rel=1e-8)
    assert qam_ser_rician(mean_esno, bits, k_factor) == pytest.approx(ser, rel=1e-8)
    if k_factor == 0.0:
        assert qam_ber_rayleigh(mean_esno, bits) == pytest.approx(ber, rel=1e-8)
        assert qam_ser_rayleigh(mean_esno, bits) == pytest.approx(ser, rel=1e-8)


@pytest.mark.parametrize("k_factor", [0.0, 4.0])
def test_bits_sent_over_drawn_channels(k_factor: float) -> None:
    """16-QAM, one symbol per gain, decided by the nearest level."""
    n, esno = 200_000, 20.0
    rng = generator(4, "uncoded", str(k_factor))
    levels, label = pam(4, esno)
    h = gains(k_factor, n, "uncoded gains", str(k_factor))
    sent = rng.integers(len(levels), size=(n, 2))
    received = h * (levels[sent] @ [1.0, 1.0j]) + rng.standard_normal((n, 2)) @ [1.0, 1.0j]
    equalised = received / h
    parts = np.stack((equalised.real, equalised.imag), -1)
    decided = np.abs(parts[..., None] - levels).argmin(-1)
    table = bits_of(label, 2)
    wrong = (table[sent] != table[decided]).sum((1, 2)) / 4
    expected = qam_ber_rician(esno, 4, k_factor)
    standard_error = wrong.std() / sqrt(n)
    assert abs(wrong.mean() - expected) < 4 * standard_error
    assert standard_error < 0.02 * expected


@pytest.mark.parametrize("bits", ALL_BITS)
def test_diversity_is_one_and_a_line_of_sight_only_scales(bits: int) -> None:
    high, k_factor = 1e9, 3.0
    assert qam_ber_rayleigh(high, bits) / qam_ber_rayleigh(10 * high, bits) == pytest.approx(10.0, rel=1e-5)
    gain = qam_ber_rician(high, bits, k_factor) / qam_ber_rayleigh(high, bits)
    assert gain == pytest.approx((k_factor + 1) * exp(-k_factor), rel=1e-5)


# Averages over fading


@pytest.mark.parametrize("k_factor", [0.0, 0.5, 7.0, 200.0])
@pytest.mark.parametrize("mean_esno", [0.01, 1.0, 40.0, 1e4])
def test_the_average_of_an_exponential_is_the_moment_generating_function(mean_esno: float, k_factor: float) -> None:
    total = k_factor + 1 + mean_esno
    expected = (k_factor + 1) / total * exp(-k_factor * mean_esno / total)
    average = mean_over_rician(lambda esno: exp(-esno), mean_esno, k_factor)
    assert average.value == pytest.approx(expected, rel=1e-9, abs=1e-35)


@pytest.mark.parametrize("mean_esno", [0.1, 1.0, 40.0, 1e4, 1e7])
def test_the_average_of_a_step_is_the_outage(mean_esno: float) -> None:
    threshold = 1.2345
    average = mean_over_rayleigh(lambda esno: float(esno < threshold), mean_esno)
    assert average.value == pytest.approx(-np.expm1(-threshold / mean_esno), rel=1e-9)
    rician = mean_over_rician(lambda esno: float(esno < threshold), mean_esno, 3.0)
    amplitude = rice(sqrt(6.0), scale=sqrt(0.125))
    assert rician.value == pytest.approx(amplitude.cdf(sqrt(threshold / mean_esno)), rel=1e-8)


@pytest.mark.parametrize("mean_esno", [0.5, 3.0, 100.0, 1e5])
def test_the_average_of_a_straight_waterfall_with_a_floor(mean_esno: float) -> None:
    """BLER 1 up to g, (g/γ)^p down to a floor: closed form by exponential integrals, E_p(x) = ∫_1^∞ e^(−xt)/t^p dt."""
    start, slope, floor = 2.0, 20, 1e-6
    end = start * floor ** (-1 / slope)
    a, b = start / mean_esno, end / mean_esno
    expected = -np.expm1(-a) + a * expn(slope, a) - floor * b * expn(slope, b) + floor * exp(-b)

    def bler(esno: float) -> float:
        return 1.0 if esno < start else max(floor, (start / esno) ** slope)

    found = mean_over_rayleigh(bler, mean_esno)
    told = mean_over_rayleigh(bler, mean_esno, breakpoints=[start, end])
    assert found.value == pytest.approx(expected, rel=1e-7)
    assert told.value == pytest.approx(expected, rel=1e-9)
    assert abs(told.value - expected) < told.error + 1e-13 * expected


def test_the_average_over_drawn_channels() -> None:
    n, mean_esno, k_factor = 100_000, 8.0, 2.0
    esno = mean_esno * np.abs(gains(k_factor, n, "average")) ** 2
    rates = ndtr(-4.0 * (esno - 4.0))
    average = mean_over_rician(lambda e: float(ndtr(-4.0 * (e - 4.0))), mean_esno, k_factor)
    assert abs(rates.mean() - average.value) < 4 * rates.std() / sqrt(n)
