"""A network as a topology plans it: nodes with places, links with media; no behaviour yet."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simnet.core.errors import nearest
from simnet.core.terms import Tier

Medium = Literal["wireless", "wired"]
MAX_NAME = 200
"""Longest name of a node or of a link class, in characters."""
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
MAX_COUNT = 1_000_000
"""Most nodes or links of a kind."""
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Positive = Annotated[int, Field(ge=1, le=MAX_COUNT)]


class Plan(BaseModel):
    """Base of plans and of the plug-ins' settings: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NodePlan(Plan):
    """A node: its name, its tier, and its place in metres east and north of the map's origin."""

    name: Name
    tier: Tier
    x_m: float = 0.0
    y_m: float = 0.0


class LinkPlan(Plan):
    """A link between two nodes, for both directions."""

    a: Name
    b: Name
    medium: Medium
    link_class: Name
    """Name of a radio class or of a wire class in the scenario."""
    carrier: str | None = None
    """Wireless: name of the half-duplex carrier that the link shares, which is the name of the node that runs
    it."""
    path_loss_db: float | None = Field(default=None, ge=-1000.0, le=1000.0)
    """Wireless: mean loss between the antennas, shadowing included."""
    delay_s: float = Field(default=0.0, ge=0.0)
    """Propagation delay."""

    @property
    def name(self) -> str:
        return f"{self.a}--{self.b}"

    @model_validator(mode="after")
    def _check(self) -> LinkPlan:
        if self.a == self.b:
            raise ValueError(f"link {self.name}: both ends are {self.a!r}; give two nodes")
        if self.medium == "wireless" and (self.carrier is None or self.path_loss_db is None):
            raise ValueError(f"link {self.name}: a wireless link needs both 'carrier' and 'path_loss_db'")
        if self.medium == "wired" and (self.carrier is not None or self.path_loss_db is not None):
            raise ValueError(f"link {self.name}: a wired link has no 'carrier' and no 'path_loss_db'")
        return self


class NetworkPlan(Plan):
    """All nodes and links, names checked: each node and each link once, each pair linked at most once, carriers
    are nodes."""

    nodes: tuple[NodePlan, ...]
    links: tuple[LinkPlan, ...]

    @model_validator(mode="after")
    def _check(self) -> NetworkPlan:
        names: set[str] = set()
        for node in self.nodes:
            if node.name in names:
                raise ValueError(f"node {node.name!r} appears twice; give each node its own name")
            names.add(node.name)
        pairs: set[frozenset[str]] = set()
        named: set[str] = set()
        for link in self.links:
            for end in (link.a, link.b, link.carrier):
                if end is not None and end not in names:
                    raise ValueError(f"link {link.name}: no node {end!r}{_did_you_mean(end, names)}")
            pair = frozenset((link.a, link.b))
            if pair in pairs:
                raise ValueError(f"link {link.name} appears twice; a link serves both directions")
            if link.name in named:
                raise ValueError(f"link {link.name}: its ends' names make the name of another link; rename a node")
            pairs.add(pair)
            named.add(link.name)
        return self


def _did_you_mean(got: str, names: set[str]) -> str:
    near = nearest(got, sorted(names))
    return f"; did you mean {near!r}?" if near else ""
