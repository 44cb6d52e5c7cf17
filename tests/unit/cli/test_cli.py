"""The command line: what each verb calls, what it prints, how it ends."""

from __future__ import annotations

import errno
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from simnet.core.errors import SimnetError
from simnet.core.plugins import KINDS
from simnet.core.zoo import model_dir
from simnet.phy.tables.bler import BlerTable
from tests.unit.cli.conftest import Run
from tests.unit.scenario.conftest import VALID


@pytest.fixture
def scenario_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(VALID)
    return path


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """Stands for simnet.build and simnet.report: notes the calls, raises ``error`` if it is set."""
    calls: list[Any] = []
    fake = SimpleNamespace(calls=calls, error=None, draw_error=None, left_out=None)

    def run_scenario(scenario: Any, **options: Any) -> SimpleNamespace:
        calls.append((scenario, options))
        if fake.error is not None:
            raise fake.error
        return SimpleNamespace(path=tmp_path / "runs" / "small-1", manifest={"left_out": fake.left_out})

    def draw(run: Path, *, quiet: bool) -> None:
        calls.append((run, quiet))
        if fake.draw_error is not None:
            raise fake.draw_error

    build = ModuleType("simnet.build")
    build.run_scenario = run_scenario  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "simnet.build", build)
    monkeypatch.setattr("simnet.cli.run.draw", draw)
    return fake


def test_run_hands_everything_on(run: Run, backend: SimpleNamespace, scenario_file: Path, tmp_path: Path) -> None:
    changes = ["--set", "duration_s=5", "--set", "seed=3"]
    assert run("run", scenario_file, "--out", tmp_path, "--seed", 9, "--device", "cuda", *changes, "--quiet") == 0
    (scenario, given), drawn = backend.calls
    assert given == {"out": tmp_path, "device": "cuda", "quiet": True}
    assert (scenario.duration_s, scenario.seed) == (5.0, 9)  # --seed wins over --set
    assert drawn == (tmp_path / "runs" / "small-1", True)


def test_run_by_default(run: Run, backend: SimpleNamespace, scenario_file: Path) -> None:
    assert run("run", scenario_file) == 0
    assert backend.calls[0][1] == {"out": Path("runs"), "device": "cpu", "quiet": False}


def test_user_error_ends_with_2_and_no_traceback(
    run: Run, backend: SimpleNamespace, scenario_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.error = SimnetError("links.x: got 1; allowed 2")
    assert run("run", scenario_file) == 2
    output = capsys.readouterr()
    assert output.err == "simnet: links.x: got 1; allowed 2\n" and output.out == ""
    backend.error = SimnetError("codecs.learned.model: got 1; allowed 2")
    assert run("run", scenario_file) == 2
    assert capsys.readouterr().err == f"simnet: {scenario_file}:14 codecs.learned.model: got 1; allowed 2\n"


def test_our_bug_ends_with_1_and_a_traceback(
    run: Run, backend: SimpleNamespace, scenario_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.error = ZeroDivisionError("ours")
    assert run("run", scenario_file) == 1
    error = capsys.readouterr().err
    assert "Traceback (most recent call last)" in error and "ZeroDivisionError: ours" in error
    assert error.endswith("simnet: a bug of simnet, not of your input; please report it with the lines above\n")


def test_ctrl_c_ends_with_130_and_says_what_was_kept(
    run: Run, backend: SimpleNamespace, scenario_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.error = KeyboardInterrupt()
    assert run("run", scenario_file) == 130
    assert capsys.readouterr().err == "simnet: stopped by Ctrl-C; this call kept nothing\n"
    backend.error, backend.draw_error = None, KeyboardInterrupt()
    assert run("run", scenario_file) == 130
    assert re.search(r"the records are whole in .*small-1; 'simnet report .*small-1' draws", capsys.readouterr().err)


def test_ctrl_c_while_a_report_is_drawn(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_run: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("simnet.report.redraw", interrupted)
    assert run("report", tmp_path) == 130
    told = f"the records in {tmp_path} are as they were; 'simnet report {tmp_path}' draws what is missing"
    assert capsys.readouterr().err == f"simnet: stopped by Ctrl-C; {told}\n"


def test_full_disk_ends_with_2(
    run: Run, backend: SimpleNamespace, scenario_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.error = OSError(errno.ENOSPC, "No space left on device", "runs/x.parquet")
    assert run("run", scenario_file) == 2
    assert "simnet: runs/x.parquet: No space left on device; make room" in capsys.readouterr().err
    backend.error = OSError(errno.EBADF, "Bad file descriptor")
    assert run("run", scenario_file) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu"], "No such command 'rnu'"),
        (["run"], "Missing argument"),
        (["run", "x.yaml", "--device", "tpu"], "'--device'"),
        (["run", "x.yaml", "--seed", "a"], "'--seed'"),
        (["run", "no_such.yaml"], "no_such.yaml: cannot be read: No such file"),
        (["check", "no_such.yaml"], "no_such.yaml: cannot be read: No such file"),
        (["list", "polices"], "unknown folder of plug-ins: got 'polices'"),
        (["models", "measure", "classifier/x"], "unknown model: got 'classifier/x'"),
        (["report", "no_such_run"], "no_such_run"),
        (["data", "fetch", "imagenet", "--dest", "{tmp}"], "unknown data set to fetch: got 'imagenet'"),
        (["link", "calibrate", "--bits", "100"], "information bits of a block: got 100; allowed whole bytes"),
        (["link", "calibrate", "--mcs", "QPSK"], "unknown MCS: got 'QPSK'; did you mean 'QPSK 5/6'?"),
    ],
)
def test_wrong_use_ends_with_2(
    run: Run, arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*(argument.format(tmp=tmp_path) for argument in arguments)) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_check(run: Run, scenario_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wired = ("--set", "wires={access: {}, metro: {}, backbone: {}}")
    assert run("check", scenario_file, *wired) == 0
    assert capsys.readouterr().out == f"{scenario_file}: ok: scenario 'small', 100 s; arms: cached, bare\n"
    assert run("check", scenario_file, "--set", "seed=-1") == 2
    assert capsys.readouterr().err == "simnet: --set 'seed=-1' seed: got -1; allowed: a whole number ≥ 0\n"
    assert run("check", scenario_file) == 2
    said = (
        f"{scenario_file}:3 topology: wired link edge-0--cloud-0: got class 'backbone', which 'wires' hasn't; "
        "add it there; allowed: access"
    )
    assert said in capsys.readouterr().err
    alone = json.dumps({"kind": "explicit", "nodes": [{"name": "mast", "tier": "gateway"}], "links": []})
    assert run("check", scenario_file, "--set", f"topology={alone}") == 2
    said = "consumers: got device, of which the topology has no nodes; allowed gateway"
    assert said in capsys.readouterr().err
    assert run("check", scenario_file, "--set", f"topology={alone}", "--set", "consumers=[gateway]") == 2
    assert (
        f"{scenario_file}:11 sources.digits.owners: none of tier 'device' owns this source type"
        in capsys.readouterr().err
    )


def test_check_looks_at_every_wish(
    run: Run, scenario_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wishes = tmp_path / "wishes.csv"
    wired = ("--set", "wires={access: {}, metro: {}, backbone: {}}")
    trace = json.dumps({"kind": "trace", "file": str(wishes)})
    consumers = "".join(f"{i},device-{i % 4},{i % 10}\n" for i in range(1, 30))
    wishes.write_text(
        f"time_s,consumer,item_id\n{consumers}40,devise-0,77\n200,device-1,0\n-1,device-1,0\n1,device-1\n"
    )
    assert run("check", scenario_file, *wired, "--set", f"traffic={trace}") == 2
    said = capsys.readouterr().err.removeprefix("simnet: ").splitlines()
    assert [line for line in said if "owns" not in line] == [
        f"{wishes}:31 consumer: got 'devise-0', which is no consumer; allowed: device-0, device-1, device-2, "
        "device-3; did you mean 'device-0'?",
        f"{wishes}:31 item_id: got 77; allowed: items of the catalogue, 0..9",
        f"{wishes}:33 time_s: got '-1'; allowed: a number ≥ 0",
        f"{wishes}:34: got 2 columns; allowed: 3: time_s,consumer,item_id",
    ]


def test_wishes_of_a_trace_that_come_too_late_are_counted(
    run: Run, backend: SimpleNamespace, scenario_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.left_out = "traffic: 2 of 3 wishes come at or after duration_s"
    assert run("run", scenario_file, "--quiet") == 0
    assert capsys.readouterr().err == f"simnet: {scenario_file}:15 {backend.left_out}\n"


def test_check_counts_late_wishes(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hello = Path(__file__).parents[3] / "scenarios" / "hello.yaml"
    assert run("check", hello, "--set", "duration_s=5") == 0
    output = capsys.readouterr()
    assert output.err == (
        f"simnet: {hello}:23 traffic: 1 of 2 wishes come at or after duration_s, which is 5 s, and are left out; "
        "the last one is at 5 s\n"
    )
    assert output.out == f"{hello}: ok: scenario 'hello', 5 s; arms: main\n"


def test_check_reads_models_and_images(
    run: Run, scenario_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("aesc/digits_z40", "classifier/digits_judge"):
        shutil.copytree(model_dir(name), tmp_path / "zoo" / name)
    monkeypatch.setenv("SIMNET_ZOO", str(tmp_path / "zoo"))
    wired = ("--set", "wires={access: {}, metro: {}, backbone: {}}")
    assert run("check", scenario_file, *wired) == 0
    assert run("check", scenario_file, *wired, "--set", "sources.digits.items=9999") == 2
    assert "sources.digits.items: got 9999; allowed 1.." in capsys.readouterr().err
    weights = tmp_path / "zoo" / "aesc" / "digits_z40" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert run("check", scenario_file, *wired) == 2
    assert re.search(r"digits_z40/weights\.safetensors: got SHA-256 .*; its card says", capsys.readouterr().err)
    (tmp_path / "zoo" / "classifier" / "digits_judge" / "weights.safetensors").unlink()
    assert run("check", scenario_file, *wired) == 2
    assert re.search(r"digits_judge/weights\.safetensors: .*No such file", capsys.readouterr().err)


def test_list_shows_every_plugin_with_its_docstring(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    listed = capsys.readouterr().out
    for folder, kind in KINDS.items():
        assert kind.names()
        assert f"{folder} ({kind.word}):\n" in listed
        for name in kind.names():
            assert re.search(rf"^  {name} +\S.*\.$", listed, re.MULTILINE), name
    assert run("list", "policies") == 0
    by_word = capsys.readouterr().out
    assert run("list", "store") == 0
    assert by_word == capsys.readouterr().out
    assert [line.split()[0] for line in by_word.splitlines()[1:]] == KINDS["store"].names()


def test_schema_completes_every_plugin(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    text = capsys.readouterr().out
    schema = json.loads(text)
    assert schema["properties"]["duration_s"]["exclusiveMinimum"] == 0
    for reference in re.findall(r'"\$ref": "#/\$defs/([^"]+)"', text):
        assert reference in schema["$defs"]
    for name in KINDS["topology"].names():
        assert f'"const": "{name}"' in text


def test_models_lists_the_zoo(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("aesc/a", "classifier/long_name"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "train.yaml").touch()
    (tmp_path / "aesc/a/decoder.safetensors").write_bytes(b"12345")
    (tmp_path / "aesc/a/checkpoint.safetensors").write_bytes(b"1")
    monkeypatch.setenv("SIMNET_ZOO", str(tmp_path))
    assert run("models") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == "aesc/a                decoder 5 B"
    assert second == f"classifier/long_name  not trained: simnet train {tmp_path}/classifier/long_name/train.yaml"


def test_train_and_measure_hand_on(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import simnet.training

    recipe = tmp_path / "train.yaml"
    calls = []

    def noted(*arguments: object, **options: object) -> Path:
        calls.append((arguments, options))
        return tmp_path

    monkeypatch.setattr(simnet.training, "train", noted)
    assert run("train", recipe, "--resume", "--data", tmp_path, "--quiet") == 0
    expected = {"data_root": tmp_path, "device": "cpu", "resume": True, "out": None, "quiet": True}
    assert calls == [((recipe,), expected)]

    def interrupted(*_args: object, **_options: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(simnet.training, "train", interrupted)
    assert run("train", recipe) == 130
    assert capsys.readouterr().err == "simnet: stopped by Ctrl-C; nothing was kept\n"
    (tmp_path / "checkpoint.safetensors").touch()
    assert run("train", recipe) == 130
    assert "checkpoint.safetensors holds the last finished epoch; go on with --resume" in capsys.readouterr().err


def test_calibrate_writes_a_table(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--bits", 288, "--mcs", "QPSK 1/2", "--max-blocks", 512, "--target-errors", 400, "--out", tmp_path]
    assert run("link", "calibrate", *options, "--quiet") == 0
    path = Path(capsys.readouterr().out.strip())
    assert path.parent == tmp_path / "ieee80216e" and path.is_file()
    assert BlerTable.read(path).effective == ()  # too short to fit anything to
    assert run("link", "calibrate", *options, "--quiet") == 0
    assert "was there; --again makes it anew" in capsys.readouterr().out


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["run", "--help"], ["list"], ["train", "--help"]])
def test_nothing_heavy_is_imported_before_it_is_needed(arguments: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['simnet', *{arguments!r}]\n"
        "import simnet.cli\n"
        "try: simnet.cli.main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'matplotlib', 'pandas', 'numpy', 'simpy'} & set(sys.modules)))"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_real_ctrl_c(scenario_file: Path) -> None:
    code = (
        "import sys, time, types\n"
        "build = sys.modules['simnet.build'] = types.ModuleType('simnet.build')\n"
        "build.run_scenario = lambda *_, **__: (print('running', flush=True), time.sleep(60))\n"
        f"sys.argv = ['simnet', 'run', {str(scenario_file)!r}]\n"
        "import simnet.cli\n"
        "simnet.cli.main()"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (130, "simnet: stopped by Ctrl-C; this call kept nothing\n")


def test_python_dash_m() -> None:
    done = python("-m", "simnet", "check", "no_such.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("simnet: no_such.yaml: cannot be read")
