"""Scenario -> run folder: whole or not at all; parts that don't fit are said."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import simnet.build
from simnet.build import build, run_scenario
from simnet.core.errors import SimnetError
from simnet.core.plugins import KINDS
from simnet.core.records import Recorder
from simnet.report.run_folder import RunFolder
from simnet.scenario.load import load_scenario
from simnet.scenario.schema import Scenario

PAIR = """
name: pair
duration_s: {duration_s}
topology:
  kind: explicit
  nodes: [{{name: camera, tier: gateway}}, {{name: reader, tier: device}}, {{name: other, tier: device}}]
  links:
    - {{a: reader, b: camera, medium: wired, link_class: cable}}
    - {{a: other, b: camera, medium: wired, link_class: cable}}
wires: {{cable: {{rate_bit_per_s: 1.0e+6}}}}
sources:
  digits: {{dataset: mnist, items: 20, owners: gateway, judge: classifier/digits_judge}}
  clothes: {{dataset: fashion_mnist, items: 20, owners: gateway, judge: classifier/clothes_judge}}
types_per_owner: 2
codecs: {{small: {{kind: thumbnail, side: 7, bits: 2, image_shape: [1, 28, 28]}}}}
traffic: {{kind: poisson, rate_per_s: 1}}
protocol: {{codecs: {{digits: [small], clothes: [small]}}}}
"""


def pair(folder: Path, *overrides: str, duration_s: float = 20.0) -> Scenario:
    file = folder / "pair.yaml"
    file.write_text(PAIR.format(duration_s=duration_s), encoding="utf-8")
    return load_scenario(file, overrides=overrides)


def test_a_run_leaves_every_file_and_closed_accounts(tmp_path: Path) -> None:
    run = run_scenario(pair(tmp_path), out=tmp_path / "runs", quiet=True)
    names = {path.name for path in run.path.iterdir()}
    assert names == {
        "scenario.yaml", "manifest.json", "samples",
        "requests.parquet", "deliveries.parquet", "transfers.parquet", "stores.parquet", "nodes.parquet",
    }  # fmt: skip
    manifest = json.loads((run.path / "manifest.json").read_text())
    accounts = manifest["accounting"]["main"]
    assert sum(accounts["outcomes"].values()) == accounts["requests"] == manifest["rows"]["requests"] > 20
    again = load_scenario(run.path / "scenario.yaml")
    assert again == pair(tmp_path)
    assert RunFolder.open(run.path).misfit is None
    (run.path / "scenario.yaml").write_text((run.path / "scenario.yaml").read_text().replace("20.0", "21.0"))
    assert "scenario.yaml: it was changed after the run" in str(RunFolder.open(run.path).misfit)
    assert [p.name for p in (tmp_path / "runs").iterdir()] == [run.path.name]
    assert manifest["fidelity"] == {}  # it has no radios
    assert set(manifest["wall_s"]) == {"build", "arms", "total"} and set(manifest["wall_s"]["arms"]) == {"main"}


def test_two_runs_of_one_scenario_at_once_are_both_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that ends later takes the place of the other; neither writes into the other's folder."""
    scenario, out, write = pair(tmp_path), tmp_path / "runs", Recorder.write

    def interrupted(self: Recorder, folder: Path) -> dict[str, int]:
        monkeypatch.setattr(Recorder, "write", write)
        inner.append(run_scenario(scenario, out=out, quiet=True))
        return write(self, folder)

    inner: list[Any] = []
    monkeypatch.setattr(Recorder, "write", interrupted)
    outer = run_scenario(scenario, out=out, quiet=True)
    assert inner[0].path == outer.path and [path.name for path in out.iterdir()] == [outer.path.name]
    assert {"scenario.yaml", "manifest.json", "samples"} < {path.name for path in outer.path.iterdir()}


def test_the_next_run_removes_what_a_killed_one_has_left(tmp_path: Path) -> None:
    code = (
        "import os, signal, simnet.build\n"
        "from simnet.core.records import Recorder\n"
        "Recorder.write = lambda self, folder: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from tests.unit.test_build import pair\n"
        "from pathlib import Path\n"
        f"simnet.build.run_scenario(pair(Path({str(tmp_path)!r})), out=Path({str(tmp_path / 'runs')!r}), quiet=True)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert [path.suffix for path in (tmp_path / "runs").iterdir() if path.is_dir()] == [".partial"]
    run = run_scenario(pair(tmp_path), out=tmp_path / "runs", quiet=True)
    assert list((tmp_path / "runs").iterdir()) == [run.path]


def test_a_full_disk_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(self: Recorder, folder: Path) -> dict[str, int]:
        (folder / "requests.parquet").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Recorder, "write", write)
    with pytest.raises(SimnetError, match=r"cannot write the run to .*: No space left on device; nothing was kept"):
        run_scenario(pair(tmp_path), out=tmp_path / "runs", quiet=True)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_second_run_replaces_the_first_whole_but_not_what_others_put_there(tmp_path: Path) -> None:
    first = run_scenario(pair(tmp_path), out=tmp_path / "runs", quiet=True).path
    (first / "figures").mkdir()
    (first / "notes.txt").write_text("mine")
    second = run_scenario(pair(tmp_path), out=tmp_path / "runs", quiet=True).path
    assert second == first and not (first / "figures").exists()
    assert (first / "notes.txt").read_text() == "mine"


def test_what_headers_cost_is_what_messages_save_without_them(tmp_path: Path) -> None:
    """A header that is the same in all files compresses well: it costs less than it is long."""
    jpeg = "kind: jpeg, quality: 10, image_shape: [1, 28, 28]"
    arms = "whole: {codecs: {digits: [count], clothes: [count]}}, strip: {codecs: {digits: [strip], clothes: [strip]}}"
    codecs = f"count: {{{jpeg}}}, strip: {{{jpeg}, header: strip}}"
    scenario = pair(
        tmp_path, f"codecs={{{codecs}}}", f"arms={{{arms}}}", "protocol.codecs={digits: [count], clothes: [count]}"
    )
    records = RunFolder.open(run_scenario(scenario, out=tmp_path / "runs", quiet=True).path)
    requests = records.requests.set_index(["arm", "request_id"])
    whole, strip = requests.loc["whole"], requests.loc["strip"]
    saved = whole["code_byte"] - strip["code_byte"]
    assert len(saved) > 20 and (saved > 50).all()
    assert (whole["stripped_byte"] == saved).all() and not strip["stripped_byte"].any()
    deliveries = records.deliveries[records.deliveries["arm"] == "whole"]
    assert (deliveries["header_byte"] > whole["stripped_byte"].max()).all()


def test_a_run_is_named_by_the_content_of_the_files_that_it_names(tmp_path: Path) -> None:
    trace, paths = tmp_path / "wishes.csv", []
    for item in (0, 1, 0):
        trace.write_text(f"time_s,consumer,item_id\n1.0,reader,{item}\n", encoding="utf-8")
        scenario = pair(tmp_path, f"traffic={{kind: trace, file: {trace}}}")
        paths.append(run_scenario(scenario, out=tmp_path / "runs", quiet=True).path)
    assert paths[0] == paths[2] != paths[1]
    digests = json.loads((paths[0] / "manifest.json").read_text())["files"]
    assert digests == {"traffic.file": hashlib.sha256(trace.read_bytes()).hexdigest()}


def test_a_file_that_changes_while_a_run_reads_it_gives_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace, simulate = tmp_path / "wishes.csv", simnet.build.Simulation.run_arms
    trace.write_text("time_s,consumer,item_id\n1.0,reader,0\n", encoding="utf-8")
    scenario = pair(tmp_path, f"traffic={{kind: trace, file: {trace}}}")

    def edited_meanwhile(*args: Any) -> Any:
        results = simulate(*args)
        trace.write_text("time_s,consumer,item_id\n1.0,reader,1\n", encoding="utf-8")
        return results

    monkeypatch.setattr(simnet.build.Simulation, "run_arms", edited_meanwhile)
    with pytest.raises(
        SimnetError, match=r"^traffic\.file: .*wishes\.csv was changed while the run read it; .* again$"
    ):
        run_scenario(scenario, out=tmp_path / "runs", quiet=True)
    trace.unlink()
    with pytest.raises(
        SimnetError, match=r"^traffic\.file: .*wishes\.csv cannot be read \(No such file or directory\)$"
    ):
        run_scenario(scenario, out=tmp_path / "runs", quiet=True)
    assert not list((tmp_path / "runs").iterdir())


def test_a_run_is_named_by_the_content_of_the_plug_ins_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run_scenario(pair(tmp_path), out=tmp_path / "runs", quiet=True).manifest["plugins"]
    named = ["codecs/thumbnail", "data/fashion_mnist", "data/mnist", "propagation/with_code", "store/lru",
             "topology/explicit", "traffic/poisson"]  # fmt: skip
    assert list(plain) == named
    poisson = Path(simnet.build.__file__).parent / "traffic" / "poisson.py"
    assert plain["traffic/poisson"] == hashlib.sha256(poisson.read_bytes()).hexdigest()
    file, kind, paths = tmp_path / "calm_hour.py", KINDS["traffic"], []
    own = poisson.read_text(encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(kind.__dict__, "modules", {**kind.modules, "calm": "calm_hour"})
    for more in ("", "# changed\n", ""):
        file.write_text(own + more, encoding="utf-8")
        run = run_scenario(pair(tmp_path, "traffic.kind=calm"), out=tmp_path / "runs", quiet=True)
        assert run.manifest["plugins"]["traffic/calm"] == hashlib.sha256(file.read_bytes()).hexdigest()
        paths.append(run.path)
    assert paths[0] == paths[2] != paths[1]


def test_where_nothing_can_be_written_is_said_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(simnet.build, "build", lambda *_, **__: pytest.fail("work has begun"))
    with pytest.raises(SimnetError, match=r"file/runs: nothing can be written there \(Not a directory\)"):
        run_scenario(pair(tmp_path), out=tmp_path / "file" / "runs", quiet=True)


def test_an_exact_copys_infinite_psnr_leaves_valid_json(tmp_path: Path) -> None:
    raw = "codecs.small={kind: raw, image_shape: [1, 28, 28]}"
    run = run_scenario(pair(tmp_path, raw), out=tmp_path / "runs", quiet=True)
    text = (run.path / "samples" / "index.json").read_text(encoding="utf-8")
    entries = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert entries and all(entry["psnr_db"] is None for entry in entries)


def test_only_tables_are_audited(tmp_path: Path) -> None:
    """Nothing is said of an audit of links without tables, of which no block could be audited."""
    for fidelity, audited in (("table", True), ("ideal", False), ("exact", False)):
        radio = f"radios={{air: {{fidelity: {fidelity}, audit: 1, fading: none, mean_esno_db: 30}}}}"
        link = "{a: reader, b: camera, medium: wireless, link_class: air, carrier: camera, path_loss_db: 80}"
        scenario = pair(tmp_path, radio, f"topology.links.0={link}", duration_s=3.0)
        manifest = run_scenario(scenario, out=tmp_path / "runs", quiet=True).manifest
        assert (manifest["audit"] is not None) == audited
        assert not audited or manifest["audit"]["blocks"] > 0


def test_the_trace_is_csv_whatever_nodes_are_called(tmp_path: Path) -> None:
    file = tmp_path / "odd.yaml"
    file.write_text(PAIR.format(duration_s=5.0).replace("reader", "'Main St, \"4\"'"), encoding="utf-8")
    run = run_scenario(load_scenario(file, overrides=["signal.trace=true"]), out=tmp_path / "runs", quiet=True)
    with open(run.path / "trace.csv", encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    assert header == ["arm", "time_s", "node", "event"]
    assert {len(row) for row in rows} == {4} and 'Main St, "4"' in {row[2] for row in rows}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sources.digits.items=1000", r"sources\.digits\.items: got 1000; allowed 1\.\.968: mnist ships 1000 images"),
        ("sources.digits.judge=classifier/cifar10_features", r"digits\.judge: .* takes images of \(3, 32, 32\)"),
        ("sources.digits.owners=cloud", r"sources\.digits\.owners: none of tier 'cloud' owns this source type"),
        (
            "sources.digits.labels=[99]",
            r"sources\.digits\.labels: got \[99\]; mnist has \[0, 1, 2, 3, 4, 5, 6, 7, 8, 9\]",
        ),
        ("consumers=[edge]", r"consumers: got edge, of which the topology has no nodes; allowed device, gateway"),
        (
            "protocol.source_identification=classifier/cifar10_judge",
            r"source_identification: got classifier/cifar10_judge, a network of 10 classes .* source_id/four_sources",
        ),
        (
            "sources.digits.judge=aesc/digits_z40",
            r"not the weights of a classifier, but of another kind of model",
        ),
        ("types_per_owner=1", r"sources\.(digits|clothes)\.owners: none of tier 'gateway' owns this source type"),
        (
            "wires={fibre: {}}",
            r"wired link reader--camera: got class 'cable', which 'wires' hasn't; add it there; allowed: fibre",
        ),
    ],
)
def test_parts_that_do_not_fit_are_named(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(SimnetError, match=message):
        run_scenario(pair(tmp_path, override), out=tmp_path / "runs", quiet=True)


@pytest.mark.parametrize(
    ("protect", "message"),
    [
        (
            "{layers: ['dec.0.*']}",
            r"protect\.layers: got 'dec\.0\.\*', .* globs of aesc/digits_z40/decoder: 1\.weight, ",
        ),
        ("{high_bits: 9}", r"protect\.high_bits: got 9; allowed 1\.\.8: .* slice aesc/digits_z40/decoder are int8"),
    ],
)
@pytest.mark.parametrize("where", ["protocol", "arms.a"])
def test_what_is_protected_but_not_there_is_said_before_the_run(
    tmp_path: Path, protect: str, message: str, where: str
) -> None:
    scenario = pair(
        tmp_path, "codecs.z40={kind: aesc, model: digits_z40}", "arms={b: {}, a: {}}",
        "protocol.codecs={digits: [z40], clothes: [small]}", f"{where}.protect={protect}",
        f"{where}.protect.model=part",
    )  # fmt: skip
    with pytest.raises(SimnetError, match=re.escape(where) + r"\." + message):
        build(scenario)


@pytest.mark.parametrize("where", ["protocol", "arms.a"])
def test_a_codec_for_other_images_is_said_before_the_run(tmp_path: Path, where: str) -> None:
    codecs = {"plain": "{kind: raw, image_shape: [1, 28, 28]}", "wide": "{kind: raw, image_shape: [3, 32, 32]}"}
    scenario = pair(
        tmp_path,
        *(f"codecs.{name}={spec}" for name, spec in codecs.items()),
        "arms={b: {}, a: {}}",
        f"{where}.codecs={{digits: [small, wide], clothes: [plain]}}",
    )
    message = rf"{where}.codecs.digits.1: got 'wide', which takes images of (3, 32, 32); mnist has (1, 28, 28). "
    with pytest.raises(SimnetError, match=re.escape(message + "Allowed: small, plain.")):
        build(scenario)


def test_cuda_without_a_card_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simnet.build.torch.cuda, "is_available", lambda: False)
    with pytest.raises(SimnetError, match="--device cuda: torch sees no CUDA device; use --device cpu"):
        build(pair(tmp_path), device="cuda")


def test_a_manifest_names_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: f"card of {device}")
    assert "gpu" not in simnet.build._machine("cpu")
    assert simnet.build._machine("cuda:1") == simnet.build._machine("cpu") | {"gpu": "card of cuda:1"}


def test_links_of_one_carrier_share_a_class(tmp_path: Path) -> None:
    nodes = [{"name": name, "tier": tier} for name, tier in (("camera", "gateway"), ("a", "device"), ("b", "device"))]
    radio = {"b": "camera", "medium": "wireless", "carrier": "camera", "path_loss_db": 90}
    links = [{**radio, "a": "a", "link_class": "near"}, {**radio, "a": "b", "link_class": "far"}]
    topology = json.dumps({"kind": "explicit", "nodes": nodes, "links": links})
    differ = (f"topology={topology}", "radios={near: {}, far: {mean_esno_db: 3}}")
    with pytest.raises(SimnetError, match=r"got class 'far' on carrier camera, of which links\.0 is of 'near'"):
        build(pair(tmp_path, *differ))


def test_each_node_owns_so_many_source_types(tmp_path: Path) -> None:
    devices = ("sources.digits.owners=device", "sources.clothes.owners=device")
    scenario = pair(tmp_path, *devices, "seed=2", "types_per_owner=1")
    types: dict[str, set[str]] = {}
    try:
        catalogue = build(scenario).catalogue
    except SimnetError as error:  # both cameras drew the same type: also a right answer, and said
        assert "owns this source type" in str(error)
        return
    for item in catalogue:
        types.setdefault(item.owner, set()).add(item.source_type)
    assert all(len(of_node) == 1 for of_node in types.values())


def test_ctrl_c_ends_with_130_and_keeps_nothing(tmp_path: Path) -> None:
    pair(tmp_path, duration_s=20_000)
    command = [sys.executable, "-m", "simnet", "run", "pair.yaml", "--out", "runs"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert "simulating arm main" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, message = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "this call kept nothing" in message
    runs = tmp_path / "runs"
    assert not runs.exists() or list(runs.iterdir()) == []
