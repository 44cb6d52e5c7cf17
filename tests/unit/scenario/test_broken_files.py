"""Broken scenario files, each with its message: file, line, key path, what was got, what is allowed, nearest name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from simnet.core.errors import SimnetError
from simnet.scenario.errors import ScenarioError
from simnet.scenario.load import MAX_FILE_BYTE, load_scenario
from tests.unit.scenario.conftest import VALID, Load

HELLO = Path(__file__).parents[3] / "scenarios" / "hello.yaml"


class Broken(NamedTuple):
    """``old`` replaced by ``new`` in the valid scenario; the message is at ``place`` and contains ``parts``."""

    id: str
    old: str
    new: str
    place: str
    parts: tuple[str, ...]


CASES = [
    Broken(
        "missing_key", "duration_s: 1e2\n", "", "1 duration_s", ("got no such key", "a number > 0", "simulated time")
    ),
    Broken(
        "missing_in_part", "dataset: mnist, ", "", "11 sources.digits.dataset", ("got no such key", "allowed: text")
    ),
    Broken("missing_in_plugin", ", rate_per_s: 0.1", "", "15 traffic.rate_per_s", ("got no such key", "a number > 0")),
    Broken("missing_kind", "kind: poisson, ", "", "15 traffic.kind", ("got no 'kind'", "periodic, poisson, trace")),
    Broken(
        "unknown_key", "name: small", "name: small\ncolour: red", "2 colour", ("unknown key", "name, description, seed")
    ),
    Broken(
        "unit_left_out",
        "bandwidth_hz",
        "bandwidth",
        "7 radios.radio.bandwidth",
        ("got an unknown key; allowed: bandwidth_hz, ", "did you mean 'bandwidth_hz'?"),
    ),
    Broken(
        "wish_beyond_1",
        "mnist, ",
        "mnist, wish: {ss: [0.5, 1.5]}, ",
        "11 sources.digits.wish.ss.1",
        ("got 1.5; allowed: a number 0..1",),
    ),
    Broken(
        "wish_in_words",
        "mnist, ",
        "mnist, wish: {ss: high}, ",
        "11 sources.digits.wish.ss",
        ("got 'high'; allowed: a number 0..1 or a list of at least 1, each entry a number 0..1",),
    ),
    Broken(
        "wish_of_a_kind",
        "mnist, ",
        "mnist, wish: {ss: {foreground: 0.5}}, ",
        "11 sources.digits.wish.ss",
        ("allowed: a number 0..1 or a list of at least 1",),
    ),
    Broken(
        "no_wished_classes",
        "mnist, ",
        "mnist, wish: {classes: []}, ",
        "11 sources.digits.wish.classes",
        ("got []; allowed: all, foreground, background or a list of at least 1",),
    ),
    Broken(
        "key_of_a_plugin_without_settings",
        "policy: lru",
        "policy: {kind: lru, size: 3}",
        "18 protocol.store.policy.size",
        ("got an unknown key; allowed: kind",),
    ),
    Broken(
        "no_labels",
        "mnist, ",
        "mnist, labels: [], ",
        "11 sources.digits.labels",
        ("got []; allowed: at least 1 entry",),
    ),
    Broken("wrong_unit", "duration_s", "duration_ms", "2 duration_ms", ("unknown key", "did you mean 'duration_s'?")),
    Broken(
        "wrong_unit_in_plugin", "rate_per_s", "rate_per_h", "15 traffic.rate_per_h", ("allowed: kind, rate_per_s, ",)
    ),
    Broken(
        "typo_of_policy",
        "policy: lru",
        "policy: lruu",
        "18 protocol.store.policy",
        (
            "unknown store policy: got 'lruu'; did you mean 'lru'?",
            "Allowed: fifo, gdsf, lfu, lru, ss_aware.",
            "'simnet list store'",
        ),
    ),
    Broken(
        "typo_of_topology",
        "kind: city",
        "kind: ctiy",
        "3 topology.kind",
        ("unknown topology: got 'ctiy'; did you mean 'city'?", "'simnet list topology'"),
    ),
    Broken(
        "plugin_is_a_list",
        "traffic: {kind: poisson, rate_per_s: 0.1}",
        "traffic: [poisson]",
        "15 traffic",
        ("got ['poisson']; allowed: a name, or a mapping with 'kind'", "periodic, poisson, trace"),
    ),
    Broken(
        "nested_typo",
        "edges: 1",
        "edges: 1, path_loss: {exponnt: 3}",
        "3 topology.path_loss.exponnt",
        ("unknown key", "did you mean 'exponent'?"),
    ),
    Broken(
        "negative_rate",
        "rate_per_s: 0.1",
        "rate_per_s: -2",
        "15 traffic.rate_per_s",
        ("got -2; allowed: a number > 0",),
    ),
    Broken("negative_bit_rate", "1e8", "-1", "9 wires.access.rate_bit_per_s", ("got -1; allowed: a number > 0",)),
    Broken("out_of_range", "mcs: adaptive", "audit: 1.5", "7 radios.radio.audit", ("got 1.5; allowed: a number 0..1",)),
    Broken(
        "typo_of_word",
        "mcs: adaptive",
        "fidelity: tabel",
        "7 radios.radio.fidelity",
        ("got 'tabel'; allowed: exact, table, ideal; did you mean 'table'?",),
    ),
    Broken("unknown_mcs", "mcs: adaptive", "mcs: 31", "7 radios.radio.mcs", ("got 31; allowed: adaptive, QPSK 1/2, ",)),
    Broken(
        "unknown_dataset",
        "dataset: mnist",
        "dataset: mnits",
        "11 sources.digits.dataset",
        (
            "unknown data set: got 'mnits'; did you mean 'mnist'?",
            "Allowed: camvid, camvid_small, cifar10, cityscapes, fashion_mnist, mnist, streets.",
            "simnet list data",
        ),
    ),
    Broken(
        "unknown_judge",
        "digits_judge",
        "digit_judge",
        "11 sources.digits.judge",
        ("unknown model: got 'classifier/digit_judge'; did you mean 'classifier/digits_judge'?", "'simnet models'"),
    ),
    Broken(
        "unknown_model",
        "digits_z40",
        "digits_z41",
        "14 codecs.learned.model",
        ("unknown model: got 'aesc/digits_z41'; did you mean 'aesc/digits_z", "'simnet models'"),
    ),
    Broken(
        "unknown_codec_kind",
        "kind: raw",
        "kind: rwa",
        "13 codecs.plain.kind",
        ("unknown codec: got 'rwa'; did you mean 'raw'?", "'simnet list codecs'"),
    ),
    Broken(
        "unknown_codec",
        "[plain, ",
        "[plane, ",
        "17 protocol.codecs.digits.0",
        ("unknown codec: got 'plane'; did you mean 'plain'?", "Allowed: learned, plain.", "under 'codecs'"),
    ),
    Broken(
        "unknown_source",
        "codecs: {digits:",
        "codecs: {digit:",
        "17 protocol.codecs.digit",
        ("unknown source: got 'digit'; did you mean 'digits'?", "Allowed: digits.", "under 'sources'"),
    ),
    Broken(
        "source_without_codec",
        "[plain, learned]",
        "[]",
        "17 protocol.codecs.digits",
        ("got no codec for source 'digits'; allowed: plain, learned",),
    ),
    Broken(
        "codec_twice",
        "[plain, learned]",
        "[plain, learned, plain]",
        "17 protocol.codecs.digits.2",
        ("got 'plain' twice; allowed: each codec once",),
    ),
    Broken(
        "gain_for_loss",
        "kind: city, devices: 4, gateways: 1, edges: 1",
        "kind: generator, graph: {shape: star, nodes: 3}, links: {fixed_path_loss_db: -3}",
        "3 topology.links.fixed_path_loss_db",
        ("got -3; allowed: a number 0..1000",),
    ),
    Broken(
        "misspelt_kind",
        "{kind: poisson",
        "{knid: poisson",
        "15 traffic.kind",
        ("got no 'kind' but 'knid'; allowed: periodic, poisson, trace",),
    ),
    Broken(
        "fixed_length",
        "image_shape: [1, 28, 28]",
        "image_shape: square",
        "13 codecs.plain.image_shape",
        ("got 'square'; allowed: a list of 3 entries: 1, 3; a whole number 1..4096; a whole number 1..4096",),
    ),
    Broken(
        "word_in_a_part_that_may_be_null",
        "arms:",
        "surrogates: {count: 3, like: [digits], owners: devise}\narms:",
        "19 surrogates.owners",
        ("got 'devise'; allowed: device, gateway, edge, cloud; did you mean 'device'?",),
    ),
    Broken(
        "tier_unknown",
        "  device: {",
        "  fog: {",
        "5 tiers.fog",
        ("got the key 'fog'; allowed: device, gateway, edge, cloud",),
    ),
    Broken(
        "bad_name",
        "  radio: {",
        "  ra dio: {",
        "7 radios.ra dio",
        ("got the key 'ra dio'; allowed: text that matches ",),
    ),
    Broken(
        "wrong_type", "items: 10", "items: ten", "11 sources.digits.items", ("got 'ten'; allowed: a whole number ≥ 1",)
    ),
    Broken(
        "number_in_quotes",
        "items: 10",
        "items: '10'",
        "11 sources.digits.items",
        ("got '10'; allowed: a whole number",),
    ),
    Broken("bool_for_number", "1e2", "true", "2 duration_s", ("got true; allowed: a number > 0",)),
    Broken(
        "no_for_bool", "arms:", "signal: {trace: no}\narms:", "19 signal.trace", ("got 'no'; allowed: true or false",)
    ),
    Broken(
        "list_for_mapping",
        "tiers:\n  device: {store_byte: 65536}",
        "tiers: [device]",
        "4 tiers",
        ("got ['device']; allowed: a mapping (KEY: VALUE lines)",),
    ),
    Broken(
        "word_for_part",
        "{rate_bit_per_s: 1e8}",
        "fast",
        "9 wires.access",
        ("got 'fast'; allowed: a mapping with keys of: rate_bit_per_s, delay_s, joule_per_bit",),
    ),
    Broken(
        "nothing_there",
        "codecs:\n  plain: {kind: raw, image_shape: [1, 28, 28]}\n  learned: {kind: aesc, model: digits_z40}",
        "codecs: {}",
        "12 codecs",
        ("got {}; allowed: at least 1 entry",),
    ),
    Broken(
        "burst_beyond_coherence",
        "mcs: adaptive",
        "max_burst_s: 0.5",
        "7 radios.radio",
        ("max_burst_s 0.5 exceeds coherence_time_s 0.1", "shorter burst or a longer coherence time"),
    ),
    Broken(
        "burst_of_a_channel_that_moves_on",
        "mcs: adaptive",
        "fading: clarke, coherence_time_s: 0.1, max_burst_s: 0.02",
        "7 radios.radio",
        ("max_burst_s 0.02 exceeds a tenth of (clarke) coherence_time_s 0.1", "shorter burst"),
    ),
    Broken(
        "table_without_arq",
        "mcs: adaptive",
        "protection: none, fidelity: table",
        "7 radios.radio",
        ("protection none", "fidelity exact or ideal, not table"),
    ),
    Broken(
        "bit_errors_on_a_protected_link",
        "mcs: adaptive",
        "fidelity: ideal, bit_error_rate: 0.01",
        "7 radios.radio",
        ("bit_error_rate 0.01 needs fidelity ideal and protection none", "got ideal and arq"),
    ),
    Broken(
        "uncoded_with_arq",
        "mcs: adaptive",
        "mcs: QPSK uncoded",
        "7 radios.radio",
        ("mcs QPSK uncoded needs protection none, got arq",),
    ),
    Broken(
        "two_schemes_with_arq",
        "mcs: adaptive",
        "mcs: QPSK 3/4, protected_mcs: QPSK 1/2",
        "7 radios.radio",
        ("protected_mcs QPSK 1/2 needs protection none and one scheme for the rest", "got protection arq"),
    ),
    Broken(
        "high_bits_of_nothing",
        "store: {policy: lru,",
        "protect: {code: all, high_bits: 2}\n  store: {policy: lru,",
        "18 protocol.protect",
        ("layers and high_bits need model: part, got model: none",),
    ),
    Broken(
        "missing_trace_file",
        "{kind: poisson, rate_per_s: 0.1}",
        "{kind: trace, file: gone.csv}",
        "15 traffic.file",
        ("gone.csv', no such file",),
    ),
    Broken(
        "plugins_own_check",
        "{kind: poisson, rate_per_s: 0.1}",
        "{kind: trace}",
        "15 traffic",
        ("give exactly one of 'requests' and 'file'",),
    ),
    Broken(
        "arm_unknown_key",
        "{propagation: none,",
        "{propagatoin: none,",
        "21 arms.bare.propagatoin",
        ("unknown key; allowed: codecs, propagation, ", "did you mean 'propagation'?"),
    ),
    Broken(
        "arm_wrong_value",
        "cost: airtime",
        "cost: air",
        "21 arms.bare.planner.cost",
        ("got 'air'; allowed: bytes, airtime, energy",),
    ),
    Broken(
        "arm_unknown_plugin",
        "kind: gdsf",
        "kind: gds",
        "20 arms.cached.store.policy.kind",
        ("unknown store policy: got 'gds'; did you mean 'gdsf'?",),
    ),
    Broken(
        "arm_unknown_codec",
        "{propagation: none,",
        "{codecs: {digits: [jpg]}, propagation: none,",
        "21 arms.bare.codecs.digits.0",
        ("unknown codec: got 'jpg'", "Allowed: learned, plain."),
    ),
    Broken(
        "arm_is_a_word",
        "{propagation: none, planner: {cost: airtime}}",
        "none",
        "21 arms.bare",
        ("got 'none'; allowed: a mapping",),
    ),
    Broken("nan", "1e2", ".nan", "2 duration_s", ("got .nan; allowed: finite numbers",)),
    Broken(
        "infinity", "ttl_s: 60", "ttl_s: .inf", "18 protocol.store.ttl_s", ("got .inf; allowed: finite numbers", "null")
    ),
    Broken("too_large", "1e2", "1e999", "2 duration_s", ("got '1e999'; allowed: finite numbers",)),
    Broken(
        "too_many_digits", "1e2", "1" + "0" * 5000, "2 duration_s", ("…; allowed: whole numbers of at most 64 bits",)
    ),
    Broken(
        "duplicate_key",
        "wires:",
        "duration_s: 3\nwires:",
        "8 duration_s",
        ("got this key twice, first at ", "s.yaml:2; "),
    ),
    Broken(
        "duplicate_nested_key",
        "mcs: adaptive",
        "bandwidth_hz: 2",
        "7 radios.radio.bandwidth_hz",
        ("got this key twice",),
    ),
    Broken(
        "python_tag",
        "small",
        "!!python/object/apply:os.getcwd []",
        "1 name",
        ("got tag ", "python/object/apply:os.getcwd"),
    ),
    Broken("merge_key", "  cached: {store", "  cached: {<<: {}, store", "20 arms.cached", ("got a merge key '<<'",)),
    Broken(
        "alias_without_anchor",
        "[plain, learned]",
        "*mine",
        "17 protocol.codecs.digits",
        ("got alias *mine without its anchor",),
    ),
    Broken(
        "alias_loop", "[plain, learned]", "&a [*a]", "17 protocol.codecs.digits.0", ("got alias *a inside", "no loops")
    ),
    Broken("bad_syntax", "arms:", "arms: [", "21", ("got broken YAML: ", "look at indentation")),
    Broken("tab", "  device:", "\tdevice:", "5", ("got broken YAML: ", "no tabs")),
    Broken("two_documents", "arms:", "---\narms:", "19", ("got a second YAML document", "one document per file")),
    Broken(
        "key_is_a_list", "arms:", "? [a]\n: b\narms:", "19", ("got a mapping or list as a key; allowed: plain names",)
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_message(case: Broken, load: Load, tmp_path: Path) -> None:
    assert VALID.count(case.old) >= 1
    with pytest.raises(ScenarioError) as caught:
        load(VALID.replace(case.old, case.new, 1))
    start = f"{tmp_path / 's.yaml'}:{case.place}: "
    lines = [line for line in str(caught.value).splitlines() if line.startswith(start)]
    assert len(lines) == 1, str(caught.value)
    for part in case.parts:
        assert part in lines[0]


NODES = (
    "  nodes:\n    - {name: hall, tier: gateway}\n    - {name: lamp, tier: device}\n    - {name: ra, tier: device}\n"
)
LINKS = """\
  links:
    - {a: hall, b: lamp, medium: wired, link_class: access}
    - a: hall
      b: ra
      medium: wireless
      link_class: radio
      carrier: hall
      path_loss_db: 80
"""
RADIO_LINK = "{a: hall, b: lamp, medium: wireless, link_class: lora, carrier: hall, path_loss_db: 80}"
CITY = "topology: {kind: city, devices: 4, gateways: 1, edges: 1}\n"
WRITTEN_OUT = f"{VALID.replace(CITY, '')}topology:\n  kind: explicit\n{NODES}{LINKS}"


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("name: ra,", "name: lamp,", "26 topology.nodes.2.name", "node 'lamp' appears twice, first as nodes.1"),
        ("b: ra", "b: rar", "30 topology.links.1.b", "got node 'rar'; allowed: hall, lamp, ra; did you mean 'ra'?"),
        (
            "b: lamp",
            "b: lmap",
            "28 topology.links.0.b",
            "got node 'lmap'; allowed: hall, lamp, ra; did you mean 'lamp'?",
        ),
        ("carrier: hall", "carrier: lamp", "33 topology.links.1.carrier", "got carrier 'lamp'; allowed: 'hall' or"),
        ("loss_db: 80", "loss_db: -80", "34 topology.links.1.path_loss_db", "got -80; allowed: 0..1000: a loss is"),
        ("b: ra", "b: lamp", "29 topology.links.1", "link hall--lamp appears twice, first as links.0"),
        (
            "class: radio",
            "class: access",
            "32 topology.links.1.link_class",
            "wireless link hall--ra: got class 'access', which 'radios' hasn't; add it there; allowed: radio",
        ),
        (
            "class: access",
            "class: acces",
            "28 topology.links.0.link_class",
            "wired link hall--lamp: got class 'acces', which 'wires' hasn't; add it there; allowed: access; "
            "did you mean 'access'?",
        ),
    ],
)
def test_an_entry_of_a_written_out_topology(
    old: str, new: str, place: str, message: str, load: Load, tmp_path: Path
) -> None:
    load(WRITTEN_OUT)
    assert WRITTEN_OUT.count(old) == 1
    with pytest.raises(ScenarioError) as caught:
        load(WRITTEN_OUT.replace(old, new))
    found = [line for line in str(caught.value).splitlines() if line.startswith(f"{tmp_path / 's.yaml'}:{place}: ")]
    assert len(found) == 1 and message in found[0], str(caught.value)


def test_a_carrier_with_links_of_two_classes(load: Load) -> None:
    text = WRITTEN_OUT.replace("{a: hall, b: lamp, medium: wired, link_class: access}", RADIO_LINK)
    load(text.replace("link_class: lora", "link_class: radio"))
    with pytest.raises(ScenarioError) as caught:
        load(text.replace("radios:\n", "radios:\n  lora: {}\n"))
    assert re.search(r"yaml:33 topology\.links\.1\.link_class: .*'radio' on carrier hall, .* 'lora'", str(caught.value))


FILES = {
    "empty": (b"", ": got an empty file; allowed: a scenario"),
    "spaces": (b" \n\n", ": got an empty file"),
    "only_comment": (b"# nothing\n", ":1: got null; allowed: a mapping of keys"),
    "one_word": (b"\n\nhello\n", ":3: got 'hello'; allowed: a mapping of keys"),
    "list": (b"- a\n- b\n", ":1: got ['a', 'b']; allowed: a mapping of keys"),
    "binary": (b"name: a\n\x00\x01\x02", ":2: got a null byte; allowed: UTF-8 text"),
    "not_utf8": (b"name: a\n# caf\xe9\n", ":2: got byte 233, not UTF-8"),
    "png": (b"\x89PNG\r\n\x1a\n\x00\x00", ":1: got byte 137, not UTF-8"),
    "control_character": (b"name: \x07", ":1: got broken YAML: "),
    "oversized": (b"#" * (MAX_FILE_BYTE + 1), f": got more than {MAX_FILE_BYTE} bytes"),
    # libyaml itself refuses more than a thousand levels of flow style, as broken YAML
    "deep_list": (b"name: " + b"[" * 500, ":1 name.0.0: got more than 40 levels of nesting"),
    "deep_mapping": (b"{a: " * 500, ":1 a.a.a: got more than 40 levels of nesting"),
    "deep_block": (b"- " * 5000, ":1 0.0.0: got more than 40 levels of nesting"),
    "alias_bomb": (
        b"a0: &a0 [x, x]\n"
        + b"".join(b"a%d: &a%d [%s]\n" % (i, i, b", ".join([b"*a%d" % (i - 1)] * 9)) for i in range(1, 9)),
        "got more than 100000 values, aliases written out",
    ),
    "deep_aliases": (
        b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [*a%d]\n" % (i, i, i - 1) for i in range(1, 60)),
        "got more than 40 levels of nesting",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_file_that_is_no_scenario(name: str, load: Load, tmp_path: Path) -> None:
    content, message = FILES[name]
    with pytest.raises(ScenarioError) as caught:
        load(content)
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith(str(tmp_path / "s.yaml"))
    assert message in str(caught.value)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(
        ScenarioError, match=r"gone\.yaml: cannot be read: No such file or directory; allowed: a scenario"
    ):
        load_scenario(tmp_path / "gone.yaml")
    with pytest.raises(ScenarioError, match="got a folder or a device"):
        load_scenario(tmp_path)
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario(tmp_path / "a\0b")
    with pytest.raises(ScenarioError, match="cannot be read: File name too long"):
        load_scenario(tmp_path / ("a" * 300))


def test_every_problem_is_listed(load: Load) -> None:
    text = VALID.replace("1e2", "-1").replace("items: 10", "items: 0").replace("policy: lru", "policy: x")
    with pytest.raises(ScenarioError) as caught:
        load(text)
    assert [".".join(map(str, problem.path)) for problem in caught.value.problems] == [
        "duration_s",
        "sources.digits.items",
        "protocol.store.policy",
    ]
    assert isinstance(caught.value, SimnetError)


@pytest.mark.parametrize(
    ("old", "new", "path", "meant"),
    [
        ("duration_s:", "duratoin_s:", "2 duratoin_s", "duration_s"),
        ("dataset:", "datset:", "11 sources.digits.datset", "dataset"),
        ("rate_per_s:", "rat_per_s:", "15 traffic.rat_per_s", "rate_per_s"),
    ],
)
def test_a_misspelt_key_that_is_needed_is_one_problem(
    old: str, new: str, path: str, meant: str, load: Load, tmp_path: Path
) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(VALID.replace(old, new, 1))
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 's.yaml'}:{path}: got an unknown key; allowed: ")
    assert said.endswith(f"; did you mean {meant!r}? It is missing.") and "\n" not in said


def test_a_misspelt_key_beside_the_right_one_and_another_that_is_missing_are_two(load: Load) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(VALID.replace("dataset: mnist", "datset: mnist, dtaset: mnist").replace("items: 10", "itmes: 10"))
    assert [str(problem.path[-1]) for problem in caught.value.problems] == ["datset", "dtaset", "itmes"]
    assert [problem.text.endswith("It is missing.") for problem in caught.value.problems] == [True, False, False]


def test_many_problems_and_long_values_are_cut(load: Load) -> None:
    long = VALID.replace("1e2", "x" * 10_000)
    with pytest.raises(ScenarioError) as caught:
        load(long)
    assert len(str(caught.value)) < 300
    many = VALID + "".join(f"  a{i}: {{wrong: 1}}\n" for i in range(200))
    with pytest.raises(ScenarioError) as caught:
        load(many)
    assert len(caught.value.problems) == 200
    assert str(caught.value).splitlines()[-1] == "… and 150 more problems"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("radios.radio.mean_esno_db=5000", r"radios\.radio\.mean_esno_db: got 5000; allowed: .*300"),
        ("radios.radio.esno_swing_db=1.0e+6", r"radios\.radio\.esno_swing_db: got 1000000\.0; allowed: .*300"),
        (
            "sources.all={dataset: mnist, owners: gateway, judge: classifier/digits_judge}",
            r"sources: got a source 'all'",
        ),
        ("codecs.raw={kind: raw, image_shape: [1, -28, 28]}", r"image_shape\.1: got -28; allowed: a whole number"),
    ],
)
def test_what_would_break_later_is_refused(override: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        load_scenario(HELLO, overrides=[override])
