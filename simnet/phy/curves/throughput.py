"""Goodput of a saturated link over Es/N0: fixed schemes and the adaptive choice, with ARQ and with HARQ.

Nothing is simulated: error rates are those of the zoo's AWGN tables. Every transmission of a block is one renewal of
the channel: in AWGN nothing changes, under Rayleigh block fading each meets its own gain, known at both ends. So

    goodput = payload bits · P(delivered) / (channel uses · mean transmissions),

with payload bits that leave out the CRC. ARQ forgets a failed block; HARQ adds up the symbols of up to N transmissions
(Chase combining), which makes them one reception of their total energy, and then gives up. That a block fails N times
is taken to be that its sum fails: G. Caire, D. Tuninetti, "The throughput of hybrid-ARQ protocols for the Gaussian
collision channel", IEEE Trans. Inf. Theory 47(5), 2001.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.units import db_to_linear
from simnet.phy.blocks import BlockFormat
from simnet.phy.bounds.capacity import capacity, ergodic_rayleigh_capacity
from simnet.phy.bounds.fading_power import combined_power_cdf, combined_power_quantiles
from simnet.phy.curves.references import Staircase
from simnet.phy.tables.bler import load_table, thresholds

Channel = Literal["awgn", "rayleigh_block"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
Protection = Literal["arq", "harq"]
ADAPTIVE = "adaptive"
_N_QUANTILE = 500
_STEP_DB = 0.05


@dataclass(frozen=True)
class GoodputPoint:
    """One point.

    Attributes:
        esno_db: mean Es/N0.
        goodput: payload bits per channel use.
        bler: of first transmissions.
        transmissions: mean per block, to its delivery or to giving up.
        capacity: log2(1 + Es/N0), or its mean over the fading, bits per channel use.
    """

    esno_db: float
    goodput: float
    bler: float
    transmissions: float
    capacity: float


@dataclass(frozen=True)
class Link:
    """What is sent over the link.

    Attributes:
        formats: of one code and one number of information bits, to send with and to choose from.
        target_bler: of the adaptive choice.
        attempts: transmissions of a block at most, with HARQ.

    Raises:
        SimnetError: a value is not allowed.
    """

    formats: tuple[BlockFormat, ...]
    target_bler: float = 0.1
    attempts: int = 4

    def __post_init__(self) -> None:
        if len({(each.code, each.k) for each in self.formats}) != 1:
            raise SimnetError(f"goodput: got {len(self.formats)} block formats; allowed one or more, of one code and k")
        if not 0.0 < self.target_bler < 1.0:
            raise SimnetError(f"target BLER of the adaptive choice: got {self.target_bler}; allowed between 0 and 1")
        if self.attempts < 1:
            raise SimnetError(f"transmissions of a block (attempts): got {self.attempts}; allowed 1 or more")


@dataclass(frozen=True)
class GoodputCurve:
    """One curve.

    Attributes:
        link: what is sent.
        channel: ``awgn`` or ``rayleigh_block``.
        scheme: name of an MCS, or ``adaptive``: the fastest MCS that meets the target at the known Es/N0 of the first
            transmission.
        protection: ``arq`` or ``harq``, which keeps the scheme of a block's first transmission.
        points: of rising Es/N0.
    """

    link: Link
    channel: Channel
    scheme: str
    protection: Protection
    points: tuple[GoodputPoint, ...]

    def rows(self) -> list[dict[str, object]]:
        """The points as lines of a file."""
        one = self.link.formats[0]
        settings = {
            "code": one.code,
            "k": one.k,
            "channel": self.channel,
            "scheme": self.scheme,
            "protection": self.protection,
            "attempts": self.link.attempts if self.protection == "harq" else None,
            "target_bler": self.link.target_bler if self.scheme == ADAPTIVE else None,
        }
        return [{**settings, **vars(point)} for point in self.points]

    def __str__(self) -> str:
        best = max(self.points, key=lambda point: point.goodput)
        return (
            f"{self.channel}, {self.scheme}, {self.protection}: up to {best.goodput:.3f} payload bits per channel use, "
            f"at {best.esno_db:g} dB"
        )


def goodput_curves(link: Link, channels: Sequence[str], steps_db: Sequence[float]) -> Iterator[GoodputCurve]:
    """Curve after curve: for each channel every scheme and the adaptive choice, with ARQ and with HARQ.

    Args:
        link: what is sent.
        channels: of :data:`CHANNELS`.
        steps_db: mean Es/N0 of the points.

    Raises:
        UnknownName: no such channel.
        SimnetError: the zoo has no BLER table of one of the formats.
    """
    for name in channels:
        if name not in CHANNELS:
            raise UnknownName("channel of goodput curves", name, CHANNELS)
    calculator = _Goodput(link)
    for channel in CHANNELS:
        if channel not in channels:
            continue
        for scheme in (*calculator.formats, ADAPTIVE):
            for protection in get_args(Protection):
                points = (calculator.point(channel, scheme, protection, esno_db) for esno_db in sorted(steps_db))
                yield GoodputCurve(link, channel, scheme, protection, tuple(points))


@dataclass(frozen=True, eq=False)
class _Sent:
    """What becomes of blocks whose first transmission meets given gains of equal probability.

    Attributes:
        failure: P(not delivered after j transmissions), [attempts, gains].
        channel_uses: of one transmission, [gains].
    """

    failure: NDArray[np.float64]
    channel_uses: NDArray[np.int64]


class _Goodput:
    """Goodputs of a link, with what they share."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.formats = {each.mcs.name: each for each in link.formats}
        self.stairs = {name: Staircase.of(load_table(each), _STEP_DB) for name, each in self.formats.items()}
        one, schemes = link.formats[0], tuple(each.mcs for each in link.formats)
        self.ladder = thresholds(one.k, link.target_bler, schemes, one.code)

    def point(self, channel: Channel, scheme: str, protection: Protection, esno_db: float) -> GoodputPoint:
        esno = db_to_linear(esno_db)
        gains = np.ones(1) if channel == "awgn" else combined_power_quantiles(0.0, 1, _N_QUANTILE)
        attempts = self.link.attempts if protection == "harq" else 1
        sent = self._sent(scheme, gains * esno, esno, attempts, fades=channel != "awgn")
        # With ARQ a block is sent until it is delivered, so delivered per sent is what counts: one transmission tells.
        transmissions = 1.0 + sent.failure[:-1].sum(axis=0)
        delivered = 1.0 - sent.failure[-1].mean()
        payload_bits = 8 * self.link.formats[0].capacity_byte
        first = float(sent.failure[0].mean())
        limit = capacity(esno) if channel == "awgn" else ergodic_rayleigh_capacity(esno)
        return GoodputPoint(
            esno_db,
            float(payload_bits * delivered / (sent.channel_uses * transmissions).mean()),
            first,
            float(transmissions.mean()) if protection == "harq" else 1.0 / max(1.0 - first, 1e-300),
            limit,
        )

    def _sent(self, scheme: str, first: NDArray[np.float64], mean_esno: float, attempts: int, *, fades: bool) -> _Sent:
        """Blocks whose first transmissions meet the Es/N0 ``first`` [gains]."""
        names = self._choice(first) if scheme == ADAPTIVE else [scheme] * len(first)
        failure = np.empty((attempts, len(first)))
        channel_uses = np.empty(len(first), dtype=np.int64)
        for name in dict.fromkeys(names):
            mine = np.array([each == name for each in names])
            channel_uses[mine] = self.formats[name].channel_uses
            for index in range(attempts):
                stairs = self.stairs[name]
                if index == 0 or not fades:
                    failure[index, mine] = stairs.bler((index + 1) * first[mine])
                else:
                    rest = (stairs.esno[:, None] - first[mine]) / mean_esno
                    drops = stairs.drop @ combined_power_cdf(rest, 0.0, index)
                    failure[index, mine] = np.minimum(drops + stairs.floor, 1.0)  # the sum may be a rounding too large
        return _Sent(failure, channel_uses)

    def _choice(self, esno: NDArray[np.float64]) -> list[str]:
        """The adaptive choice at each known Es/N0, as :func:`simnet.phy.tables.bler.select_mcs` makes it."""
        return [
            next((mcs.name for least, mcs in self.ladder if each >= least), self.ladder[-1][1].name) for each in esno
        ]
