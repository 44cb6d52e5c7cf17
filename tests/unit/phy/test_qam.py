"""QAM mapping and soft demapping."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from simnet.core.errors import SimnetError
from simnet.core.streams import generator
from simnet.phy import qam
from simnet.phy.llr import hard_decision


def labels(bits_per_symbol: int) -> torch.Tensor:
    """All labels, [2^m, m] uint8."""
    number = torch.arange(2**bits_per_symbol)[:, None]
    return (number >> torch.arange(bits_per_symbol - 1, -1, -1) & 1).to(torch.uint8)


def received_symbols(bits_per_symbol: int, n_symbols: int) -> torch.Tensor:
    draws = generator(1, "symbols", bits_per_symbol).standard_normal((2, n_symbols)) * 0.8
    return torch.from_numpy(draws[0] + 1j * draws[1])


@pytest.mark.parametrize("m", qam.BITS_PER_SYMBOL)
def test_points_are_distinct_centred_and_of_unit_mean_energy(m: int) -> None:
    points = qam.modulate(labels(m), m).ravel().to(torch.complex128)
    assert len(set(points.tolist())) == 2**m
    assert abs(points.mean()) < 1e-6
    assert points.abs().square().mean().item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("m", qam.BITS_PER_SYMBOL)
def test_nearest_neighbours_differ_in_one_bit(m: int) -> None:
    points = qam.modulate(labels(m), m).ravel()
    distance = (points[:, None] - points).abs()
    closest = distance[distance > 1e-6].min()
    neighbours = (distance > 1e-6) & (distance < 1.01 * closest)
    differing = (labels(m)[:, None] != labels(m)).sum(-1)
    assert neighbours.any()
    assert (differing[neighbours] == 1).all()


def test_mapping_is_that_of_ts_38_211() -> None:
    assert qam.modulate(torch.tensor([0, 1], dtype=torch.uint8), 2)[0] == pytest.approx((1 - 1j) / np.sqrt(2))
    sixteen = qam.modulate(torch.tensor([1, 0, 0, 1], dtype=torch.uint8), 4)[0]
    assert complex(sixteen) == pytest.approx((-1 + 3j) / np.sqrt(10))
    sixty_four = qam.modulate(torch.tensor([0, 1, 1, 0, 1, 0], dtype=torch.uint8), 6)[0]
    assert complex(sixty_four) == pytest.approx((7 - 3j) / np.sqrt(42))


@pytest.mark.parametrize("max_log", [False, True])
@pytest.mark.parametrize("m", qam.BITS_PER_SYMBOL)
def test_noiseless_symbols_give_back_the_bits(m: int, max_log: bool) -> None:
    bits = torch.from_numpy(generator(1, "bits", m).integers(0, 2, (5, 96), dtype=np.uint8))
    llr = qam.demodulate(qam.modulate(bits, m), torch.tensor(0.01), m, max_log=max_log)
    assert torch.equal(hard_decision(llr), bits)


@pytest.mark.parametrize("m", qam.BITS_PER_SYMBOL)
def test_llrs_are_the_definition_summed_over_the_whole_constellation(m: int) -> None:
    received = received_symbols(m, 200)
    variance = torch.from_numpy(generator(1, "variance").uniform(0.05, 2.0, 200))
    half = m // 2
    points = np.array([complex(*(qam.pam_levels(m)[_index(label[d::2])] for d in (0, 1))) for label in labels(m)])
    metric = -(np.abs(received.numpy()[:, None] - points) ** 2) / variance.numpy()[:, None]
    is_one = labels(m).numpy().astype(bool)
    expected = [
        logsumexp(metric[:, ~is_one[:, b]], axis=1) - logsumexp(metric[:, is_one[:, b]], axis=1) for b in range(m)
    ]
    got = qam.demodulate(received, variance, m).reshape(200, m).numpy()
    assert half * 2 == m
    np.testing.assert_allclose(got, np.stack(expected, axis=1), rtol=1e-9, atol=1e-9)


def _index(bits: torch.Tensor) -> int:
    return int("".join(str(int(b)) for b in bits), 2)


@pytest.mark.parametrize("m", qam.BITS_PER_SYMBOL)
@pytest.mark.parametrize("noise_variance", [1e-12, 1e-3, 1.0, 1e12])
def test_llrs_are_finite_at_any_noise_and_max_log_is_their_limit(m: int, noise_variance: float) -> None:
    received = received_symbols(m, 500)
    variance = torch.tensor(noise_variance, dtype=torch.float64)
    exact = qam.demodulate(received, variance, m)
    max_log = qam.demodulate(received, variance, m, max_log=True)
    assert exact.isfinite().all()
    # Each sum of K terms lies between its largest term and K times it.
    assert (exact - max_log).abs().max() <= np.log(2 ** (m // 2 - 1)) * (1 + 1e-9) + exact.abs().max() * 1e-12


def test_an_unknown_modulation_is_refused() -> None:
    with pytest.raises(SimnetError, match=r"got 3; allowed 2 \(QPSK\), 4 \(16-QAM\), 6 \(64-QAM\)"):
        qam.modulate(torch.zeros(3, dtype=torch.uint8), 3)
