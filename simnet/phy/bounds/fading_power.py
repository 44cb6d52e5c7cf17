"""Distribution of the power |h|² of a flat fading gain h with E|h|² = 1.

Rician: h = √(K/(K+1)) + √(1/(K+1))·w with w ~ CN(0, 1), so that 2(K+1)|h|² is noncentral χ² with 2 degrees of freedom
and noncentrality 2K. K = 0 is Rayleigh: |h|² is exponential. M. K. Simon, M.-S. Alouini, "Digital Communication over
Fading Channels", 2nd ed. 2005, section 2.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr, chndtr, chndtrix, expit, i0e

_STEP, _REACH = 0.1, 40.0
"""Nodes of the trapezoidal rules in :func:`mean_erfc` and :func:`mean_erfc_squared`; errors stay below 1e-12."""


def power_cdf(power: NDArray[np.float64], k_factor: float) -> NDArray[np.float64]:
    """P(|h|² < power); keeps its relative precision in the lower tail."""
    if k_factor == 0.0:
        exponential: NDArray[np.float64] = -np.expm1(-power)
        return exponential
    noncentral = chndtr(2.0 * (k_factor + 1.0) * power, 2.0, 2.0 * k_factor)
    return np.where(np.isinf(power), 1.0, noncentral)  # older scipy says a rounding less


def power_density(power: NDArray[np.float64], k_factor: float) -> NDArray[np.float64]:
    """Probability density of |h|²."""
    scaled = (k_factor + 1.0) * power
    # e^(−K−s)·I0(2√(K·s)), with the growth of I0 taken into the exponent
    shape = np.exp(-((np.sqrt(scaled) - np.sqrt(k_factor)) ** 2))
    density: NDArray[np.float64] = (k_factor + 1.0) * shape * i0e(2.0 * np.sqrt(k_factor * scaled))
    return density


def mean_exponential(rate: NDArray[np.float64], k_factor: float) -> NDArray[np.float64]:
    """E[exp(−rate·|h|²)], the moment generating function of |h|² (Simon & Alouini, table 2.2)."""
    total = k_factor + 1.0 + rate
    mean: NDArray[np.float64] = (k_factor + 1.0) / total * np.exp(-k_factor * rate / total)
    return mean


def mean_erfc(scale: NDArray[np.float64], k_factor: float) -> NDArray[np.float64]:
    """E[erfc(√(scale·|h|²))].

    Craig's form erfc(√x) = 2/π ∫ exp(−x/sin²θ) dθ over [0, π/2] turns the mean into one of :func:`mean_exponential`
    (Simon & Alouini, eq. (4.2)). tan θ = e^v makes the trapezoidal rule converge geometrically.
    """
    v = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
    weight = _STEP / (np.pi * np.cosh(v))
    mean: NDArray[np.float64] = mean_exponential(scale[..., None] / expit(2.0 * v), k_factor) @ weight
    return mean


def mean_erfc_squared(scale: NDArray[np.float64], k_factor: float) -> NDArray[np.float64]:
    """E[erfc²(√(scale·|h|²))].

    As :func:`mean_erfc`, with erfc²(√x) = 4/π ∫ exp(−x/sin²θ) dθ over [0, π/4] (Simon & Alouini, eq. (4.9)) and
    tan θ = 1/(1+e^(−v)).
    """
    v = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
    tangent = expit(v)
    weight = 4.0 / np.pi * _STEP * tangent * expit(-v) / (1.0 + tangent**2)
    mean: NDArray[np.float64] = mean_exponential(scale[..., None] * (1.0 + tangent**-2), k_factor) @ weight
    return mean


def combined_power_cdf(power: NDArray[np.float64], k_factor: float, n_receptions: int) -> NDArray[np.float64]:
    """P(Σ |h|² < power) of independent Rician gains with E|h|² = 1; 2(K+1)·Σ|h|² is noncentral χ² of 2N degrees."""
    scaled = 2.0 * (k_factor + 1.0) * np.maximum(power, 0.0)
    if k_factor == 0.0:
        central: NDArray[np.float64] = chdtr(2.0 * n_receptions, scaled)
        return central
    noncentral: NDArray[np.float64] = chndtr(scaled, 2.0 * n_receptions, 2.0 * k_factor * n_receptions)
    return noncentral


def combined_power_quantiles(k_factor: float, n_receptions: int, n: int) -> NDArray[np.float64]:
    """Middles of n strata of equal probability, [n], rising."""
    middles = (np.arange(n) + 0.5) / n
    scaled = chndtrix(middles, 2.0 * n_receptions, 2.0 * k_factor * n_receptions)
    quantiles: NDArray[np.float64] = scaled / (2.0 * (k_factor + 1.0))
    return quantiles
