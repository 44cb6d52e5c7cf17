"""What a valid file means: numbers, words, aliases, overrides, arms; and that it survives being written out."""

from __future__ import annotations

from pathlib import Path

import pytest

from simnet.scenario.checks import arm_protocols, merged
from simnet.scenario.dump import dump_scenario
from simnet.scenario.errors import ScenarioError
from simnet.scenario.schema import Scenario
from simnet.scenario.yaml_tree import parse, resolve
from tests.unit.scenario.conftest import VALID, Load


def test_values_of_a_small_file(load: Load) -> None:
    scenario = load(VALID)
    assert (scenario.name, scenario.duration_s, scenario.seed) == ("small", 100.0, 1)
    assert scenario.radios["radio"].bandwidth_hz == 1_000_000.0
    assert scenario.topology.kind == "city" and scenario.topology.params.devices == 4
    assert scenario.protocol.codecs == {"digits": ("plain", "learned")}
    assert scenario.protocol.propagation.kind == "with_code"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e6", 1e6),
        ("-1.5E-3", -0.0015),
        ("1.", 1.0),
        (".5", 0.5),
        ("+7", 7),
        ("007", 7),
        ("0o17", 15),
        ("0xff", 255),
        ("9223372036854775807", 2**63 - 1),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        *((word, word) for word in ("no", "No", "yes", "on", "OFF", "1_000", "1:30", "2026-01-01", "e3", ".", "-")),
    ],
)
def test_plain_scalars_are_yaml_1_2(text: str, value: object) -> None:
    resolved = resolve(text)
    assert resolved == value and type(resolved) is type(value)


def test_names_that_yaml_1_1_misreads(load: Load) -> None:
    scenario = load(VALID.replace("name: small", "name: no").replace("digits:", "on:"))
    assert scenario.name == "no"
    assert list(scenario.sources) == ["on"]


def test_byte_order_mark_and_crlf(load: Load) -> None:
    assert load(b"\xef\xbb\xbf" + VALID.replace("\n", "\r\n").encode()) == load(VALID)


def test_aliases_are_copies(load: Load) -> None:
    text = VALID.replace("access: {", "access: &fast {").replace("sources:", "  metro: *fast\nsources:")
    assert load(text).wires["metro"] == load(text).wires["access"]
    changed = load(text, "wires.metro.delay_s=1")
    assert (changed.wires["metro"].delay_s, changed.wires["access"].delay_s) == (1.0, 0.0)


def test_tree_knows_its_lines() -> None:
    tree = parse("a:\n  b:\n    - 1\n    - c: 2\n", lambda line: f"line {line}")
    assert tree.place(("a",)) == "line 1"
    assert tree.place(("a", "b")) == "line 2"
    assert tree.place(("a", "b", 1, "c")) == "line 4"
    assert tree.place(("a", "nowhere", "b")) == "line 1"


def test_overrides(load: Load) -> None:
    scenario = load(
        VALID,
        "seed=7",
        "protocol.store.ttl_s=1e3",
        "topology={kind: city, devices: 9}",
        "protocol.codecs.digits=[plain, plain]",
        "protocol.codecs.digits.0=learned",
        "radios.radio={fading: none}",
        "arms.new.planner.cost=energy",
    )
    assert scenario.seed == 7
    assert scenario.protocol.store.ttl_s == 1000.0
    assert scenario.topology.params.devices == 9
    assert scenario.protocol.codecs["digits"] == ("learned", "plain")
    assert scenario.radios["radio"].fading == "none"
    assert arm_protocols(scenario)["new"].planner.cost == "energy"


def test_override_of_a_name_with_dots(load: Load) -> None:
    scenario = load(VALID.replace("  radio:", "  radio.v2:"), "radios.radio.v2.audit=0.5")
    assert scenario.radios["radio.v2"].audit == 0.5


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("seed", "--set 'seed': got no KEY.PATH=VALUE"),
        ("=1", "--set '=1': got no KEY.PATH=VALUE"),
        ("seed=-1", "--set 'seed=-1' seed: got -1; allowed: a whole number ≥ 0"),
        ("sed=1", "--set 'sed=1' sed: got an unknown key; "),
        ("name.first=a", "name: got 'small' there, which has no key 'first'; allowed: to set name itself"),
        ("protocol.codecs.digits.2=x", "protocol.codecs.digits: got '2' as a list's index; allowed: 0..1"),
        ("protocol.codecs.digits.-1=x", "protocol.codecs.digits: got '-1' as a list's index; allowed: 0..1"),
        ("protocol.codecs.digits." + "9" * 5000 + "=x", "as a list's index; allowed: 0..1"),
        ("topology={kind: generator, graph: star}", "graph: got 'star'; allowed: a mapping (KEY: VALUE lines)\n"),
        ("topology={kind: generator, graph: {shape: barabasi_albert, nodes: 1, links_of_new: 1}}", "er 2..1"),
        ("topology={kind: generator, graph: {shape: watts_strogatz, nodes: 2, neighbours: 2, rewiring: 0}}", "er 3..1"),
        ("seed=[", "--set 'seed=[': got broken YAML"),
        ("seed=\udcff", "got broken YAML"),
        ("a..b=1", "--set 'a..b=1': got no KEY.PATH=VALUE"),
        ("a." * 39 + "b=1", "a: got an unknown key"),
        ("a." * 5000 + "b=1", "got a path of 5001 keys; allowed: 40"),
    ],
)
def test_bad_overrides(load: Load, assignment: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(VALID, assignment)
    assert message in f"{caught.value}\n"


def test_arms_merge_deeply(load: Load) -> None:
    scenario = load(VALID)
    arms = arm_protocols(scenario)
    assert list(arms) == ["cached", "bare"]
    assert arms["cached"].store.policy.kind == "gdsf"
    assert arms["cached"].store.ttl_s == 60.0
    assert arms["cached"].propagation == scenario.protocol.propagation
    assert arms["bare"].propagation.kind == "none"
    assert arms["bare"].store == scenario.protocol.store


def test_without_arms_the_protocol_is_the_one_arm(load: Load) -> None:
    scenario = load(VALID[: VALID.index("arms:")])
    assert arm_protocols(scenario) == {"main": scenario.protocol}


def test_a_plugin_of_another_kind_replaces_all_of_it() -> None:
    base = {"propagation": {"kind": "on_path", "probability": 0.5}, "store": {"ttl_s": 1, "policy": {"kind": "lru"}}}
    assert merged(base, {"propagation": {"kind": "none"}})["propagation"] == {"kind": "none"}
    assert merged(base, {"propagation": {"probability": 1.0}})["propagation"] == {"kind": "on_path", "probability": 1.0}
    assert merged(base, {"propagation": {"kind": "on_path"}})["propagation"] == base["propagation"]
    assert merged(base, {"store": {"policy": "fifo"}})["store"] == {"ttl_s": 1, "policy": "fifo"}
    assert base["store"] == {"ttl_s": 1, "policy": {"kind": "lru"}}


def test_arm_error_without_a_file(load: Load) -> None:
    scenario = load(VALID).model_copy(update={"arms": {"a": {"planner": {"cost": "air"}}}})
    with pytest.raises(ScenarioError, match=r"arms\.a\.planner\.cost: got 'air'; allowed: bytes, airtime, energy"):
        arm_protocols(scenario)


def test_trace_file_is_taken_from_the_scenarios_folder(load: Load, tmp_path: Path) -> None:
    (tmp_path / "wishes.csv").write_text("time_s,consumer,item_id\n")
    scenario = load(VALID.replace("{kind: poisson, rate_per_s: 0.1}", "{kind: trace, file: wishes.csv}"))
    assert scenario.traffic.params.file == (tmp_path / "wishes.csv").resolve()
    assert load(dump_scenario(scenario)) == scenario


@pytest.mark.parametrize(
    "change",
    [
        ("name: small", "name: '1e6'"),
        ("name: small", "name: 'no'\ndescription: \"null\""),
        ("name: small", 'name: a\ndescription: "two\\nlines: # and \\"quotes\\" \\u2028 é 😀 \\t"'),
        ("name: small", "name: a\ndescription: .inf".replace(".inf", "'.inf'")),
        ("name: small", "name: a\nseed: 9223372036854775807"),
        ("name: small", 'name: a\ndescription: "next \\x85 line"'),
        ("1e2", "1e300"),
        ("1e2", "1.0000000000000002"),
        ("ttl_s: 60", "ttl_s: 1e-12"),
        ("digits", "0x10"),
    ],
)
def test_dump_loads_to_the_same(load: Load, change: tuple[str, str]) -> None:
    scenario = load(VALID.replace(*change) if change[0] != "digits" else VALID.replace("digits:", "0x10:"))
    text = dump_scenario(scenario)
    again = load(text)
    assert again == scenario
    assert dump_scenario(again) == text


def test_dump_has_every_field(load: Load) -> None:
    text = dump_scenario(load(VALID))
    for field in Scenario.model_fields:
        assert f"\n{field}:" in f"\n{text}"
    assert "coherence_time_s: 0.1\n" in text  # a default of a part
    assert "zipf_exponent: 0.8\n" in text  # a default of a plug-in
