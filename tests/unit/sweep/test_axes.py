"""Blocks to points: the product, columns, labels, and what is refused."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.core.errors import SimnetError
from simnet.scenario.errors import ScenarioError
from simnet.scenario.load import validated
from simnet.scenario.yaml_tree import parse
from simnet.sweep.axes import Setting, expand
from simnet.sweep.schema import SweepFile
from simnet.sweep.sweep import load_sweep
from tests.support.sweeps import sweep_of

UNTIL = "replications: {{least: {least}, most: {most}, until: {{metric: {metric}, arm: {arm}, half_width: 1}}}}"
VALUE = st.one_of(st.none(), st.integers(-9, 9), st.sampled_from(["x", "y"]))


def settings(axes: list[dict[str, object]]) -> list[Setting]:
    import json

    tree = parse(json.dumps({"name": "s", "base": "b", "axes": axes}), lambda line: f"s.yaml:{line}")
    return expand(validated(tree, SweepFile), tree)[1]


@st.composite
def blocks(draw: st.DrawFn) -> list[tuple[str, dict[str, list[object]]]]:
    found = []
    for index in range(draw(st.integers(0, 3))):
        word = draw(st.sampled_from(["grid", "zip"]))
        n_key, n_value = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        keys = [f"part{index}.key{index}_{key}" for key in range(n_key)]
        size = st.lists(VALUE, min_size=n_value, max_size=n_value, unique=word == "grid")
        found.append((word, {key: draw(size) for key in keys}))
    return found


@given(blocks())
def test_points_are_the_product_of_blocks(given_blocks: list[tuple[str, dict[str, list[object]]]]) -> None:
    expected: list[dict[str, object]] = [{}]
    for word, lists in given_blocks:
        choices = itertools.product(*lists.values()) if word == "grid" else zip(*lists.values(), strict=True)
        rows = [dict(zip(lists, choice, strict=True)) for choice in choices]
        expected = [{**left, **right} for left in expected for right in rows]
    found = settings([{word: lists} for word, lists in given_blocks])
    assert [{key: node.plain() for key, node in s.values.items()} for s in found] == expected
    assert [dict(s.columns) for s in found] == [
        {key.rpartition(".")[2]: value for key, value in point.items()} for point in expected
    ]


def test_settings_reach_the_scenario_and_the_base_file_stays_as_it_is(tmp_path: Path) -> None:
    sweep = sweep_of(
        tmp_path,
        """
set: {wires.cable.rate_bit_per_s: 5.0e+5}
axes:
  - grid: {protocol.store.ttl_s: [60, null]}
  - list:
    - {topology.nodes.1.tier: edge, duration_s: 7, label: {shape: edgy}}
    - {topology.nodes: [{name: camera, tier: gateway}, {name: reader, tier: device}, {name: other, tier: edge}],
       duration_s: 8, label: {shape: flat, tier: none}}
columns: {duration_s: seconds, topology.nodes.1.tier: tier}
""",
    )
    assert [axis.column for axis in sweep.axes] == ["ttl_s", "tier", "seconds", "shape"]
    seen = [(p.columns, p.scenario.protocol.store.ttl_s, p.scenario.duration_s) for p in sweep.points]
    assert seen == [
        ({"ttl_s": 60, "tier": "edge", "seconds": 7, "shape": "edgy"}, 60, 7),
        ({"ttl_s": 60, "tier": "none", "seconds": 8, "shape": "flat"}, 60, 8),
        ({"ttl_s": None, "tier": "edge", "seconds": 7, "shape": "edgy"}, None, 7),
        ({"ttl_s": None, "tier": "none", "seconds": 8, "shape": "flat"}, None, 8),
    ]
    assert {p.scenario.wires["cable"].rate_bit_per_s for p in sweep.points} == {5e5}
    tiers = [[node.tier for node in p.scenario.topology.params.nodes] for p in sweep.points[:2]]  # type: ignore[attr-defined]
    assert tiers == [["gateway", "edge", "device"], ["gateway", "device", "edge"]]


def test_constraints_leave_points_out_and_the_rest_is_numbered_anew(tmp_path: Path) -> None:
    text = """
axes: [grid: {protocol.store.ttl_s: [60, 300, null], duration_s: [1, 100]}]
constraints: ["ttl_s is None or ttl_s >= 100", "not (duration_s == 1 and ttl_s == 300)"]
"""
    sweep = sweep_of(tmp_path, text)
    assert [(p.index, p.columns["ttl_s"], p.columns["duration_s"]) for p in sweep.points] == [
        (0, 300, 100), (1, None, 1), (2, None, 100),
    ]  # fmt: skip
    assert sweep.left_out == 3


def test_without_axes_there_is_one_point(tmp_path: Path) -> None:
    (point,) = sweep_of(tmp_path, "replications: 2\n").points
    assert (point.settings, point.columns) == ({}, {})


def test_set_on_the_command_line_changes_the_sweep_file(tmp_path: Path) -> None:
    text = "set: {duration_s: 5}\nreplications: 4\n"
    sweep = sweep_of(tmp_path, text, "replications=2", "set.wires.cable.rate_bit_per_s=7", "set.drain_s=1")
    scenario = sweep.points[0].scenario
    assert (sweep.most, scenario.duration_s, scenario.drain_s) == (2, 5, 1)
    assert scenario.wires["cable"].rate_bit_per_s == 7 and scenario.wires["cable"].delay_s == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("axes: [grid: {a.x: [1], b.x: [2]}]", r"yaml:3 axes: got the column 'x' for a\.x and b\.x; allowed: one"),
        ("axes: [grid: {a.x: [1]}, grid: {a.x: [2]}]", r"got this key twice|got a\.x in two blocks"),
        ("axes:\n  - grid: {a.x: [1]}\n  - zip: {a.x: [2]}\ncolumns: {a.x: y}", r"sweep\.yaml:5 axes: got a\.x in two"),
        ("axes: [list: [{a.x: 1, b.x: 2}]]", r"yaml:3 axes: got the column 'x' for a\.x and b\.x; allowed: one each"),
        ("axes: [list: [{a.x: 1}, {b.x: 2}]]", r"yaml:3 axes: got the column 'x' for a\.x and b\.x; allowed: one each"),
        ("axes:\n  - grid: {a.b: [1]}\n  - list: [{a: {b: 2}, label: {c: d}}]", r"yaml:5 axes: got a after a\.b"),
        ("axes: [list: [{a.b: 1, a: {c: 2}, label: {d: e}}]]", r"yaml:3 axes: got a after a\.b, whose value"),
        ("axes: [grid: {a.b: [1], a: [null]}]", r"got a after a\.b, whose value it replaces; allowed: the wider key"),
        ("axes:\n  - grid: {a.01.b: [1]}\n  - zip: {a.1.b: [2]}\ncolumns: {a.1.b: c}", r"got a\.1\.b after a\.01\.b"),
        ("set: {traffic.rate_per_s: 4, traffic: {kind: poisson, rate_per_s: 3}}", r":3 set: got traffic after traffic"),
        ("axes: [list: [{a.b: 1, label: {b: x}}, {a.b: 2, label: {b: x}}]]", r"got other settings for .* \(b = 'x'\)"),
        ("axes: [grid: {a.ss_mean: [1]}]", r"the column 'ss_mean' of a\.ss_mean, which the results have anyway"),
        ("axes: [grid: {a.point: [1]}]", r"the column 'point' of a\.point, which the results have anyway"),
        ("axes: [grid: {a.mean: [1]}]", r"the column 'mean' of a\.mean, which the results have anyway"),
        ("axes: [list: [{a.b: 1, label: {n: x}}]]", r"the label's column 'n', which the results have anyway"),
        ("axes: [grid: {a.b-c: [1]}]", r"the column 'b-c' of a\.b-c; allowed: letters, digits and _"),
        ("axes: [grid: {a.b: [{c: 1}]}]", r"got \{'c': 1\} for a\.b; allowed: plain values; use 'list' with a label"),
        ("axes: [list: [{a.b: [1]}]]", r"got a mapping or list as a value; allowed: with a label beside it"),
        ("axes: [list: [{a.b: 1}, {a.c: 1}]]", r"got the columns c; the first entry has b; allowed: the same in all"),
        ("axes: [list: [{a.b: 1, label: x}]]", r"got the label 'x'; allowed: columns with plain values"),
        ("axes: [zip: {a.b: [1], a.c: [1, 2]}]", r"got lists of unequal lengths in zip \(a\.b: 1, a\.c: 2\)"),
        ("axes: [{grid: {a.b: [1]}, zip: {a.c: [1]}}]", r"got grid and zip in one block; allowed: exactly one of"),
        ("axes: [{grod: {a.b: [1]}}]", r"axes\.0\.grod: got an unknown key; .*did you mean 'grid'"),
        ("axes:\n  - grid:\n      a.b: [1, 2,\n        1.0]", r"yaml:6 axes: got 1\.0 twice for a\.b; allowed"),
        ("axes: [grid: {}]", r"got no keys in grid"),
        ("axes: [grid: {a.b: []}]", r"allowed: at least 1 entry"),
        ("columns: {a.b: c}", r"got a column for a\.b, which is on no axis"),
        ("set: {seed: 3}", r"sweep\.yaml:3 set\.seed: got the key 'seed', which every replication sets"),
        ("axes:\n  - grid: {seed: [1, 2]}", r"^[^\n]*yaml:4 axes: got the key 'seed', which .* replications: N beside"),
        ("axes: [grid: {seed: [1]}]\ncolumns: {seed: start}", r"^[^\n]*yaml:3 axes: got the key 'seed'"),
        ("axes: [random: {n: 2, keys: {seed: {low: 1, high: 9}}}]", r"^[^\n]*yaml:3 axes: got the key 'seed'"),
        ("axes: [list: [{seed: 1, label: {start: a}}]]", r"^[^\n]*yaml:3 axes: got the key 'seed'"),
        ("axes: [grid: {duration_s: [1, -1]}]", r"sweep\.yaml:3 duration_s: got -1; allowed: a number > 0"),
        ("axes: [grid: {duration_z: [1]}]", r"yaml:3 duration_z: got an unknown key; .*mean 'duration_s'"),
        ("axes: [grid: {duration_s: [1]}]\nconstraints: [duration_s > 2]", r"got none of 1 points that fulfils all"),
        ("axes: [grid: {duration_s: [1]}]\nconstraints: [durations > 2]", r"constraints\.0: got the name 'durations'"),
        ("axes: [random: {n: 2, keys: {a.b: {low: 2, high: 1}}}]", r"got low 2 and high 1; allowed: low < high"),
        ("axes: [random: {n: 2, keys: {a.b: {low: -1.7e308, high: 1.7e308}}}]", r"ends less than 1.8e308 apart"),
        ("axes: [random: {n: 2, keys: {a.b: {low: 0, high: 1, scale: log}}}]", r"got low 0 on a log scale"),
        ("replications: 0", r"replications: got 0; allowed: a whole number ≥ 1 or a mapping"),
        (UNTIL.format(least=9, most=5, metric="ss_mean", arm="small"), r"got least 9 and most 5; allowed: least"),
        (UNTIL.format(least=5, most=9, metric="ss_mean", arm="smal"), r"until\.arm: got 'smal'; allowed: small, large"),
        (UNTIL.format(least=5, most=9, metric="fidelity", arm="small"), r"until\.metric: got 'fidelity'; allowed"),
        ("warm_up: mser", r"warm_up: got 'mser'; allowed: none, mser5 or a number ≥ 0"),
        ("warm_up: 20", r"sweep\.yaml:3 warm_up: got 20; allowed: none, mser5 or less than duration_s, which is 20 s"),
        ("warm_up: 9\naxes: [grid: {duration_s: [90, 5]}]", r"warm_up: got 9; .* duration_s, which is 5 s at a point"),
        ("page: none.py", r"sweep\.yaml:3 page: got 'none\.py', no such file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        sweep_of(tmp_path, text)


def test_a_base_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"other\.yaml: cannot be read: No such file"):
        sweep_of(tmp_path, "", "base=other.yaml")


def test_a_wider_key_comes_first_and_zipped_values_may_repeat(tmp_path: Path) -> None:
    text = """
axes:
  - list: [{traffic: {kind: poisson, rate_per_s: 5}, label: {demand: x}}]
  - zip: {traffic.rate_per_s: [1, 2, 2], drain_s: [1, 1, 2]}
"""
    sweep = sweep_of(tmp_path, text)
    assert [point.scenario.traffic.params.rate_per_s for point in sweep.points] == [1, 2, 2]  # type: ignore[attr-defined]


def test_the_command_line_may_replace_what_the_file_sets(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, "set: {traffic.rate_per_s: 4}\n", "set.traffic={kind: poisson, rate_per_s: 3}")
    assert sweep.points[0].scenario.traffic.params.rate_per_s == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("source_type", ["digits surrogates", "digits_0001"])
def test_until_may_look_at_surrogates_as_results_call_them(tmp_path: Path, source_type: str) -> None:
    base = Path(__file__).parents[3] / "scenarios" / "thousand_models.yaml"
    until = f"{{metric: ss_mean, arm: ss_aware, source_type: {source_type}, half_width: 1}}"
    file = tmp_path / "sweep.yaml"
    file.write_text(f"name: s\nbase: {base}\nreplications: {{least: 3, most: 4, until: {until}}}\n")
    if source_type == "digits surrogates":
        assert load_sweep(file).most == 4
    else:
        with pytest.raises(ScenarioError, match=r"got 'digits_0001'; allowed: all, digits, clothes, digits surrogates"):
            load_sweep(file)


def test_a_drawn_network_without_the_classes_of_its_links_is_said_with_its_line(tmp_path: Path) -> None:
    star = "{kind: generator, graph: {shape: star, nodes: 3}, wireless: none, links: {wire: WIRE}}"
    both = ", ".join(
        f"{{topology: {star.replace('WIRE', wire)}, label: {{net: {wire}}}}}" for wire in ("cable", "fibre")
    )
    said = (
        r"sweep\.yaml:3 topology: wired link .*: got class 'fibre', which 'wires' hasn't; add it there; allowed: cable"
    )
    with pytest.raises(SimnetError, match=said):
        sweep_of(tmp_path, f"axes: [list: [{both}]]")
    alone = star.replace("nodes: 3", "nodes: 1").replace("WIRE", "fibre")  # no link, no class
    assert len(sweep_of(tmp_path, f"axes: [list: [{{topology: {alone}, label: {{net: a}}}}]]").points) == 1


def test_too_many_points_are_refused_before_they_are_made(tmp_path: Path) -> None:
    values = ", ".join(map(str, range(1, 1001)))
    with pytest.raises(ScenarioError, match="got 1000000 points; allowed: 100000"):
        sweep_of(tmp_path, f"axes:\n  - grid: {{duration_s: [{values}]}}\n  - grid: {{drain_s: [{values}]}}\n")
    keys = ", ".join(f"part.key{i}: [{values}]" for i in range(9))  # 10²⁷ would not fit into memory
    with pytest.raises(ScenarioError, match=rf"sweep\.yaml:4 axes: got 1{'0' * 27} points; allowed: 100000"):
        sweep_of(tmp_path, f"axes:\n  - grid: {{{keys}}}\n")
