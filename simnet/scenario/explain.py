"""pydantic's errors in the words of the scenario: the key path, what was got, what is allowed, the nearest name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simnet.core.errors import among, nearest
from simnet.scenario.errors import KeyPath, Problem, shown
from simnet.scenario.places import Place, item


def explain(error: ValidationError, model: type[BaseModel], data: object) -> list[Problem]:
    """One problem per error found when ``model`` validated ``data``; paths are from ``data``'s root."""
    details, root = error.errors(include_url=False), Place(model, data)
    found = _joined([(detail["type"], _explain(detail, root)) for detail in details], root)
    # Each member of a union says what it minds: the one that got furthest in is meant, and one is enough.
    problems = {p.path: p for p in reversed(found) if not any(_lies_below(other.path, p.path) for other in found)}
    return list(reversed(problems.values()))


def _joined(found: Sequence[tuple[str, Problem]], root: Place) -> list[Problem]:
    """The problems; of a key that is missing and its misspelt name beside it, one."""
    missing = {problem.path for type_, problem in found if type_ == "missing"}
    meant: dict[KeyPath, KeyPath] = {}
    for type_, problem in found:
        if type_ == "extra_forbidden":
            above = problem.path[:-1]
            near = nearest(str(problem.path[-1]), root.follow(above).keys())
            if near is not None and (*above, near) in missing.difference(meant.values()):
                meant[problem.path] = (*above, near)
    return [
        replace(problem, text=f"{problem.text} It is missing.") if problem.path in meant else problem
        for _, problem in found
        if problem.path not in meant.values()
    ]


def _lies_below(path: KeyPath, above: KeyPath) -> bool:
    return len(path) > len(above) and path[: len(above)] == above


def _explain(detail: ErrorDetails, root: Place) -> Problem:
    of_key = detail["loc"][-1:] == ("[key]",)
    missing = detail["type"] in ("missing", "plugin")
    path = _within(detail["loc"][:-1] if of_key else detail["loc"], root.data, last_is_missing=missing)
    place = root.follow(path)
    match detail["type"]:
        case "extra_forbidden":
            text = f"got an unknown key; {among(str(path[-1]), root.follow(path[:-1]).keys())}"
        case "missing":
            text = f"got no such key; allowed: {place.allowed()}"
            text += f" ({place.description})" if place.description else ""
        case "value_error":
            text = str(detail["ctx"]["error"])
        case "plugin":
            text = detail["msg"]
        case "union_tag_invalid" | "union_tag_not_found":
            tag = str(detail["ctx"]["discriminator"]).strip("'")
            path, got = (*path, tag), item(detail["input"], tag)
            text = f"got {'no such key' if got is None else shown(got)}; {among(str(got), place.tags(tag))}"
        case _ if of_key:
            text = f"got the key {shown(path[-1])}; {_fits(str(path[-1]), Place(place.key_of, path[-1]))}"
        case "too_short":
            text = f"got {shown(detail['input'])}; allowed: at least {detail['ctx']['min_length']} entry"
        case _:
            text = f"got {shown(detail['input'])}; {_fits(detail['input'], place)}"
    return Problem(path, text)


def _within(loc: tuple[int | str, ...], data: object, *, last_is_missing: bool) -> KeyPath:
    """The part of pydantic's location that is a path in the data, or would be if its missing last key were there.

    The rest is what pydantic says of the schema: the members of unions.
    """
    path: list[int | str] = []
    for index, key in enumerate(loc):
        if not isinstance(data, (Mapping, list)):
            break
        if isinstance(data, list) and isinstance(key, str):
            continue
        if isinstance(data, list) or key in data or (last_is_missing and index == len(loc) - 1):
            path.append(key)
            data = item(data, key)
    return tuple(path)


def _fits(got: object, place: Place) -> str:
    names = place.names()
    return among(str(got), names) if names else f"allowed: {place.allowed()}"
