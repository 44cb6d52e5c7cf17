"""A network as a topology plans it: nodes with places, links with media; no behaviour yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from simnet.core.errors import MOST_NAMES, among
from simnet.core.terms import Tier

Medium = Literal["wireless", "wired"]
MAX_NAME = 200
"""Longest name of a node or of a link class, in characters."""
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
MAX_COUNT = 1_000_000
"""Most nodes or links of a kind."""
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Positive = Annotated[int, Field(ge=1, le=MAX_COUNT)]
Misfit = tuple[tuple[str | int, ...], str]
"""Path of the entry in the plan, such as ``("links", 0, "a")``; what is wrong with it."""


class Plan(BaseModel):
    """Base of plans and of the plug-ins' settings: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NodePlan(Plan):
    """A node: its name, its tier, and its place in metres east and north of the map's origin."""

    name: Name
    tier: Tier
    x_m: float = Field(default=0.0, description="of maps; explicit: losses and delays of links don't follow from it")
    y_m: float = Field(default=0.0, description="like x_m, north")


class LinkPlan(Plan):
    """A link between two nodes, for both directions."""

    a: Name
    b: Name
    medium: Medium
    link_class: Name = Field(description="name of a radio class or of a wire class in the scenario")
    carrier: str | None = Field(
        default=None,
        description="wireless: the half-duplex carrier that the link shares, named by the end that runs it",
    )
    path_loss_db: float | None = Field(
        default=None,
        ge=-1000.0,
        le=1000.0,
        description="wireless: mean loss between antennas, shadowing included, dB",
    )
    delay_s: float = Field(default=0.0, ge=0.0, description="propagation delay, s")

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
    are ends of their links."""

    nodes: tuple[NodePlan, ...]
    links: tuple[LinkPlan, ...]

    @model_validator(mode="after")
    def _check(self) -> NetworkPlan:
        found = [
            InitErrorDetails(type="value_error", loc=path, input=None, ctx={"error": ValueError(text)})
            for path, text in self.misfits()
        ]
        if found:
            raise ValidationError.from_exception_data(type(self).__name__, found)
        return self

    def misfits(self) -> Iterator[Misfit]:
        """Entries that don't fit the others."""
        names: dict[str, int] = {}
        for index, node in enumerate(self.nodes):
            first = names.setdefault(node.name, index)
            if first != index:
                text = f"node {node.name!r} appears twice, first as nodes.{first}; give each node its own name"
                yield ("nodes", index, "name"), text
        pairs: dict[frozenset[str], int] = {}
        named: dict[str, int] = {}
        for index, link in enumerate(self.links):
            unknown = [key for key in ("a", "b") if getattr(link, key) not in names]
            for key in unknown:
                got = getattr(link, key)
                yield ("links", index, key), f"link {link.name}: got node {got!r}; {among(got, names, MOST_NAMES)}"
            if link.carrier is not None and link.carrier not in (link.a, link.b) and not unknown:
                text = f"link {link.name}: got carrier {link.carrier!r}; allowed: {link.a!r} or {link.b!r}, the end "
                yield ("links", index, "carrier"), text + "that has the gateway's power and noise figure"
            first = pairs.setdefault(frozenset((link.a, link.b)), index)
            namesake = named.setdefault(link.name, index)
            if first != index:
                text = f"link {link.name} appears twice, first as links.{first}; a link serves both directions"
                yield ("links", index), text
            elif namesake != index:
                text = f"link {link.name}: its ends' names make the name of links.{namesake} too; rename a node"
                yield ("links", index), text

    def class_misfits(self, radios: Mapping[str, object], wires: Mapping[str, object]) -> Iterator[Misfit]:
        """Links of a class that a scenario with these hasn't, and those of one carrier that are of several."""
        first: dict[str, int] = {}
        for index, link in enumerate(self.links):
            part, classes = ("radios", radios) if link.medium == "wireless" else ("wires", wires)
            if link.link_class not in classes:
                text = f"{link.medium} link {link.name}: got class {link.link_class!r}, which {part!r} hasn't"
                yield ("links", index, "link_class"), f"{text}; add it there; {among(link.link_class, classes)}"
            elif link.carrier is not None:
                other = first.setdefault(link.carrier, index)
                theirs = self.links[other].link_class
                if radios[theirs] != radios[link.link_class]:
                    text = f"link {link.name}: got class {link.link_class!r} on carrier {link.carrier}, of which "
                    text += f"links.{other} is of {theirs!r}; allowed: one class for all links of a carrier; to make "
                    yield ("links", index, "link_class"), text + "links differ, give each its path_loss_db"
