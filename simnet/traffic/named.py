"""The traffic that a scenario names, made with its settings."""

from __future__ import annotations

from simnet.core.plugins import KINDS
from simnet.scenario.schema import Scenario
from simnet.traffic.base import Traffic


def traffic_of(scenario: Scenario) -> Traffic:
    """The plug-in, made."""
    traffic: Traffic = KINDS["traffic"].load(scenario.traffic.kind)(scenario.traffic.params)
    return traffic


def left_out(scenario: Scenario) -> str | None:
    """What of its traffic the scenario's run leaves out, in words; None: nothing."""
    words = traffic_of(scenario).left_out(scenario.duration_s)
    return None if words is None else f"traffic: {words}"
