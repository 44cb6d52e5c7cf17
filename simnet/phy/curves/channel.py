"""The channel of a curve, by the settings that users write."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal, get_args

from simnet.core.errors import UnknownName
from simnet.core.units import db_to_linear
from simnet.phy.channels import delay_profile
from simnet.phy.channels.delay_profile import PowerDelayProfile
from simnet.phy.channels.flat_models import Awgn, Rayleigh, Rician
from simnet.phy.channels.grid import OfdmGrid
from simnet.phy.channels.model import ChannelModel
from simnet.phy.channels.registry import CHANNEL_NAMES, channel_by_name
from simnet.phy.channels.tapped_delay_line import TappedDelayLine

Csi = Literal["perfect", "pilot"]
K_FACTOR_DB, N_PILOT = 6.0, 8
RMS_DELAY_SPREAD_S, SUBCARRIERS, SUBCARRIER_SPACING_HZ, PILOT_SPACING = 1e-6, 64, 15e3, 4
_GRID = ("subcarriers", "subcarrier_spacing_hz", "cyclic_prefix")


@dataclass(frozen=True)
class ChannelSettings:
    """A channel between symbols sent and received, and what the receiver knows of it. None is the default.

    Pilots cost energy and channel uses that neither Es/N0 nor Eb/N0 count.

    Attributes:
        name: one of :data:`simnet.phy.channels.registry.CHANNEL_NAMES`.
        csi: ``perfect``: the receiver knows the gains; ``pilot``: it estimates them.
        k_factor_db: of ``rician_*``.
        n_pilot: of flat channels with ``csi`` pilot: pilots sent with each block.
        rms_delay_spread_s: of ``tdl_*``, as what follows.
        doppler_hz: maximum Doppler shift.
        subcarriers: of OFDM.
        subcarrier_spacing_hz: their distance.
        cyclic_prefix: samples; by default as many as the longest delay takes.
        pilots: ``comb`` or ``block``, with ``csi`` pilot.
        pilot_spacing: of subcarriers or OFDM symbols.

    Raises:
        UnknownName: no such channel or ``csi``, or a setting that the channel has not.
        SimnetError: a setting's value is not allowed.
    """

    name: str = "awgn"
    csi: Csi = "perfect"
    k_factor_db: float | None = None
    n_pilot: int | None = None
    rms_delay_spread_s: float | None = None
    doppler_hz: float | None = None
    subcarriers: int | None = None
    subcarrier_spacing_hz: float | None = None
    cyclic_prefix: int | None = None
    pilots: Literal["comb", "block"] | None = None
    pilot_spacing: int | None = None

    def __post_init__(self) -> None:
        if self.csi not in get_args(Csi):
            raise UnknownName("channel knowledge (csi)", self.csi, get_args(Csi))
        self.model  # noqa: B018  built now, so that errors come now

    @cached_property
    def in_force(self) -> dict[str, Any]:
        """The settings that this channel has, defaults filled in.

        Raises:
            UnknownName: one was given that it has not.
        """
        own: dict[str, Any] = {}
        if self.name.startswith("rician"):
            own["k_factor_db"] = K_FACTOR_DB
        if self.name.startswith("tdl"):
            own |= {
                "rms_delay_spread_s": RMS_DELAY_SPREAD_S,
                "doppler_hz": 0.0,
                **dict(zip(_GRID, (SUBCARRIERS, SUBCARRIER_SPACING_HZ, None), strict=True)),
            }
            if self.csi == "pilot":
                own |= {"pilots": "comb", "pilot_spacing": PILOT_SPACING}
        elif self.csi == "pilot":
            own["n_pilot"] = N_PILOT
        given = {field.name: getattr(self, field.name) for field in fields(self)[2:]}
        for key, value in given.items():
            if value is None:
                continue
            if key not in own:
                raise UnknownName(f"setting of channel {self.name!r} with csi {self.csi!r}", key, own)
            own[key] = value
        return own

    @cached_property
    def model(self) -> ChannelModel:
        """The channel."""
        if self.name not in CHANNEL_NAMES or not self.name.startswith("tdl"):
            return channel_by_name(self.name, **self.in_force)
        own = dict(self.in_force)
        n_subcarriers, spacing_hz, prefix = (own.pop(key) for key in _GRID)
        pilots = {key: own.pop(key) for key in ("pilots", "pilot_spacing") if key in own}
        if prefix is None:
            profile: PowerDelayProfile = getattr(delay_profile, self.name.upper())
            longest_s = max(profile.delays) * own["rms_delay_spread_s"]
            prefix = math.ceil(longest_s * n_subcarriers * spacing_hz - 1e-9)
        return channel_by_name(self.name, grid=OfdmGrid(n_subcarriers, spacing_hz, prefix, **pilots), **own)

    @property
    def k_factor(self) -> float | None:
        """Rician K (linear) of the gain that a symbol meets, 0 for Rayleigh; None for AWGN, whose gain is 1."""
        model = self.model
        if isinstance(model, Awgn):
            return None
        if isinstance(model, Rician):
            return db_to_linear(model.k_factor_db)
        if isinstance(model, TappedDelayLine):
            return model.profile.los_power / (1.0 - model.profile.los_power)
        return 0.0

    @property
    def memory(self) -> Literal["none", "flat", "selective"]:
        """How the gains of a block's symbols depend on each other: not at all, all the same, or in part."""
        model = self.model
        if isinstance(model, Rayleigh | Rician):
            return "flat" if model.fading == "block" else "none"
        return "none" if isinstance(model, Awgn) else "selective"

    @property
    def settings(self) -> str:
        """What is in force, ``key=value`` joined by spaces, as files hold it."""
        pairs = {key: value for key, value in self.in_force.items() if value is not None}
        return " ".join(f"{key}={f'{value:g}' if isinstance(value, float) else value}" for key, value in pairs.items())
