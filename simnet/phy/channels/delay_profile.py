"""Power delay profiles of tapped delay lines, with those of 3GPP TR 38.901, 7.7.2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simnet.core.errors import SimnetError
from simnet.core.units import db_to_linear


def rms_delay_spread(delays: ArrayLike, powers: ArrayLike) -> float:
    """√(Σ p·τ² − (Σ p·τ)²) with linear powers p scaled to Σ p = 1, in the unit of the delays."""
    delay, power = np.asarray(delays, dtype=np.float64), np.asarray(powers, dtype=np.float64)
    mean = np.average(delay, weights=power)
    return float(np.sqrt(np.average((delay - mean) ** 2, weights=power)))


@dataclass(frozen=True)
class PowerDelayProfile:
    """Mean power of the taps over their delay.

    Attributes:
        name: as in messages.
        delays: τ_k over the RMS delay spread, from 0 up, in any order.
        powers_db: mean power of the scattered (Rayleigh) part of each tap, in dB, of any common scale.
        los_power_db: power of the line of sight at delay 0, in dB, on the same scale; None where there is none.

    Raises:
        SimnetError: no taps, not as many delays as powers, or a negative delay.
    """

    name: str
    delays: tuple[float, ...]
    powers_db: tuple[float, ...]
    los_power_db: float | None = None

    def __post_init__(self) -> None:
        if not self.delays or len(self.delays) != len(self.powers_db) or min(self.delays) < 0:
            raise SimnetError(
                f"power delay profile {self.name!r}: got {len(self.delays)} delays and {len(self.powers_db)} powers; "
                "allowed one power per delay, at least one, and delays of 0 or more"
            )

    @classmethod
    def from_taps(cls, name: str, delays_s: Sequence[float], powers_db: Sequence[float]) -> PowerDelayProfile:
        """The profile of Rayleigh taps given in s and dB, scaled to an RMS delay spread of 1.

        Raises:
            SimnetError: as the class does, or all delays are the same: that is flat fading.
        """
        profile = cls(name, tuple(delays_s), tuple(powers_db))
        spread_s = rms_delay_spread(delays_s, profile.powers)
        if spread_s == 0:
            raise SimnetError(
                f"power delay profile {name!r}: all taps have one delay; allowed two or more delays; "
                "choose Rayleigh fading for a flat channel"
            )
        return cls(name, tuple(delay / spread_s for delay in delays_s), profile.powers_db)

    @cached_property
    def powers(self) -> NDArray[np.float64]:
        """Linear mean powers of the scattered parts, [K]; with the line of sight they add up to 1."""
        return self._linear[:-1]

    @property
    def los_power(self) -> float:
        """Linear power of the line of sight; 0 where there is none."""
        return float(self._linear[-1])

    @cached_property
    def _linear(self) -> NDArray[np.float64]:
        los_db = -np.inf if self.los_power_db is None else self.los_power_db
        linear = db_to_linear(np.array([*self.powers_db, los_db]))
        total: float = linear.sum()
        return linear / total


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split()))


TDL_A = PowerDelayProfile(
    "TDL-A",
    _numbers(
        "0 0.3819 0.4025 0.5868 0.4610 0.5375 0.6708 0.5750 0.7618 1.5375 1.8978 2.2242 "
        "2.1718 2.4942 2.5119 3.0582 4.0810 4.4579 4.5695 4.7966 5.0066 5.3043 9.6586"
    ),
    _numbers(
        "-13.4 0 -2.2 -4 -6 -8.2 -9.9 -10.5 -7.5 -15.9 -6.6 -16.7 "
        "-12.4 -15.2 -10.8 -11.3 -12.7 -16.2 -18.3 -18.9 -16.6 -19.9 -29.7"
    ),
)
"""TR 38.901, table 7.7.2-1; no line of sight."""
TDL_B = PowerDelayProfile(
    "TDL-B",
    _numbers(
        "0 0.1072 0.2155 0.2095 0.2870 0.2986 0.3752 0.5055 0.3681 0.3697 0.5700 0.5283 "
        "1.1021 1.2756 1.5474 1.7842 2.0169 2.8294 3.0219 3.6187 4.1067 4.2790 4.7834"
    ),
    _numbers(
        "0 -2.2 -4 -3.2 -9.8 -1.2 -3.4 -5.2 -7.6 -3 -8.9 -9 -4.8 -5.7 -7.5 -1.9 -7.6 -12.2 -9.8 -11.4 -14.9 -9.2 -11.3"
    ),
)
"""TR 38.901, table 7.7.2-2; no line of sight."""
TDL_C = PowerDelayProfile(
    "TDL-C",
    _numbers(
        "0 0.2099 0.2219 0.2329 0.2176 0.6366 0.6448 0.6560 0.6584 0.7935 0.8213 0.9336 "
        "1.2285 1.3083 2.1704 2.7105 4.2589 4.6003 5.4902 5.6077 6.3065 6.6374 7.0427 8.6523"
    ),
    _numbers(
        "-4.4 -1.2 -3.5 -5.2 -2.5 0 -2.2 -3.9 -7.4 -7.1 -10.7 -11.1 "
        "-5.1 -6.8 -8.7 -13.2 -13.9 -13.9 -15.8 -17.1 -16 -15.7 -21.6 -22.8"
    ),
)
"""TR 38.901, table 7.7.2-3; no line of sight."""
TDL_PROFILES = {"tdl_a": TDL_A, "tdl_b": TDL_B, "tdl_c": TDL_C}
"""Those without a line of sight, by their names in scenarios and channels."""
TDL_D = PowerDelayProfile(
    "TDL-D",
    _numbers("0 0.035 0.612 1.363 1.405 1.804 2.596 1.775 4.042 7.937 9.424 9.708 12.525"),
    _numbers("-13.5 -18.8 -21 -22.8 -17.9 -20.1 -21.9 -22.9 -27.8 -23.6 -24.8 -30 -27.7"),
    los_power_db=-0.2,
)
"""TR 38.901, table 7.7.2-4; line of sight, K = 13.3 dB in the first tap."""
TDL_E = PowerDelayProfile(
    "TDL-E",
    _numbers("0 0.5133 0.5440 0.5630 0.5440 0.7112 1.9092 1.9293 1.9589 2.6426 3.7136 5.4524 12.0034 20.6519"),
    _numbers("-22.03 -15.8 -18.1 -19.8 -22.9 -22.4 -18.6 -20.8 -22.6 -22.3 -25.6 -20.2 -29.8 -29.2"),
    los_power_db=-0.03,
)
"""TR 38.901, table 7.7.2-5; line of sight, K = 22 dB in the first tap."""
