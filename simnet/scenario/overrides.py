"""``--set key.path=value``: changes to a scenario's tree before it is checked."""

from __future__ import annotations

from dataclasses import replace

from simnet.scenario.errors import KeyPath, Problem, ScenarioError, dotted, shown
from simnet.scenario.yaml_tree import MAX_DEPTH, Node, parse


def override(root: Node, assignment: str) -> Node:
    """The tree with one value set; mappings that are missing on the way are made.

    Args:
        root: left as it is; the new tree shares what did not change.
        assignment: ``key.path=value``, the value in YAML, e.g. ``protocol.store.ttl_s=60`` or ``topology=city``.

    Raises:
        ScenarioError: no ``=``, broken YAML, or a path through something that has no such keys.
    """
    where = f"--set {shown(assignment)}"
    key, equals, value = assignment.partition("=")
    if not equals:
        raise ScenarioError([Problem((), "got no KEY.PATH=VALUE; allowed: for example seed=2", where)])
    return assign(root, key, parse(value, lambda _line: where))


def assign(root: Node, key: str, new: Node) -> Node:
    """The tree with the node put at ``key.path``; mappings that are missing on the way are made.

    Args:
        root: left as it is; the new tree shares what did not change.
        key: keys joined by dots; where a name contains dots, the longest known one is meant.
        new: its place is where problems with its value are said to be.

    Raises:
        ScenarioError: an empty key, or a path through something that has no such keys.
    """
    keys = key.split(".")
    if not all(keys):
        raise ScenarioError([Problem((), "got no KEY.PATH=VALUE; allowed: for example seed=2", new.where)])
    if len(keys) > MAX_DEPTH:
        raise ScenarioError([Problem((), f"got a path of {len(keys)} keys; allowed: {MAX_DEPTH}", new.where)])
    return _with(root, keys, new, ())


def _with(node: Node, keys: list[str], new: Node, path: KeyPath) -> Node:
    if not keys:
        return new
    if isinstance(node.value, list):
        # int() would raise for 4300 digits and more
        index = int(keys[0]) if keys[0].isdecimal() and len(keys[0]) <= 32 else len(node.value)
        if index >= len(node.value):
            text = f"got {shown(keys[0])} as a list's index; allowed: 0..{len(node.value) - 1}"
            raise ScenarioError([Problem(path, text, new.where)])
        items = list(node.value)
        items[index] = _with(items[index], keys[1:], new, (*path, index))
        return replace(node, value=items)
    if node.value is not None and not isinstance(node.value, dict):
        text = f"got {shown(node.value)} there, which has no key {keys[0]!r}; allowed: to set {dotted(path)} itself"
        raise ScenarioError([Problem(path, text, new.where)])
    children = node.value or {}
    key, rest = _longest_key(keys, children)
    child = children.get(key, Node(None, new.where))
    return replace(node, value={**children, key: _with(child, rest, new, (*path, key))})


def _longest_key(keys: list[str], known: dict[str, Node]) -> tuple[str, list[str]]:
    """The key meant and what is left; names may contain dots, so the longest known one wins."""
    for size in range(len(keys), 0, -1):
        name = ".".join(keys[:size])
        if name in known or size == 1:
            return name, keys[size:]
    raise AssertionError("keys are never empty here")
