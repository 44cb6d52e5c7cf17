"""YAML text to a tree of plain values, each with the place it came from.

PyYAML follows YAML 1.1: ``1e6`` is a string, ``no`` is False, the last of duplicate keys wins. Here the core schema of
YAML 1.2 holds (10.3.2), duplicate keys, tags and merge keys are errors, and the tree is built from libyaml's events
without recursion, so that depth and alias expansion are bounded before anything is allocated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from simnet.scenario.errors import KeyPath, Problem, ScenarioError, shown

Scalar = str | int | float | bool | None

MAX_DEPTH = 40
MAX_NODES = 100_000
_INT64 = 2**63

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass
class Node:
    """A value and its place; ``size`` and ``depth`` are those with every alias written out."""

    value: Scalar | dict[str, Node] | list[Node]
    where: str
    size: int = 1
    depth: int = 1

    def plain(self) -> Any:
        """Nested dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def place(self, path: KeyPath) -> str:
        """Where the key path stands, or the nearest of its parents."""
        node = self
        for key in path:
            if isinstance(node.value, dict) and key in node.value:
                node = node.value[str(key)]
            elif isinstance(node.value, list) and isinstance(key, int) and key < len(node.value):
                node = node.value[key]
            else:
                break
        return node.where


def resolve(text: str) -> Scalar:
    """Value of an unquoted scalar by YAML 1.2's core schema.

    Raises:
        ValueError: a number that is infinite, not a number, or beyond 64 bits; the message says so.
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text) or _BASED.fullmatch(text):
        # 4300 digits and more would raise in int(); 20 are beyond 64 bits already
        number = int(text, 0 if _BASED.fullmatch(text) else 10) if len(text) <= 32 else _INT64
        if not -_INT64 <= number < _INT64:
            raise ValueError(f"got {shown(text)}; allowed: whole numbers of at most 64 bits")
        return number
    if _FLOAT.fullmatch(text):
        if math.isfinite(float(text)):
            return float(text)
        raise ValueError(f"got {shown(text)}; allowed: finite numbers up to 1.8e308")
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"got {text}; allowed: finite numbers (leave the key out, or null, where that means no limit)")
    return text


@dataclass
class _Open:
    """A mapping or list under construction."""

    node: Node
    anchor: str | None
    key: str | None = None
    key_where: str = ""

    def path_key(self) -> tuple[str | int, ...]:
        if isinstance(self.node.value, list):
            return (len(self.node.value),)
        return () if self.key is None else (self.key,)


@dataclass
class _Builder:
    """Takes libyaml's events one by one; holds what is open and what has gone wrong."""

    label: Callable[[int], str]
    open: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    root: Node | None = None

    @property
    def path(self) -> KeyPath:
        return tuple(key for part in self.open for key in part.path_key())

    def stop(self, text: str, where: str, path: KeyPath | None = None) -> ScenarioError:
        return ScenarioError([*self.problems, Problem(self.path if path is None else path, text, where)])

    def take(self, event: Any) -> None:
        where = self.label(event.start_mark.line + 1)
        if getattr(event, "tag", None) is not None:
            raise self.stop(f"got tag {shown(event.tag)}; allowed: plain values without tags", where)
        match event:
            case yaml.DocumentStartEvent() if self.root is not None:
                raise self.stop("got a second YAML document ('---'); allowed: one document per file", where, ())
            case yaml.ScalarEvent():
                self.scalar(event, where)
            case yaml.AliasEvent():
                self.alias(event.anchor, where)
            case yaml.MappingStartEvent():
                self.begin({}, event.anchor, where)
            case yaml.SequenceStartEvent():
                self.begin([], event.anchor, where)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                closed = self.open.pop()
                self.add(closed.node, closed.anchor)

    def wants_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1].node.value, dict) and self.open[-1].key is None

    def scalar(self, event: Any, where: str) -> None:
        if self.wants_key():
            self.open_key(event.value, where)
            return
        value: Scalar = event.value
        if event.implicit[0]:
            try:
                value = resolve(event.value)
            except ValueError as error:
                self.problems.append(Problem(self.path, str(error), where))
        self.add(Node(value, where), event.anchor)

    def open_key(self, key: str, where: str) -> None:
        mapping = self.open[-1]
        assert isinstance(mapping.node.value, dict)
        if key == "<<":
            raise self.stop("got a merge key '<<'; allowed: the keys written out (aliases *name work)", where)
        if key in mapping.node.value:
            first = mapping.node.value[key].where
            self.problems.append(
                Problem((*self.path, key), f"got this key twice, first at {first}; allowed: once; delete one", where)
            )
        mapping.key, mapping.key_where = key, where

    def alias(self, name: str | None, where: str) -> None:
        if any(part.anchor == name for part in self.open):
            raise self.stop(f"got alias *{name} inside of what it stands for; allowed: no loops", where)
        if name is None or name not in self.anchors:
            known = ", ".join(f"&{anchor}" for anchor in self.anchors) or "none so far"
            raise self.stop(f"got alias *{name} without its anchor; allowed: {known}", where)
        if self.wants_key():
            raise self.stop(f"got alias *{name} as a key; allowed: plain names", where)
        self.add(replace(self.anchors[name], where=where), None)

    def begin(self, empty: dict[str, Node] | list[Node], anchor: str | None, where: str) -> None:
        if self.wants_key():
            raise self.stop("got a mapping or list as a key; allowed: plain names", where)
        if len(self.open) >= MAX_DEPTH:
            raise self.stop(f"got more than {MAX_DEPTH} levels of nesting; allowed: {MAX_DEPTH}", where, self.path[:3])
        self.open.append(_Open(Node(empty, where), anchor))

    def add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        parent.node.size += node.size
        parent.node.depth = max(parent.node.depth, node.depth + 1)
        if parent.node.size > MAX_NODES:
            raise self.stop(f"got more than {MAX_NODES} values, aliases written out; allowed: {MAX_NODES}", node.where)
        if len(self.open) + node.depth > MAX_DEPTH:
            raise self.stop(f"got more than {MAX_DEPTH} levels of nesting; allowed: {MAX_DEPTH}", node.where)
        if isinstance(parent.node.value, list):
            parent.node.value.append(node)
        else:
            assert isinstance(parent.node.value, dict) and parent.key is not None
            parent.node.value[parent.key] = replace(node, where=parent.key_where)
            parent.key = None


def parse(text: str, label: Callable[[int], str]) -> Node:
    """The tree of a YAML text.

    Args:
        text: the YAML.
        label: line number, from 1 -> how messages name the place.

    Raises:
        ScenarioError: broken syntax, or what this module's docstring forbids.
    """
    builder = _Builder(label)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = label(mark.line + 1 if mark else 1)
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        hint = "look at indentation (spaces, no tabs), quotes and brackets"
        raise builder.stop(f"got broken YAML: {reason}; {hint}", where, ()) from None
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        reason = str(error).partition("\n")[0]
        raise builder.stop(f"got broken YAML: {reason}", label(1), ()) from None
    if builder.problems:
        raise ScenarioError(builder.problems)
    return builder.root or Node(None, label(1))
