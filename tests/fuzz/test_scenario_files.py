"""Whatever happens to a scenario file, loading gives a Scenario or a ScenarioError, never anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simnet.scenario.dump import dump_scenario
from simnet.scenario.errors import ScenarioError
from simnet.scenario.load import load_scenario
from simnet.scenario.places import item
from simnet.scenario.schema import Scenario
from simnet.scenario.yaml_tree import parse
from tests.unit.scenario.conftest import VALID

RAW = VALID.encode()
TREE: dict[str, Any] = parse(VALID, str).plain()

WORDS = (
    rb"!!python/name:os.system !x !!str !!binary &a *a << : - ? --- ... %YAML { } [ ] | > # , ' \ @ ` ~ no yes on true "
    rb"null .nan .inf 1e6 1e999 -1 0x1f 0o17 kind name devices a.b 1:30 \u0000 \ud800 *a*a"
)
SPACES = [b"\n", b"\n\n  ", b"  ", b"\t", b": ", b"- ", b"? ", b'"', b"\x00", b"\xff", b"\xc3", b"\xe2\x80\xa8", b"\r"]
SNIPPETS = [*WORDS.split(), *SPACES]
LONG = [b"9" * 400, b"[" * 300, b"- " * 300, b"a: {" * 50, b"x" * 2000]

EDIT = st.tuples(
    st.integers(0, len(RAW)), st.integers(0, 30), st.sampled_from([*SNIPPETS, *LONG]) | st.binary(max_size=4)
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["city", "poisson", "trace", "raw", "aesc", "lru", "none", "digits", "plain", "no", "1e6", "\0"])
)
VALUES = st.recursive(
    SCALARS,
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.just("kind") | st.text(max_size=6), deeper),
    max_leaves=6,
)


def paths(tree: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every key path of a tree of mappings and lists."""
    if isinstance(tree, dict):
        below = [found for key, value in tree.items() for found in paths(value, (*path, key))]
    elif isinstance(tree, list):
        below = [found for index, value in enumerate(tree) for found in paths(value, (*path, index))]
    else:
        below = []
    return [path, *below] if path else below


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("fuzz") / "s.yaml"

    def load_bytes(content: bytes) -> Scenario | ScenarioError:
        path.write_bytes(content)
        try:
            scenario = load_scenario(path)
        except ScenarioError as error:
            assert str(path) in str(error) and len(str(error)) < 100_000
            return error
        path.write_text(dump_scenario(scenario), encoding="utf-8")
        assert load_scenario(path) == scenario
        return scenario

    return load_bytes


def test_the_unchanged_file_is_valid(load: Any) -> None:
    assert isinstance(load(RAW), Scenario)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(EDIT, min_size=1, max_size=4))
def test_edited_text(load: Any, edits: list[tuple[int, int, bytes]]) -> None:
    content = RAW
    for start, length, new in edits:
        content = content[:start] + new + content[start + length :]
    assert isinstance(load(content), Scenario | ScenarioError)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.sampled_from(paths(TREE)), VALUES), min_size=1, max_size=2), rename=st.booleans())
def test_edited_values(load: Any, changes: list[tuple[tuple[str | int, ...], Any]], rename: bool) -> None:
    tree = json.loads(json.dumps(TREE))
    for path, value in changes:
        parent = tree
        for key in path[:-1]:
            parent = item(parent, key)
        if isinstance(parent, dict):
            if rename:
                parent.pop(path[-1], None)
            parent[f"{path[-1]}{'x' * rename}"] = value
        elif isinstance(parent, list):
            parent[-1:] = [value]
    content = json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert isinstance(load(content), Scenario | ScenarioError)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_any_bytes(load: Any, content: bytes) -> None:
    assert isinstance(load(content), ScenarioError)
