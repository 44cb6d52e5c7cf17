"""A scenario file to a checked :class:`Scenario`; whatever is wrong with the file ends as one ScenarioError."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import to_json

from simnet.scenario.checks import check
from simnet.scenario.errors import Problem, ScenarioError, shown
from simnet.scenario.explain import explain
from simnet.scenario.overrides import override
from simnet.scenario.plugin_field import PluginSpec
from simnet.scenario.schema import Scenario
from simnet.scenario.yaml_tree import Node, parse

MAX_FILE_BYTE = 2**20


def load_scenario(path: Path, *, overrides: Sequence[str] = ()) -> Scenario:
    """Read, check and cross-check a scenario file. Files that it names are taken from its own folder.

    Args:
        path: the YAML file, UTF-8.
        overrides: ``key.path=value`` each, applied in order before anything is checked.

    Raises:
        ScenarioError: every problem found, each with file, line, key path, what was got and what is allowed.
    """
    tree = parse(_text(path), lambda line: f"{path}:{line}")
    for assignment in overrides:
        tree = override(tree, assignment)
    scenario = _rooted(_validated(tree), path.resolve().parent)
    if problems := check(scenario):
        raise _placed(problems, tree)
    return scenario


def _text(path: Path) -> str:
    def refuse(text: str, line: int | None = None) -> ScenarioError:
        return ScenarioError([Problem((), text, str(path) if line is None else f"{path}:{line}")])

    try:
        if path.exists() and not path.is_file():
            raise refuse("got a folder or a device; allowed: a scenario file, such as scenarios/hello.yaml")
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTE + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise refuse(f"cannot be read: {reason}; allowed: a scenario file, such as scenarios/hello.yaml") from None
    if len(raw) > MAX_FILE_BYTE:
        raise refuse(f"got more than {MAX_FILE_BYTE} bytes; allowed: scenario files of at most 1 MiB")
    if not raw.strip():
        raise refuse("got an empty file; allowed: a scenario ('simnet schema' prints its keys)")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise refuse(f"got byte {shown(raw[error.start])}, not UTF-8; allowed: UTF-8 text", line) from None
    if "\0" in text:
        raise refuse("got a null byte; allowed: UTF-8 text, no binary file", text[: text.index("\0")].count("\n") + 1)
    return text


def _validated(tree: Node) -> Scenario:
    data = tree.plain()
    if not isinstance(data, dict):
        text = f"got {shown(data)}; allowed: a mapping of keys ('simnet schema' prints them)"
        raise ScenarioError([Problem((), text, tree.where)])
    try:
        # by way of JSON: strict ("5" and true are no numbers), yet lists may fill tuples
        return Scenario.model_validate_json(to_json(data), strict=True)
    except ValidationError as error:
        raise _placed(explain(error, Scenario, data), tree) from None


def _rooted(scenario: Scenario, folder: Path) -> Scenario:
    """The scenario with the paths that plug-ins are given made absolute, so that it means the same from anywhere."""

    def rooted(spec: PluginSpec) -> PluginSpec:
        paths = {key: folder / value for key, value in spec.params if isinstance(value, Path)}
        return replace(spec, params=spec.params.model_copy(update=paths))

    plugins = {"topology": rooted(scenario.topology), "traffic": rooted(scenario.traffic)}
    return scenario.model_copy(update=plugins)


def _placed(problems: Sequence[Problem], tree: Node) -> ScenarioError:
    """The problems with their lines."""
    return ScenarioError([replace(problem, where=tree.place(problem.path)) for problem in problems])
