"""What breaks inside a plug-in's file is told as the plug-in's: file, line, what was raised, what its base asks for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from simnet.core.plugins import KINDS
from simnet.sweep.job import Failed, attempt
from simnet.sweep.plan import Plan
from simnet.sweep.sweep import load_sweep
from tests.unit.cli.conftest import Run
from tests.unit.test_build import PAIR

RUSH = """
from simnet.traffic.base import RequestPlan, Settings, Traffic


class Rush(Traffic):
    class Params(Settings):
        pass

    def __init__(self, params):
        self.params = params

    def requests(self, *, consumers, catalogue, duration_s, seed):
        yield RequestPlan(1.0, consumers[0], catalogue[0].item_id, 0)
"""


@pytest.fixture
def rush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """File of a traffic plug-in of another package, called rush."""
    path = tmp_path / "rush_hour.py"
    path.write_text(RUSH)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "rush_hour", raising=False)
    traffic = KINDS["traffic"]
    monkeypatch.setitem(traffic.__dict__, "modules", {**traffic.modules, "rush": "rush_hour"})
    monkeypatch.setitem(traffic.__dict__, "_loaded", {})
    return path


def simulate(run: Run, rush: Path, text: str) -> int:
    rush.write_text(text)
    scenario = rush.with_name("pair.yaml")
    scenario.write_text(PAIR.format(duration_s=5.0).replace("{kind: poisson, rate_per_s: 1}", "rush"))
    return run("run", scenario, "--out", rush.with_name("runs"), "--quiet")


def test_a_whole_one_runs(run: Run, rush: Path) -> None:
    assert simulate(run, rush, RUSH) == 0


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("consumers[0]", "consumers.first", 13, "AttributeError: 'list' object has no attribute 'first'"),
        ("consumers[0]", "float('eve')", 13, "ValueError: could not convert string to float: 'eve'"),
        ("1.0, ", "__import__('json').loads('?'), ", 13, "json.decoder.JSONDecodeError: Expecting value"),
        ("self.params = params", "raise KeyError('x')", 10, "KeyError: 'x'"),
    ],
)
def test_what_it_raises(
    run: Run, rush: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, line: int, message: str
) -> None:
    assert simulate(run, rush, RUSH.replace(old, new)) == 2
    error = capsys.readouterr().err
    assert "Traceback (most recent call last)" in error and "a bug of simnet" not in error
    told = error.splitlines()[-1]
    assert told.startswith(f"simnet: {rush}:{line}: traffic plug-in 'rush' raised {message}")
    if line == 13:
        assert told.endswith("simnet.traffic.base, Traffic.requests: All wishes with 0 ≤ time < ``duration_s``, in "
                             "order of time, then of the consumers' names.")  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "consumers[0]",
            "'readr'",
            "unknown consumer 'readr'; did you mean 'reader'? Allowed: one of the 2 it was given",
        ),
        ("catalogue[0].item_id", "4711", "unknown item 4711; allowed: item_id of one of the 40 items"),
        ("1.0, ", "5.0, ", "got a wish at 5.0 s; allowed: 0 <= time < 5"),
        ("1.0, ", "float('nan'), ", "got a wish at nan s; allowed: 0 <= time < 5"),
        ("1.0, ", "'1', ", "got a wish at '1' s; allowed: 0 <= time < 5"),
        ("yield RequestPlan(1.0", "yield (1.0", "got the wish (1.0, 'reader', 0, 0); allowed: a RequestPlan"),
        ("yield RequestPlan", "return RequestPlan", "got the wish 1.0; allowed: a RequestPlan"),
        ("yield RequestPlan", "return print", "got None; allowed: an iterator of RequestPlan"),
    ],
)
def test_what_it_wishes(
    run: Run, rush: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    assert simulate(run, rush, RUSH.replace(old, new)) == 2
    assert capsys.readouterr().err.startswith(f"simnet: {rush}: Rush.requests: {message}")


def test_an_attribute_that_its_object_lacks(rush: Path) -> None:
    from simnet.core.plugin_fault import plugin_fault

    plugin = KINDS["traffic"].load("rush")
    with pytest.raises(AttributeError) as raised:
        plugin(plugin.Params()).seats  # noqa: B018
    told = plugin_fault(raised.value)
    assert told is not None and told.startswith(
        f"{rush}:5: traffic plug-in 'rush' raised AttributeError: 'Rush' object"
    )
    with pytest.raises(AttributeError) as raised:
        rush.seats  # type: ignore[attr-defined]  # noqa: B018
    assert plugin_fault(raised.value) is None


def test_in_a_sweep_it_is_the_run_s_one_line(rush: Path) -> None:
    rush.write_text(RUSH.replace("consumers[0]", "float('eve')"))
    (rush.parent / "pair.yaml").write_text(
        PAIR.format(duration_s=5.0).replace("{kind: poisson, rate_per_s: 1}", "rush")
    )
    file = rush.with_name("sweep.yaml")
    file.write_text("name: s\nquestion: q?\nbase: pair.yaml\nreplications: 2\naxes: [grid: {duration_s: [5]}]\n")
    plan = Plan(load_sweep(file), "cpu")
    failed = attempt(plan.job(next(iter(plan.users)), ship_files=False))
    assert isinstance(failed, Failed)
    assert failed.error.startswith(f"{rush}:13: traffic plug-in 'rush' raised ValueError: could not convert")
