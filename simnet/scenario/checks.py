"""What one key says must fit what another says: sources, codecs, arms, models, files."""

from __future__ import annotations

import os.path
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, runtime_checkable

from pydantic import ValidationError
from pydantic_core import to_json

from simnet.core.errors import UnknownName
from simnet.core.zoo import model_dir
from simnet.scenario.errors import KeyPath, Problem, ScenarioError, shown
from simnet.scenario.explain import explain
from simnet.scenario.plugin_field import PluginSpec
from simnet.scenario.schema import Protocol, Scenario
from simnet.scenario.surrogates import surrogate_types, with_surrogate_codecs


@runtime_checkable
class NamesModels(typing.Protocol):
    """Parameters of a plug-in that say which models of the zoo it takes."""

    def models(self) -> dict[str, str]:
        """Key, dotted where it is nested -> ``<family>/<name>``."""


@runtime_checkable
class WritesLinksOut(typing.Protocol):
    """Parameters of a topology whose links stand in the scenario."""

    def class_misfits(
        self, radios: Mapping[str, object], wires: Mapping[str, object]
    ) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Path below ``topology`` -> why the link's class doesn't fit those of the scenario."""


def arm_protocols(scenario: Scenario) -> dict[str, Protocol]:
    """Arm -> the protocol with the arm's changes merged in; ``{"main": protocol}`` where the scenario has no arms.

    Surrogates' codecs are written out.

    Raises:
        ScenarioError: an arm changes what no protocol has, or to what no protocol may be.
    """
    protocols, problems = _arms(scenario)
    if problems:
        raise ScenarioError(problems)
    return with_surrogate_codecs(protocols, scenario)


def check(scenario: Scenario) -> list[Problem]:
    """Every misfit between parts of a scenario that are valid by themselves."""
    protocols, problems = _arms(scenario)
    for name, protocol in protocols.items():
        problems += _codecs(scenario, protocol, _origin(scenario, name, "codecs"))
        for key, times in (("releases", protocol.releases), ("retires", protocol.retires)):
            problems += _timed(scenario, times, _origin(scenario, name, key))
    for path, model in _models(scenario, protocols):
        problems += _model(model, path)
    problems += _surrogates(scenario, protocols)
    problems += _link_classes(scenario)
    problems += [*_files(scenario.topology, "topology"), *_files(scenario.traffic, "traffic")]
    return list(dict.fromkeys(problems))  # a mistake of the protocol that many arms share is one


def models(scenario: Scenario) -> list[str]:
    """Every model of the zoo that a valid scenario names, as ``<family>/<name>``, sorted."""
    return sorted({model for _, model in _models(scenario, arm_protocols(scenario))})


def _models(scenario: Scenario, protocols: Mapping[str, Protocol]) -> Iterator[tuple[KeyPath, str]]:
    """Where the scenario names a model, and which."""
    for name, protocol in protocols.items():
        if protocol.source_identification is not None:
            yield _origin(scenario, name, "source_identification"), protocol.source_identification
    for name, source in scenario.sources.items():
        yield ("sources", name, "judge"), source.judge
    for name, codec in scenario.codecs.items():
        if isinstance(codec.params, NamesModels):
            for key, model in codec.params.models().items():
                yield ("codecs", name, *key.split(".")), model


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Deep merge: mappings key by key, all else replaced; so is a plug-in whose ``kind`` changes."""
    result = dict(base)
    for key, value in changes.items():
        old = base.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and _same_kind(old, value):
            value = merged(old, value)
        result[key] = value
    return result


def _same_kind(base: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    return "kind" not in changes or changes["kind"] == base.get("kind")


def _arms(scenario: Scenario) -> tuple[dict[str, Protocol], list[Problem]]:
    """The arms that are valid, and what is wrong with the others."""
    if not scenario.arms:
        return {"main": scenario.protocol}, []
    base = scenario.protocol.model_dump(mode="json")
    protocols: dict[str, Protocol] = {}
    problems: list[Problem] = []
    for name, changes in scenario.arms.items():
        data = merged(base, changes)
        try:
            protocols[name] = Protocol.model_validate_json(to_json(data), strict=True)
        except ValidationError as error:
            found = explain(error, Protocol, data)
            problems += [Problem(("arms", name, *problem.path), problem.text) for problem in found]
    return protocols, problems


def _origin(scenario: Scenario, arm: str, key: str) -> KeyPath:
    """Path of the key in the arm if the arm has it, else in the protocol."""
    return ("arms", arm, key) if key in scenario.arms.get(arm, {}) else ("protocol", key)


def _codecs(scenario: Scenario, protocol: Protocol, path: KeyPath) -> Iterator[Problem]:
    """Every source type has codecs, each once, and both are known by name."""
    for source, codecs in protocol.codecs.items():
        if source not in scenario.sources:
            yield _unknown((*path, source), "source", source, scenario.sources, "add it under 'sources'")
        elif not codecs:
            yield Problem((*path, source), f"got no codec for source {source!r}; allowed: {', '.join(scenario.codecs)}")
        for index, codec in enumerate(codecs):
            if codec not in scenario.codecs:
                yield _unknown((*path, source, index), "codec", codec, scenario.codecs, "add it under 'codecs'")
            elif codec in codecs[:index]:
                yield Problem((*path, source, index), f"got {codec!r} twice; allowed: each codec once; delete one")
    for source in scenario.sources:
        if source not in protocol.codecs:
            text = f"got no codecs for source {source!r}; allowed: a list of {', '.join(scenario.codecs)}"
            yield Problem((*path, source), text)


def _timed(scenario: Scenario, times: Mapping[str, float], path: KeyPath) -> Iterator[Problem]:
    """What is released or retired is there, and has one name."""
    for codec in times:
        if codec not in scenario.codecs:
            yield _unknown((*path, codec), "codec", codec, scenario.codecs, "add it under 'codecs'")
    if times and scenario.surrogates is not None:
        text = "got times for codecs, but surrogates have versions of their own of them; allowed: none"
        yield Problem(path, f"{text}; or leave 'surrogates' out")


def _surrogates(scenario: Scenario, protocols: Mapping[str, Protocol]) -> Iterator[Problem]:
    """What surrogates are like is there, and nothing asks for more than was measured of it."""
    surrogates = scenario.surrogates
    if surrogates is None:
        return
    for index, like in enumerate(surrogates.like):
        if like not in scenario.sources:
            path: KeyPath = ("surrogates", "like", index)
            yield _unknown(path, "source", like, scenario.sources, "add it under 'sources'")
    taken = {type_.name for type_ in surrogate_types(scenario)} & scenario.sources.keys()
    for name in sorted(taken):
        yield Problem(("sources", name), f"got {name!r}, a surrogate's name too; allowed: any other name; rename it")
    for name, radio in scenario.radios.items():
        if radio.protection == "none":
            text = "got none beside surrogates, of which only unharmed deliveries were measured; allowed: arq, harq"
            yield Problem(("radios", name, "protection"), f"{text}; or leave 'surrogates' out")
    for arm, protocol in protocols.items():
        if protocol.source_identification is not None:
            text = f"got {protocol.source_identification!r}, but no network tells surrogates apart; allowed: null"
            yield Problem(_origin(scenario, arm, "source_identification"), text)


def _link_classes(scenario: Scenario) -> Iterator[Problem]:
    """Links that are written out are of classes that the scenario has."""
    links = scenario.topology.params
    if isinstance(links, WritesLinksOut):
        for path, text in links.class_misfits(scenario.radios, scenario.wires):
            yield Problem(("topology", *path), text)


def _unknown(path: KeyPath, what: str, got: str, allowed: Mapping[str, object], remedy: str) -> Problem:
    return Problem(path, f"{UnknownName(what, got, allowed)} Or {remedy}.")


def _model(name: str, path: KeyPath) -> Iterator[Problem]:
    """The zoo has the model."""
    try:
        model_dir(name)
    except UnknownName as error:
        yield Problem(path, str(error))


def _files(spec: PluginSpec, key: str) -> Iterator[Problem]:
    """Files that a plug-in's parameters name are there."""
    for name, value in spec.params:
        if isinstance(value, Path) and not os.path.isfile(value):  # is_file() raises for names too long
            yield Problem(
                (key, name), f"got {shown(str(value), longest=300)}, no such file; allowed: a file that can be read"
            )
