"""The nearest holder, found by heaps, is the one that a look at all of them finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simnet.net.holders import Holders
from simnet.net.routing import Routes

GATEWAYS = ("g0", "g1", "g2")
DEVICES = tuple(f"d{i}" for i in range(9))


@dataclass(frozen=True)
class Line:
    """A link that takes the same time both ways."""

    nodes: tuple[str, str]
    airtime_s: float

    def other(self, node: str) -> str:
        return self.nodes[node == self.nodes[0]]

    def expected_airtime_s(self, n_byte: int, sender: str) -> float:
        return self.airtime_s

    usual_airtime_s = expected_airtime_s

    def expected_energy_j(self, n_byte: int, sender: str) -> float:
        return 0.0


class Holding:
    """A node, as far as :class:`Holders` asks it."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.n_asked = 0

    def offers(self, slice_id: str) -> bool:
        self.n_asked += 1
        return slice_id in self.held


times_s = st.sampled_from([0.5, 1.0, 1.5, 2.0])
lines = st.tuples(
    st.lists(times_s, min_size=2, max_size=2),
    st.lists(st.tuples(st.sampled_from(GATEWAYS), times_s), min_size=len(DEVICES), max_size=len(DEVICES)),
)
changes = st.lists(st.tuples(st.sampled_from(DEVICES + GATEWAYS), st.booleans()), max_size=40)


def routes_of(between: list[float], attached: list[tuple[str, float]]) -> Routes[Any]:
    """Gateways in a row, devices at them."""
    links = [Line((a, b), s) for a, b, s in zip(GATEWAYS, GATEWAYS[1:], between, strict=False)]
    links += [Line((device, gateway), s) for device, (gateway, s) in zip(DEVICES, attached, strict=True)]
    return Routes({name: [link for link in links if name in link.nodes] for name in GATEWAYS + DEVICES})


@given(lines=lines, changes=changes, target=st.sampled_from(DEVICES), expiring=st.booleans())
def test_the_nearest_is_that_of_a_look_at_all(
    lines: tuple[list[float], list[tuple[str, float]]], changes: list[tuple[str, bool]], target: str, expiring: bool
) -> None:
    """Whoever has lost its copy is passed over, and found again when it has stored another; equals go by name."""
    routes, nodes = routes_of(*lines), {name: Holding() for name in GATEWAYS + DEVICES}
    holders = Holders(nodes, routes, expiring=expiring)  # type: ignore[arg-type]
    nodes["g0"].held.add("s")
    holders.add("s", "g0")
    for name, stores in changes:
        if stores:
            nodes[name].held.add("s")
            holders.add("s", name)
        elif name != "g0":
            nodes[name].held.discard("s")
        offering = [each for each, node in nodes.items() if node.offers("s")]
        assert holders.nearest("s", target) == min(offering, key=lambda each: (routes.distance_s(each, target), each))


def test_where_slices_expire_all_that_are_known_to_have_one_are_asked_until_they_have_lost_it() -> None:
    routes = routes_of([1.0, 1.0], [("g0", 1.0)] * len(DEVICES))
    for expiring in (False, True):
        nodes = {name: Holding() for name in GATEWAYS + DEVICES}
        holders = Holders(nodes, routes, expiring=expiring)  # type: ignore[arg-type]
        for name in DEVICES:
            nodes[name].held.add("s")
            holders.add("s", name)
        nodes["d7"].held.clear()
        assert [holders.nearest("s", "g0") for _ in range(3)] == ["d0"] * 3
        asked = {name: node.n_asked for name, node in nodes.items() if node.n_asked}
        rest = {**dict.fromkeys(DEVICES[1:], 3), "d7": 1} if expiring else {}
        assert asked == {"d0": 6 if expiring else 3, **rest}
