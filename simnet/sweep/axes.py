"""Blocks of axes to the settings of points: which key gets which value, and what the results' columns say of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from simnet.report.metrics import ANALYSIS, METRICS
from simnet.scenario.errors import Problem, ScenarioError, shown
from simnet.scenario.yaml_tree import Node
from simnet.sweep.draws import latin_hypercube_values, random_values
from simnet.sweep.schema import Block, SweepFile

Scalar = str | int | float | bool | None
LABEL = "label"
SEED = "seed"
NO_SEED = (
    "got the key 'seed', which every replication sets; allowed: replications: N beside 'axes', and the sweep's own "
    "seed: there, of which the replications' seeds are functions; take this one away"
)
FIXED_COLUMNS = ("point", "run", "replication", "seed", "arm", "source_type", "cpu")
"""Columns of the results that are no axes' and no metrics'."""
MOST_POINTS = 100_000


@dataclass(frozen=True)
class Setting:
    """One choice, of a block or of all.

    Args:
        values: key.path -> value, with the place in the sweep file where problems with it are said to be.
        columns: column -> what the results say.
    """

    values: Mapping[str, Node] = field(default_factory=dict)
    columns: Mapping[str, Scalar] = field(default_factory=dict)

    def joined(self, other: Setting) -> Setting:
        """Both choices."""
        return Setting({**self.values, **other.values}, {**self.columns, **other.columns})


@dataclass(frozen=True)
class Axis:
    """A column that tells points apart.

    Args:
        column: its name.
        key: the scenario's key whose value it shows; None: a label.
    """

    column: str
    key: str | None


def expand(file: SweepFile, tree: Node) -> tuple[list[Axis], list[Setting]]:
    """The axes in order, and the product of all blocks' settings; the last block changes fastest.

    Args:
        file: the checked file.
        tree: its values with their places.

    Raises:
        ScenarioError: columns that clash, a key in two blocks, values that need a label, too many points.
    """
    blocks = [_Expansion(file, block, _child(tree, "axes", index)) for index, block in enumerate(file.axes)]
    axes: dict[str, Axis] = {}
    owners: dict[str, str] = {}
    problems: list[Problem] = []
    for block in blocks:
        problems += block.problems
        for axis in block.axes:
            problems += _clash(axis, axes, block.node.where)
            axes.setdefault(axis.column, axis)
        for key in block.keys:
            if key in owners:
                text = f"got {key} in two blocks, first at {owners[key]}; allowed: in one"
                problems.append(Problem(("axes",), text, block.node.where))
            elif lost := replaced(key, owners):
                problems.append(Problem(("axes",), _replaces(key, lost), block.node.where))
        owners |= {key: block.node.where for key in block.keys if key not in owners}
    for key in file.columns:
        if key not in owners:
            text = f"got a column for {key}, which is on no axis; allowed: {', '.join(owners) or '(there are no axes)'}"
            problems.append(Problem(("columns", key), text, tree.place(("columns", key))))
    n = math.prod(len(block.settings) for block in blocks)
    if n > MOST_POINTS:
        problems.append(Problem(("axes",), _too_many(n), tree.place(("axes",))))
    if problems:
        raise ScenarioError(problems)
    product = itertools.product(*(block.settings for block in blocks))
    return list(axes.values()), [_all(choices) for choices in product]


def replaced(key: str, earlier: Iterable[str]) -> str | None:
    """The first of the earlier keys whose value is lost when this one is set: it is the same place, or within it."""
    path = _path(key)
    return next((other for other in earlier if _path(other)[: len(path)] == path), None)


def _path(key: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdecimal() else part for part in key.split("."))


def _replaces(key: str, lost: str) -> str:
    return f"got {key} after {lost}, whose value it replaces; allowed: the wider key first, or only one of them"


def lost_in_set(tree: Node) -> Iterator[Problem]:
    """Keys of 'set' whose value a later one replaces; ``--set`` may."""
    assert isinstance(tree.value, dict)
    values = tree.value["set"].value if "set" in tree.value else {}
    assert isinstance(values, dict)
    keys = list(values)
    for index, key in enumerate(keys):
        lost = replaced(key, keys[:index])
        if lost is not None and not values[key].where.startswith("--set"):
            yield Problem(("set",), _replaces(key, lost), values[key].where)


def same_columns(settings: Sequence[Setting]) -> Iterator[Problem]:
    """Points of different settings that the results could not tell apart."""
    known: dict[str, str] = {}
    for setting in settings:
        columns, values = (repr(sorted(each.items())) for each in (setting.columns, _plain(setting)))
        if known.setdefault(columns, values) != values:
            shown_columns = ", ".join(f"{name} = {shown(value)}" for name, value in setting.columns.items())
            text = f"got other settings for the same columns ({shown_columns}); allowed: columns that tell points apart"
            yield Problem(("axes",), text, next(iter(setting.values.values())).where if setting.values else "")


def _plain(setting: Setting) -> dict[str, object]:
    return {key: node.plain() for key, node in setting.values.items()}


def _all(choices: Sequence[Setting]) -> Setting:
    joined = Setting()
    for choice in choices:
        joined = joined.joined(choice)
    return joined


class _Expansion:
    """One block's settings, axes, keys and problems."""

    def __init__(self, file: SweepFile, block: Block, node: Node) -> None:
        self.file = file
        self.node = node
        self.problems: list[Problem] = []
        self.settings: list[Setting] = []
        self.axes: list[Axis] = []
        if block.grid is not None:
            self._take(itertools.product, _child(node, "grid"))
        elif block.zip is not None:
            self._take(lambda *lists: zip(*lists, strict=True), _child(node, "zip"))
        elif block.list is not None:
            self._list(_children(_child(node, "list")))
        elif block.random is not None:
            self._draw(random_values(block.random, file.seed), _child(node, "random", "keys"))
        elif block.latin_hypercube is not None:
            values = latin_hypercube_values(block.latin_hypercube, file.seed)
            self._draw(values, _child(node, "latin_hypercube", "keys"))
        self.keys = list(dict.fromkeys(key for setting in self.settings for key in setting.values))

    def _take(self, combine: object, mapping: Node) -> None:
        """Lists of values per key, combined."""
        assert isinstance(mapping.value, dict) and callable(combine)
        lists = {key: _children(values) for key, values in mapping.value.items()}
        is_product = combine is itertools.product
        for key, values in lists.items():
            for value in values:
                if isinstance(value.value, dict | list):
                    text = f"got {shown(value.plain())} for {key}; allowed: plain values; use 'list' with a label"
                    self.problems.append(Problem(("axes",), text, value.where))
            if is_product:
                self.problems += _repeated(key, values)
        if self.problems:
            return
        n = math.prod(map(len, lists.values())) if is_product else 0
        if n > MOST_POINTS:  # before they are made: they may be more than fit into memory
            self.problems.append(Problem(("axes",), _too_many(n), self.node.where))
            return
        self.axes = [Axis(self._column(key, mapping.value[key]), key) for key in lists]
        for index, key in enumerate(lists):
            if lost := replaced(key, list(lists)[:index]):
                self.problems.append(Problem(("axes",), _replaces(key, lost), mapping.value[key].where))
        names = [axis.column for axis in self.axes]
        for values in combine(*lists.values()):
            columns = dict(zip(names, (value.value for value in values), strict=True))
            self.settings.append(Setting(dict(zip(lists, values, strict=True)), columns))

    def _draw(self, values: Mapping[str, Sequence[int | float]], ranges: Node) -> None:
        assert isinstance(ranges.value, dict)
        self.axes = [Axis(self._column(key, ranges.value[key]), key) for key in values]
        for drawn in zip(*values.values(), strict=True):
            nodes = {key: Node(u, ranges.value[key].where) for key, u in zip(values, drawn, strict=True)}
            self.settings.append(Setting(nodes, {a.column: u for a, u in zip(self.axes, drawn, strict=True)}))

    def _list(self, entries: Sequence[Node]) -> None:
        shows: dict[str, str] = {}
        for entry in entries:
            assert isinstance(entry.value, dict)
            values = {key: node for key, node in entry.value.items() if key != LABEL}
            label = self._label(entry.value.get(LABEL), entry)
            plain = {key: node.value for key, node in values.items() if not isinstance(node.value, dict | list)}
            named = {key: self._column(key, values[key]) for key in plain}
            axes = {column: Axis(column, key) for key, column in named.items() if column not in label}
            for key, column in named.items():
                if column not in label and shows.setdefault(column, key) != key:
                    self.problems.append(Problem(("axes",), _two_keys(column, shows[column], key), entry.where))
            for index, key in enumerate(values):
                if lost := replaced(key, list(values)[:index]):
                    self.problems.append(Problem(("axes",), _replaces(key, lost), entry.where))
            if any(isinstance(node.value, dict | list) for node in values.values()) and not label:
                text = "got a mapping or list as a value; allowed: with a label beside it, as label: {shape: star}"
                self.problems.append(Problem(("axes",), text, entry.where))
            columns: dict[str, Scalar] = {column: plain[str(axis.key)] for column, axis in axes.items()} | label
            axes |= {column: Axis(column, None) for column in label}
            if self.settings and set(columns) != set(self.settings[0].columns):
                text = f"got the columns {_names(columns)}; the first entry has {_names(self.settings[0].columns)}; "
                self.problems.append(
                    Problem(("axes",), text + "allowed: the same in all; a label can fill the gap", entry.where)
                )
            self.axes = self.axes or list(axes.values())
            self.settings.append(Setting(values, columns))

    def _label(self, node: Node | None, entry: Node) -> dict[str, Scalar]:
        if node is None:
            return {}
        label = node.plain()
        if not isinstance(label, dict) or not label or any(isinstance(value, dict | list) for value in label.values()):
            text = f"got the label {shown(label)}; allowed: columns with plain values, as label: {{shape: star}}"
            self.problems.append(Problem(("axes",), text, node.where))
            return {}
        for column in label:
            self._check(column, f"the label's column {column!r}", "another name", node.where)
        return label

    def _column(self, key: str, node: Node) -> str:
        if key == SEED:  # no other column would make it an axis
            self.problems.append(Problem(("axes",), NO_SEED, node.where))
            return key
        column = self.file.columns.get(key, key.rpartition(".")[2])
        self._check(
            column, f"the column {column!r} of {key}", f"a name for it under columns, as {{{key}: NAME}}", node.where
        )
        return column

    def _check(self, column: str, what: str, remedy: str, where: str) -> None:
        if not column.isidentifier() or not column.isascii():
            text = f"got {what}; allowed: letters, digits and _; give it {remedy}"
            self.problems.append(Problem(("axes",), text, where))
        elif column in METRICS or column in FIXED_COLUMNS or column in ANALYSIS:
            text = f"got {what}, which the results have anyway; allowed: another name; give it {remedy}"
            self.problems.append(Problem(("axes",), text, where))


def _repeated(key: str, values: Sequence[Node]) -> Iterator[Problem]:
    """Values that would make the same points once more."""
    known: set[tuple[bool, object]] = set()
    for value in values:
        plain = value.plain()
        if isinstance(plain, dict | list):
            continue
        mark = isinstance(plain, bool), plain  # 1 and 1.0 are one value, 1 and true are two
        if mark in known:
            text = f"got {shown(plain)} twice for {key}; allowed: each value once; delete one, or raise 'replications'"
            yield Problem(("axes",), text, value.where)
        known.add(mark)


def _too_many(n: int) -> str:
    return f"got {n} points; allowed: {MOST_POINTS}"


def _clash(axis: Axis, known: Mapping[str, Axis], where: str) -> Iterator[Problem]:
    other = known.get(axis.column)
    if other is not None:
        yield Problem(("axes",), _two_keys(axis.column, other.key or "a label", axis.key or "a label"), where)


def _two_keys(column: str, one: str, other: str) -> str:
    return f"got the column {column!r} for {one} and {other}; allowed: one each; name one under 'columns'"


def _child(node: Node, *path: str | int) -> Node:
    for key in path:
        assert isinstance(node.value, dict | list)
        node = node.value[key]  # type: ignore[index]
    return node


def _children(node: Node) -> list[Node]:
    assert isinstance(node.value, list)
    return node.value


def _names(columns: Mapping[str, object]) -> str:
    return ", ".join(columns) or "none"
