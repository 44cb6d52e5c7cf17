"""Distances, propagation delays and path losses."""

from __future__ import annotations

import math

from pydantic import Field

from simnet.core.streams import LARGEST_NORMAL, normal
from simnet.core.units import SPEED_OF_LIGHT_M_PER_S, linear_to_db
from simnet.topology.plan import Plan

REFERENCE_DISTANCE_M = 1.0
"""Nearer than this, path loss is that at this distance: the far-field formulas don't hold."""
EARTH_RADIUS_M = 6_371_008.8
"""Mean radius (IUGG)."""
FIBRE_GROUP_INDEX = 1.468
"""Of silica fibre at 1550 nm (ITU-T G.652 fibres' data sheets)."""


def free_space_path_loss_db(distance_m: float, carrier_hz: float) -> float:
    """Friis: 20 log10(4π d f / c) between isotropic antennas; ≥ 0 wherever the formula holds."""
    return 2.0 * linear_to_db(4.0 * math.pi * distance_m * carrier_hz / SPEED_OF_LIGHT_M_PER_S)


def log_distance_path_loss_db(distance_m: float, *, reference_loss_db: float, exponent: float) -> float:
    """Reference loss at 1 m plus 10 n log10(d / 1 m)."""
    distance_m = max(distance_m, REFERENCE_DISTANCE_M)
    return reference_loss_db + exponent * linear_to_db(distance_m / REFERENCE_DISTANCE_M)


def great_circle_m(a_degree: tuple[float, float], b_degree: tuple[float, float]) -> float:
    """Distance along the Earth's surface between two (longitude, latitude) in degrees (haversine formula)."""
    (east_a, north_a), (east_b, north_b) = (tuple(map(math.radians, place)) for place in (a_degree, b_degree))
    half = math.sin((north_b - north_a) / 2) ** 2
    half += math.cos(north_a) * math.cos(north_b) * math.sin((east_b - east_a) / 2) ** 2
    return 2.0 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))


def air_delay_s(distance_m: float) -> float:
    """Time that a radio wave takes."""
    return distance_m / SPEED_OF_LIGHT_M_PER_S


def fibre_delay_s(distance_m: float) -> float:
    """Time that light takes in a fibre laid straight."""
    return distance_m * FIBRE_GROUP_INDEX / SPEED_OF_LIGHT_M_PER_S


class LogDistance(Plan):
    """Log-distance path loss with log-normal shadowing of each link (T. Rappaport, Wireless Communications,
    4.9)."""

    carrier_hz: float = Field(default=868e6, gt=0)
    """Sets the loss at 1 m, that of free space."""
    exponent: float = Field(default=3.0, ge=1.0, le=8.0)
    """2 is free space; 2.7 to 3.5 urban; 4 to 6 inside buildings."""
    shadowing_sigma_db: float = Field(default=6.0, ge=0.0, le=30.0)

    def mean_path_loss_db(self, distance_m: float) -> float:
        """Without shadowing."""
        at_1_m_db = free_space_path_loss_db(REFERENCE_DISTANCE_M, self.carrier_hz)
        return log_distance_path_loss_db(distance_m, reference_loss_db=at_1_m_db, exponent=self.exponent)

    def shadowing_db(self, seed: int, a: str, b: str) -> float:
        """Of the link between ``a`` and ``b``, the same in both directions; in size ≤ :attr:`most_shadowing_db`."""
        first, second = sorted((a, b))
        return self.shadowing_sigma_db * normal(seed, "shadowing", first, second)

    @property
    def most_shadowing_db(self) -> float:
        return self.shadowing_sigma_db * LARGEST_NORMAL

    def path_loss_db(self, distance_m: float, *, seed: int, a: str, b: str) -> float:
        """With the shadowing of the link between ``a`` and ``b``."""
        return self.mean_path_loss_db(distance_m) + self.shadowing_db(seed, a, b)
