"""Channel models by the names that users write."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from simnet.core.errors import SimnetError, UnknownName
from simnet.phy.channels import delay_profile
from simnet.phy.channels.flat_models import Awgn, Rayleigh, Rician
from simnet.phy.channels.model import ChannelModel
from simnet.phy.channels.tapped_delay_line import TappedDelayLine

_MODELS: dict[str, Callable[..., ChannelModel]] = {
    "awgn": Awgn,
    "rayleigh_block": partial(Rayleigh, fading="block"),
    "rayleigh_fast": partial(Rayleigh, fading="fast"),
    "rician_block": partial(Rician, fading="block"),
    "rician_fast": partial(Rician, fading="fast"),
    **{name: partial(TappedDelayLine, profile=profile) for name, profile in delay_profile.TDL_PROFILES.items()},
    "tdl_d": partial(TappedDelayLine, profile=delay_profile.TDL_D),
    "tdl_e": partial(TappedDelayLine, profile=delay_profile.TDL_E),
}
CHANNEL_NAMES = tuple(_MODELS)
"""What :func:`channel_by_name` knows."""


def channel_by_name(name: str, **settings: Any) -> ChannelModel:
    """The channel model of that name.

    Args:
        name: one of :data:`CHANNEL_NAMES`.
        settings: the model's attributes, e.g. ``k_factor_db=6`` of ``rician_block``, or ``rms_delay_spread_s``,
            ``grid`` and ``doppler_hz`` of ``tdl_a``.

    Raises:
        UnknownName: no such channel, or the channel has no such setting.
        SimnetError: a setting is missing, or its value not allowed.
    """
    if name not in _MODELS:
        raise UnknownName("channel", name, CHANNEL_NAMES)
    model = _MODELS[name]
    fixed = model.keywords if isinstance(model, partial) else {}
    parameters = {key: value for key, value in inspect.signature(model).parameters.items() if key not in fixed}
    for key in settings:
        if key not in parameters:
            raise UnknownName(f"setting of channel {name!r}", key, parameters)
    required = [key for key, parameter in parameters.items() if parameter.default is inspect.Parameter.empty]
    missing = [key for key in required if key not in settings]
    if missing:
        raise SimnetError(
            f"channel {name!r}: missing setting {', '.join(missing)}; required are {', '.join(required)}, "
            f"allowed {', '.join(parameters)}"
        )
    return model(**settings)
