"""The shapes that the generator draws: a graph of the nodes 0 … n − 1, and a place for each."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Literal

import networkx as nx
from pydantic import Field, model_validator

from simnet.core.streams import generator, uniform
from simnet.topology.layout import Place, circle
from simnet.topology.plan import MAX_COUNT, Plan, Positive

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Shape(Plan):
    """A graph generator with its settings."""

    @abstractmethod
    def graph(self, places: list[Place], seed: int) -> nx.Graph:
        """The graph of the nodes 0 … n − 1 at these places."""

    @abstractmethod
    def places(self, side_m: float, seed: int) -> list[Place]:
        """One place in [0, side]² per node."""


class Star(Shape):
    """One node in the middle, linked to all others."""

    shape: Literal["star"]
    nodes: Positive

    def graph(self, places: list[Place], seed: int) -> nx.Graph:
        return nx.star_graph(self.nodes - 1)

    def places(self, side_m: float, seed: int) -> list[Place]:
        return [(side_m / 2, side_m / 2), *_on_circle(self.nodes - 1, side_m)]


class Path(Shape):
    """A row of nodes, each linked to the next."""

    shape: Literal["path"]
    nodes: Positive

    def graph(self, places: list[Place], seed: int) -> nx.Graph:
        return nx.path_graph(self.nodes)

    def places(self, side_m: float, seed: int) -> list[Place]:
        return [(side_m * (index + 0.5) / self.nodes, side_m / 2) for index in range(self.nodes)]


class Ring(Shape):
    """A closed row of at least three nodes."""

    shape: Literal["ring"]
    nodes: Annotated[int, Field(ge=3, le=MAX_COUNT)]

    def graph(self, places: list[Place], seed: int) -> nx.Graph:
        return nx.cycle_graph(self.nodes)

    def places(self, side_m: float, seed: int) -> list[Place]:
        return _on_circle(self.nodes, side_m)


class Grid2d(Shape):
    """Rows and columns; each node is linked to its neighbours in both."""

    shape: Literal["grid_2d"]
    rows: Annotated[int, Field(ge=1, le=1000)]
    columns: Annotated[int, Field(ge=1, le=1000)]

    def graph(self, places: list[Place], seed: int) -> nx.Graph:
        grid = nx.grid_2d_graph(self.rows, self.columns)
        return nx.relabel_nodes(grid, {(row, column): row * self.columns + column for row, column in grid})

    def places(self, side_m: float, seed: int) -> list[Place]:
        step_m = side_m / max(self.rows, self.columns)
        cells = [(row, column) for row in range(self.rows) for column in range(self.columns)]
        return [((column + 0.5) * step_m, (row + 0.5) * step_m) for row, column in cells]


class ErdosRenyi(Shape):
    """Each pair is linked with the same probability."""

    shape: Literal["erdos_renyi"]
    nodes: Positive
    probability: Share

    def graph(self, places: list[Place], seed: int) -> nx.Graph:
        return nx.fast_gnp_random_graph(self.nodes, self.probability, seed=_seed(seed))

    def places(self, side_m: float, seed: int) -> list[Place]:
        return _anywhere(self.nodes, side_m, seed)


class BarabasiAlbert(Shape):
    """Grown node by node; each new one links to earlier ones, rather to those that have many links."""

    shape: Literal["barabasi_albert"]
    nodes: Annotated[int, Field(ge=2, le=MAX_COUNT)]
    links_of_new: Annotated[int, Field(ge=1)]
    """Links that each new node brings; less than ``nodes``."""

    def graph(self, places: list[Place], seed: int) -> nx.Graph:
        return nx.barabasi_albert_graph(self.nodes, self.links_of_new, seed=_seed(seed))

    def places(self, side_m: float, seed: int) -> list[Place]:
        return _anywhere(self.nodes, side_m, seed)

    @model_validator(mode="after")
    def _check(self) -> BarabasiAlbert:
        if self.links_of_new >= self.nodes:
            raise ValueError(f"links_of_new: got {self.links_of_new}; allowed: 1 to {self.nodes - 1}")
        return self


class WattsStrogatz(Shape):
    """A ring in which each node is linked to its nearest ones, some links then turned to far ones."""

    shape: Literal["watts_strogatz"]
    nodes: Annotated[int, Field(ge=3, le=MAX_COUNT)]
    neighbours: Annotated[int, Field(ge=2, multiple_of=2)]
    """Links of each node before the turning, half of them to each side; less than ``nodes``."""
    rewiring: Share

    def graph(self, places: list[Place], seed: int) -> nx.Graph:
        return nx.watts_strogatz_graph(self.nodes, self.neighbours, self.rewiring, seed=_seed(seed))

    def places(self, side_m: float, seed: int) -> list[Place]:
        return _on_circle(self.nodes, side_m)

    @model_validator(mode="after")
    def _check(self) -> WattsStrogatz:
        if self.neighbours >= self.nodes:
            raise ValueError(f"neighbours: got {self.neighbours}; allowed: even, below {self.nodes}")
        return self


class RandomGeometric(Shape):
    """Nodes anywhere in the square, linked if nearer than a radius. Adding nodes moves no other."""

    shape: Literal["random_geometric"]
    nodes: Positive
    radius_m: Annotated[float, Field(gt=0.0)]

    def graph(self, places: list[Place], seed: int) -> nx.Graph:
        return nx.random_geometric_graph(self.nodes, self.radius_m, pos=dict(enumerate(places)))

    def places(self, side_m: float, seed: int) -> list[Place]:
        return _anywhere(self.nodes, side_m, seed)


AnyShape = Annotated[
    Star | Path | Ring | Grid2d | ErdosRenyi | BarabasiAlbert | WattsStrogatz | RandomGeometric,
    Field(discriminator="shape"),
]


def _seed(seed: int) -> int:
    return int(generator(seed, "graph").integers(2**63))


def _on_circle(n: int, side_m: float) -> list[Place]:
    return circle(n, centre=(side_m / 2, side_m / 2), radius_m=side_m / 2)


def _anywhere(n: int, side_m: float, seed: int) -> list[Place]:
    return [(side_m * uniform(seed, "x", index), side_m * uniform(seed, "y", index)) for index in range(n)]
