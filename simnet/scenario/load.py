"""A scenario file to a checked :class:`Scenario`; whatever is wrong with the file ends as one ScenarioError."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from simnet.core.errors import SimnetError
from simnet.scenario.checks import check
from simnet.scenario.errors import Problem, ScenarioError, shown
from simnet.scenario.explain import explain
from simnet.scenario.overrides import override
from simnet.scenario.plugin_field import PluginSpec
from simnet.scenario.schema import Scenario
from simnet.scenario.yaml_tree import Node, parse

M = TypeVar("M", bound=BaseModel)

FilePlace = tuple[str, str]
"""``("topology", "file")``: the part of the scenario and its parameter."""
MAX_FILE_BYTE = 2**20


def load_scenario(path: Path, *, overrides: Sequence[str] = ()) -> Scenario:
    """Read, check and cross-check a scenario file. Files that it names are taken from its own folder.

    Args:
        path: the YAML file, UTF-8.
        overrides: ``key.path=value`` each, applied in order before anything is checked.

    Raises:
        ScenarioError: every problem found, each with file, line, key path, what was got and what is allowed.
    """
    return scenario_of(overridden(path, overrides), path.resolve().parent)


def overridden(path: Path, overrides: Sequence[str]) -> Node:
    """The values of a scenario file with those of ``--set``, unchecked; see :func:`load_scenario`."""
    tree = read_tree(path)
    for assignment in overrides:
        tree = override(tree, assignment)
    return tree


def read_tree(path: Path, wanted: str = "a scenario file, such as scenarios/hello.yaml") -> Node:
    """The values of a YAML file with their places, unchecked.

    Args:
        path: the file, UTF-8, at most 1 MiB.
        wanted: what messages say it should be.

    Raises:
        ScenarioError: no such file, no UTF-8, too long, empty, or broken YAML.
    """
    return parse(_text(path, wanted), lambda line: f"{path}:{line}")


def scenario_of(tree: Node, folder: Path) -> Scenario:
    """The checked scenario of a tree.

    Args:
        tree: values with the places that problems are said to be at.
        folder: where files that the scenario names lie.

    Raises:
        ScenarioError: every problem found.
    """
    scenario = _rooted(validated(tree, Scenario), folder)
    if problems := check(scenario):
        raise placed(problems, tree)
    return scenario


def _text(path: Path, wanted: str) -> str:
    def refuse(text: str, line: int | None = None) -> ScenarioError:
        return ScenarioError([Problem((), text, str(path) if line is None else f"{path}:{line}")])

    try:
        if path.exists() and not path.is_file():
            raise refuse(f"got a folder or a device; allowed: {wanted}")
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTE + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise refuse(f"cannot be read: {reason}; allowed: {wanted}") from None
    if len(raw) > MAX_FILE_BYTE:
        raise refuse(f"got more than {MAX_FILE_BYTE} bytes; allowed: files of at most 1 MiB")
    if not raw.strip():
        raise refuse(f"got an empty file; allowed: {wanted}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise refuse(f"got byte {shown(raw[error.start])}, not UTF-8; allowed: UTF-8 text", line) from None
    if "\0" in text:
        raise refuse("got a null byte; allowed: UTF-8 text, no binary file", text[: text.index("\0")].count("\n") + 1)
    return text


def validated(tree: Node, model: type[M]) -> M:
    """The tree as an instance of the model.

    Raises:
        ScenarioError: every way in which it is not one.
    """
    data = tree.plain()
    if not isinstance(data, dict):
        text = f"got {shown(data)}; allowed: a mapping of keys: {', '.join(model.model_fields)}"
        raise ScenarioError([Problem((), text, tree.where)])
    try:
        # by way of JSON: strict ("5" and true are no numbers), yet lists may fill tuples
        return model.model_validate_json(to_json(data), strict=True)
    except ValidationError as error:
        raise placed(explain(error, model, data), tree) from None


def _rooted(scenario: Scenario, folder: Path) -> Scenario:
    """The scenario with the paths that plug-ins are given made absolute, so that it means the same from anywhere."""
    return with_files(scenario, {place: folder / path for place, path in files(scenario).items()})


def files(scenario: Scenario) -> dict[FilePlace, Path]:
    """Files that the scenario's topology and traffic name."""
    specs = {"topology": scenario.topology, "traffic": scenario.traffic}
    return {
        (part, key): value
        for part, spec in specs.items()
        for key, value in spec.params
        if isinstance(value, Path)
    }  # fmt: skip


def digests(scenario: Scenario) -> dict[FilePlace, str]:
    """SHA-256 of the content of each of :func:`files`; what a file is called doesn't matter.

    Raises:
        SimnetError: one can't be read.
    """
    return {place: _digest(place, path) for place, path in files(scenario).items()}


def _digest(place: FilePlace, path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SimnetError(f"{'.'.join(place)}: {path} cannot be read ({error.strerror or error})") from None


def with_files(scenario: Scenario, paths: Mapping[FilePlace, Path]) -> Scenario:
    """The scenario with other paths in these places."""
    specs: dict[str, PluginSpec] = {}
    for (part, key), path in paths.items():
        spec: PluginSpec = specs.get(part, getattr(scenario, part))
        specs[part] = replace(spec, params=spec.params.model_copy(update={key: path}))
    return scenario.model_copy(update=specs)


@contextmanager
def placing(tree: Node) -> Iterator[None]:
    """What is found wrong with the tree's scenario meanwhile, as when it is built, is said with its lines.

    Messages name a key path and a colon first, as ``sources.digits.items: got 0``; others are left as they are.
    """
    try:
        yield
    except ScenarioError as error:
        raise placed(error.problems, tree) from None
    except SimnetError as error:
        keys = str(error).partition(": ")[0].split(".")
        if not isinstance(tree.value, dict) or keys[0] not in tree.value:
            raise
        where = tree.place(tuple(int(key) if key.isdecimal() else key for key in keys))
        raise SimnetError(f"{where} {error}") from None


def placed(problems: Sequence[Problem], tree: Node) -> ScenarioError:
    """The problems with their lines."""
    found = [replace(problem, where=problem.where or tree.place(problem.path)) for problem in problems]
    return ScenarioError(list(dict.fromkeys(found)))  # each member of a union may say the same
