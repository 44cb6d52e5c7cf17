"""A sweep ready to run: its points, each a checked scenario, and its seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simnet.core.surrogate_names import group_name
from simnet.report.metrics import ALL
from simnet.scenario.checks import arm_protocols
from simnet.scenario.errors import Problem, ScenarioError, shown
from simnet.scenario.load import placed, placing, read_tree, scenario_of, validated
from simnet.scenario.overrides import assign, override
from simnet.scenario.schema import Scenario
from simnet.scenario.yaml_tree import Node, parse
from simnet.sweep.axes import NO_SEED, SEED, Axis, Scalar, Setting, expand, lost_in_set, same_columns
from simnet.sweep.constraint import Constraint, ConstraintError
from simnet.sweep.link_classes import LinkClasses
from simnet.sweep.schema import Sequential, SweepFile
from simnet.sweep.seeds import seeds
from simnet.traffic.named import left_out

WANTED = "a sweep file with name, base and axes; docs/sweeps.md shows one"


@dataclass(frozen=True)
class Point:
    """One combination of the axes.

    Args:
        index: its number, from 0.
        settings: key.path -> value, as the axes set it.
        columns: column -> what the results say.
        scenario: with everything set but the seed of a replication.
    """

    index: int
    settings: Mapping[str, Any]
    columns: Mapping[str, Scalar]
    scenario: Scenario

    def replication(self, seed: int) -> Scenario:
        """The scenario of one replication."""
        return self.scenario.model_copy(update={"seed": seed})


@dataclass(frozen=True)
class Sweep:
    """A checked sweep.

    Args:
        path: the file; its folder is where ``base`` and ``page`` are looked for.
        left_out: points that a constraint excludes.
    """

    file: SweepFile
    path: Path
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    left_out: int

    @property
    def least(self) -> int:
        """Replications that every point has."""
        replications = self.file.replications
        return replications.least if isinstance(replications, Sequential) else replications

    @property
    def most(self) -> int:
        """Replications that no point has more of."""
        replications = self.file.replications
        return replications.most if isinstance(replications, Sequential) else replications

    @property
    def seeds(self) -> tuple[int, ...]:
        """[most] the scenario seed of each replication."""
        return seeds(self.file.seed, self.most)

    @property
    def page(self) -> Path | None:
        """The Python file that draws the sweep's page."""
        return None if self.file.page is None else self.path.parent / self.file.page

    def arms(self) -> list[str]:
        """Arms of all points, in order of appearance."""
        return list(dict.fromkeys(arm for point in self.points for arm in point.scenario.arms or ("main",)))


def load_sweep(path: Path, *, overrides: Sequence[str] = ()) -> Sweep:
    """Read and check a sweep file and the scenario of every point.

    Args:
        path: the YAML file.
        overrides: ``key.path=value`` each, changes to the sweep file: ``replications=3``, ``set.duration_s=60``.

    Raises:
        ScenarioError: every problem found, with the file and line of the sweep or of the scenario.
        SimnetError: a link of a point's network is of a class that the scenario hasn't.
    """
    tree = read_tree(path, WANTED)
    for assignment in overrides:
        tree = _override(tree, assignment)
    file = validated(tree, SweepFile)
    folder = path.resolve().parent
    axes, settings = expand(file, tree)
    kept = _fulfilling(file, tree, axes, settings)
    base = folder / file.base
    if problems := [*_seed(file, settings), *_page(file, folder), *lost_in_set(tree), *same_columns(kept)]:
        raise placed(problems, tree)
    scenario = read_tree(base)
    for key, node in _children(tree, "set"):
        scenario = assign(scenario, key, node)
    links = LinkClasses(seeds(file.seed, 1)[0])
    points, problems = [], list[Problem]()
    for index, setting in enumerate(kept):
        try:
            points.append(_point(index, setting, scenario, base.parent, links))
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(list(dict.fromkeys(problems)))
    sweep = Sweep(file, path, tuple(axes), tuple(points), len(settings) - len(kept))
    if problems := [*_until(sweep), *_warm_up(sweep)]:
        raise placed(problems, tree)
    return sweep


def wishes_left_out(sweep: Sweep) -> list[str]:
    """What of their traffic points leave out, in words."""
    known: dict[tuple[float, str], str | None] = {}
    n_points: Counter[str] = Counter()
    for point in sweep.points:
        traffic = point.scenario.traffic
        key = point.scenario.duration_s, f"{traffic.kind} {traffic.params!r}"
        if key not in known:
            known[key] = left_out(point.scenario)
        if (words := known[key]) is not None:
            n_points[words] += 1
    return [f"at {n} of {len(sweep.points)} points, {words}" for words, n in n_points.items()]


def _override(tree: Node, assignment: str) -> Node:
    """``set.KEY.PATH=VALUE`` sets the whole path as one key of 'set'; all else is a path of the sweep file."""
    if not assignment.startswith("set."):
        return override(tree, assignment)
    key, equals, value = assignment.removeprefix("set.").partition("=")
    if not equals or not isinstance(tree.value, dict):
        return override(tree, assignment)  # says what is wrong with it
    where = f"--set {shown(assignment)}"
    have = tree.value.get("set", Node({}, where))
    changed = {**dict(_children(tree, "set")), key: parse(value, lambda _line: where)}
    return Node({**tree.value, "set": Node(changed, have.where)}, tree.where)


def _children(tree: Node, key: str) -> Iterator[tuple[str, Node]]:
    assert isinstance(tree.value, dict)
    node = tree.value.get(key)
    if node is not None and isinstance(node.value, dict):
        yield from node.value.items()


def _fulfilling(file: SweepFile, tree: Node, axes: Sequence[Axis], settings: Sequence[Setting]) -> list[Setting]:
    """The settings that meet every constraint."""
    columns = tuple(axis.column for axis in axes)
    kept = list(settings)
    for index, text in enumerate(file.constraints):
        try:
            constraint = Constraint(text, columns)
            kept = [setting for setting in kept if constraint.holds(setting.columns)]
        except ConstraintError as error:
            raise placed([Problem(("constraints", index), str(error))], tree) from None
    if not kept:
        text = f"got none of {len(settings)} points that fulfils all constraints; allowed: at least one"
        raise placed([Problem(("constraints",), text)], tree)
    return kept


def _point(index: int, setting: Setting, base: Node, folder: Path, links: LinkClasses) -> Point:
    for key, node in setting.values.items():
        base = assign(base, key, node)
    settings = {key: node.plain() for key, node in setting.values.items()}
    scenario = scenario_of(base, folder)
    with placing(base):
        links.check(scenario)
    return Point(index, settings, setting.columns, scenario)


def _seed(file: SweepFile, settings: Sequence[Setting]) -> Iterator[Problem]:
    """Nobody sets the scenario's seed: replications have theirs."""
    for where, keys in (("set", file.set), ("axes", {key for setting in settings for key in setting.values})):
        if SEED in keys:
            yield Problem((where, SEED) if where == "set" else (where,), NO_SEED)


def _page(file: SweepFile, folder: Path) -> Iterator[Problem]:
    if file.page is not None and not (folder / file.page).is_file():
        yield Problem(("page",), f"got {file.page!r}, no such file; allowed: a Python file beside the sweep's")


def _until(sweep: Sweep) -> Iterator[Problem]:
    """What replications are judged by exists at every point."""
    if not isinstance(sweep.file.replications, Sequential):
        return
    until = sweep.file.replications.until
    for point in sweep.points:
        scenario = point.scenario
        likes = scenario.surrogates.like if scenario.surrogates is not None else ()
        arms, sources = list(arm_protocols(scenario)), [ALL, *scenario.sources, *map(group_name, likes)]
        if until.arm not in arms:
            text = f"got {until.arm!r}; allowed: {', '.join(arms)}"
            yield Problem(("replications", "until", "arm"), text)
        if until.source_type not in sources:
            text = f"got {until.source_type!r}; allowed: {', '.join(sources)}"
            yield Problem(("replications", "until", "source_type"), text)


def _warm_up(sweep: Sweep) -> Iterator[Problem]:
    """Some of every run comes after the warm-up."""
    warm_up = sweep.file.warm_up
    least_s = min(point.scenario.duration_s for point in sweep.points)
    if isinstance(warm_up, float) and warm_up and warm_up >= least_s:
        text = f"got {warm_up:g}; allowed: none, mser5 or less than duration_s, which is {least_s:g} s at a point"
        yield Problem(("warm_up",), text)
