"""Two nodes and one link between them, in a real network, under load."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from simnet.core.tables import TransferRow
from simnet.net.offered_load import Offered, carry
from simnet.scenario.schema import Scenario
from simnet.topology.plan import LinkPlan, NetworkPlan, NodePlan

SYMBOL_RATE_HZ = 1e5
RADIO = {
    "bandwidth_hz": SYMBOL_RATE_HZ, "fading": "none", "mcs": "QPSK 1/2", "fidelity": "ideal", "preamble_symbol": 0,
    "ack_symbol": 0, "turnaround_s": 0.0, "max_burst_s": 1.0, "coherence_time_s": 1.0,
}  # fmt: skip
"""A radio without overhead."""
SHORT_BYTE, LONG_BYTE = 33, 141
"""Payloads that fill one codeword each, of 288 and of 1152 bits with their CRC of 24: one bit per channel use."""
SHORT_S, LONG_S = 288 / SYMBOL_RATE_HZ, 1152 / SYMBOL_RATE_HZ
"""Their airtimes."""


def over_radio(load: Iterable[Offered], *, seed: int, path_loss_db: float = 100.0, **radio: Any) -> list[TransferRow]:
    """Rows of what is sent between ``device`` and ``gateway`` on one carrier.

    Args:
        radio: what differs from :data:`RADIO`.
    """
    link = LinkPlan(
        a="device",
        b="gateway",
        medium="wireless",
        link_class="radio",
        carrier="gateway",
        path_loss_db=path_loss_db,
    )
    return carry(_scenario(seed, radios={"radio": RADIO | radio}), _plan(link), load)


def over_wire(load: Iterable[Offered], *, seed: int, **wire: Any) -> list[TransferRow]:
    """Rows of what is sent between ``device`` and ``gateway`` on a wire.

    Args:
        wire: of the scenario's ``wires``.
    """
    link = LinkPlan(a="device", b="gateway", medium="wired", link_class="wire")
    return carry(_scenario(seed, wires={"wire": wire}), _plan(link), load)


def _plan(link: LinkPlan) -> NetworkPlan:
    nodes = (NodePlan(name="device", tier="device"), NodePlan(name="gateway", tier="gateway"))
    return NetworkPlan(nodes=nodes, links=(link,))


def _scenario(seed: int, **classes: Any) -> Scenario:
    """A scenario around classes of links; its source and codec are named, but nobody asks for anything."""
    return Scenario.model_validate(
        {
            "name": "links",
            "seed": seed,
            "duration_s": 1.0,
            "topology": {"kind": "explicit", "nodes": [], "links": []},
            "sources": {"none": {"dataset": "mnist", "judge": "classifier/digits_judge"}},
            "codecs": {"none": {"kind": "raw", "image_shape": [1, 28, 28]}},
            "traffic": {"kind": "trace", "requests": []},
            "protocol": {"codecs": {}},
            **classes,
        }
    )
