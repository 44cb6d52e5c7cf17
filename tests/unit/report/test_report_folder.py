"""The whole report from a folder's files: numbers, page, figures, errors."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from simnet.build import run_scenario
from simnet.cli.report import draw
from simnet.core.records import Recorder
from simnet.core.tables import TABLES
from simnet.report import redraw
from simnet.report.errors import RunError
from simnet.report.figures import FIGURES
from simnet.report.name_cell import NameCell
from simnet.report.records_doc import records_markdown
from simnet.report.run_folder import RunFolder
from simnet.report.summary import summarise
from simnet.report.table import closing_table
from simnet.results import load
from simnet.results.errors import ResultsError
from simnet.scenario.load import load_scenario

HELLO = Path(__file__).parents[3] / "scenarios" / "hello.yaml"
MakeRun = Callable[..., Path]
DRAWN = {"traffic", "break_even", "ss_traffic", "latency", "outcomes", "hit_ratio", "city_map"}
"""The figures that the synthetic city has something for."""


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what comes before and after the drawing, which takes most of the time."""
    monkeypatch.setattr("simnet.report.figures.FIGURES", {})


def as_text(run: Path) -> str:
    console = Console(width=100, file=io.StringIO())
    with console.capture() as captured:
        console.print(closing_table(run))
    return captured.get()


def test_summary_says_what_pandas_finds_in_the_tables(make_run: MakeRun) -> None:
    run = make_run(n_requests=600)
    summary = summarise(run)
    assert json.loads((run / "summary.json").read_text()) == summary
    requests = pd.read_parquet(run / "requests.parquet")
    transfers = pd.read_parquet(run / "transfers.parquet")
    deliveries = pd.read_parquet(run / "deliveries.parquet")
    for arm, mine in requests.groupby("arm"):
        cell = summary["arms"][arm]["all"]
        assert cell["requests"] == len(mine) == sum(cell["outcomes"].values())
        assert cell["satisfied"]["hits"] == (mine["outcome"] == "satisfied").sum()
        sent = mine[["code_byte", "model_byte", "control_byte", "enhancement_byte"]].sum().sum()
        assert cell["end_to_end_byte"]["total"] == sent
        of_arm = transfers[transfers["arm"] == arm]
        assert sum(part["first"] for part in cell["link_byte"].values()) == of_arm["first_byte"].sum()
        assert sum(part["retry"] for part in cell["link_byte"].values()) == of_arm["retry_byte"].sum() > 0
        assert cell["channel_use"]["overhead"] == of_arm["overhead_channel_use"].sum()
        assert cell["ss_mean"]["value"] == pytest.approx(mine["ss"].mean())
        seen = deliveries[deliveries["arm"] == arm]
        assert cell["delivered"]["hits"] == len(seen) < len(mine)
        assert cell["ss_mean_delivered"]["value"] == pytest.approx(seen["ss"].mean()) != cell["ss_mean"]["value"]
        assert cell["ss_population"]["n_recovered"] == seen["correct_recovered"].sum()
        assert cell["judge_unsure"] == seen["judge_unsure"].sum()
        latency = (mine["ended_s"] - mine["created_s"])[mine["request_id"].isin(seen["request_id"])]
        assert cell["latency"]["p95_s"] == pytest.approx(latency.quantile(0.95))
        assert sum(cell["latency"]["parts"].values()) == pytest.approx(latency.mean())
        sources = summary["arms"][arm]["sources"].values()
        assert sum(part["requests"] for part in sources) == len(mine)
        assert sum(part["channel_use"]["overhead"] for part in sources) == cell["channel_use"]["overhead"]


def test_break_even_rows_agree_with_a_loop_over_the_requests(make_run: MakeRun) -> None:
    run = make_run(n_requests=3000)
    rows = summarise(run)["break_even"]
    requests = pd.read_parquet(run / "requests.parquet")
    provisioned = 8_100  # bytes of the digits decoder that each consumer of digits was given
    crossed = 0
    for row in rows:
        if row["source_type"] != "digits" or row["basis"] not in ("counted", "stripped"):
            continue
        mine, rival = (
            requests[(requests["arm"] == arm) & (requests["source_type"] == "digits")]
            for arm in (row["arm"], row["rival"])
        )
        excess = provisioned * mine["consumer"].nunique() if row["arm"] == "preload" else 0
        assert row["upfront"] == excess
        crossing = None
        for n, (a, b) in enumerate(zip(mine.itertuples(), rival.itertuples(), strict=True), start=1):
            for request, sign in ((a, 1), (b, -1)):
                sent = request.code_byte + request.model_byte + request.control_byte + request.enhancement_byte
                excess += sign * (sent - (request.stripped_byte if row["basis"] == "stripped" else 0))
            if excess >= 0:
                crossing = None
            elif crossing is None:
                crossing = n
        assert row["crossing_request"] == crossing
        crossed += crossing is not None
    assert crossed >= 2, "the synthetic run must contain crossings to test them"


def test_baseline_is_jpeg_and_differences_are_paired(make_run: MakeRun) -> None:
    run = make_run(n_requests=300)
    summary = summarise(run)
    assert summary["baseline"] == "jpeg"
    requests = pd.read_parquet(run / "requests.parquet").set_index("request_id")
    codes = {arm: requests[requests["arm"] == arm]["code_byte"] for arm in ("webp", "jpeg")}
    found = summary["paired"]["webp"]["end_to_end_byte"]
    assert found["value"] == pytest.approx((codes["webp"] - codes["jpeg"]).mean())
    assert found["low"] < found["value"] < found["high"] < 0


class _Resources(HTMLParser):
    """Every address that a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]


def test_page_is_self_contained_and_shows_everything(make_run: MakeRun) -> None:
    run = make_run(n_requests=500)
    redraw(run)
    page = (run / "report.html").read_text()
    parser = _Resources()
    parser.feed(page)
    assert len(parser.found) == len(DRAWN) + 4 * (1 + 5), "figures, and per source type the original and 5 arms"
    assert all(address.startswith("data:image/") for address in parser.found)
    assert not parser.tags & {"script", "link", "iframe", "object"}
    assert "@import" not in page and "url(" not in page
    assert "synthetic &lt;b&gt;city&lt;/b&gt;" in page, "the scenario's text is shown, escaped"
    assert "aesc &amp; co" in page
    assert "Fates of 32,007 blocks were drawn from BLER tables: 7 below" in page
    assert "30,000 above it, where 0.2 are expected to fail" in page
    assert "Audit: 900 of them went through the exact chain too; 4 failed, 4.9 ± 1.9 were expected" in page
    assert {path.stem for path in (run / "figures").iterdir()} == DRAWN
    for name in DRAWN:
        svg = (run / "figures" / f"{name}.svg").read_text()
        assert "<text" in svg, "text stays text"
        assert (run / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_pictures_that_met_no_noise_are_marked(make_run: MakeRun, no_figures: None) -> None:
    run = make_run(n_requests=20, n_devices=4)
    index = run / "samples" / "index.json"
    entries = json.loads(index.read_text())
    redraw(run)
    assert "without noise" not in (run / "report.html").read_text()
    index.write_text(json.dumps([{**entry, "spared_noise": entry["arm"] == "jpeg"} for entry in entries]))
    redraw(run)
    page = (run / "report.html").read_text()
    assert "not the delivery&#x27;s" in page
    assert page.count("shown without noise</figcaption>") == sum(entry["arm"] == "jpeg" for entry in entries)


def test_drawing_again_gives_the_same_bytes(make_run: MakeRun) -> None:
    run = make_run(n_requests=100, n_devices=20, arms=("on_demand", "jpeg"))
    redraw(run)
    files = [p for p in sorted(run.rglob("*")) if p.suffix in (".svg", ".png", ".html", ".json")]
    first = {path: path.read_bytes() for path in files}
    redraw(run)
    assert len(first) > 10
    assert {path: path.read_bytes() for path in first} == first
    assert not re.search(r"<dc:date>", (run / "figures" / "traffic.svg").read_text())


def test_closing_table_is_readable_at_100_columns(make_run: MakeRun) -> None:
    run = make_run(n_requests=3000)
    summary = summarise(run)
    text = as_text(run)
    assert max(len(line) for line in text.splitlines()) <= 100
    for arm in summary["arms"]:
        assert re.search(rf"^\s*{arm} +3,000 ", text, re.MULTILINE), f"one unbroken row for {arm}"
    assert "…" not in text, "nothing is cut off"
    use = summary["arms"]["jpeg"]["all"]["channel_use"]
    by_class = (use[name] for name in ("control", "code", "model", "enhancement"))
    symbols = use["overhead"] + sum(n for part in by_class for n in part.values())
    assert symbols > 0 and re.search(rf"^\s*jpeg +3,000 .* {symbols / 3000 / 1000:.3g} ", text, re.MULTILINE)
    assert "never" in text and re.search(r">[\d,]+", text)
    assert "kB, ksym, mJ: per request" in " ".join(text.split()) and "complex symbols" in text


def test_the_closing_table_explains_the_columns_that_it_has(make_run: MakeRun) -> None:
    run = make_run(n_requests=60, wireless=False)
    summarise(run)
    text = as_text(run)
    assert "ksym" not in text and "symbols" not in text and "kB, mJ: per request; bytes end to end" in text


def test_the_closing_table_breaks_names_where_their_words_end(make_run: MakeRun) -> None:
    run = make_run(n_requests=3000)
    summarise(run)
    path, arm = run / "summary.json", "on_demand_with_lossy_links_20"
    path.write_text(path.read_text().replace("on_demand", arm).replace("vehicles", "vehicles of the city"))
    lines = as_text(run).splitlines()
    assert max(map(len, lines)) <= 100 and not any("…" in line for line in lines)
    words = re.compile(r"^(?:on|demand|with|lossy|links|20|_)+$")
    parts = [
        part
        for line in lines
        for part in re.split(r"\s{2,}", line.strip())
        if re.match(r"(on|demand|with|lossy)_", part)
    ]
    assert parts and all(words.match(part.split(" ")[-1]) for part in parts), parts


def test_a_scenario_that_was_changed_after_its_run_is_said(
    make_run: MakeRun, no_figures: None, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(n_requests=60)
    manifest = json.loads((run / "manifest.json").read_text())
    for digest, told in ((hashlib.sha256((run / "scenario.yaml").read_bytes()).hexdigest(), 0), ("0" * 64, 1)):
        (run / "manifest.json").write_text(json.dumps({**manifest, "scenario_sha256": digest}))
        draw(run, quiet=True)
        said = f"{run / 'scenario.yaml'}: it was changed after the run"
        assert capsys.readouterr().err.count(f"simnet: {said}") == told
        assert (run / "report.html").read_text().count(said) == told


@pytest.mark.parametrize(
    ("name", "width", "lines"),
    [
        ("on_demand", 9, ["on_demand"]),
        ("on_demand", 8, ["on_", "demand"]),
        ("on_demand", 4, ["on_", "dema", "nd"]),
        ("like digits", 7, ["like", "digits"]),
        ("a-b_c", 4, ["a-b_", "c"]),
        ("__", 4, ["__"]),
        ("", 4, [""]),
    ],
)
def test_a_name_in_lines(name: str, width: int, lines: list[str]) -> None:
    assert NameCell(name).lines(width) == lines


@pytest.mark.parametrize(
    "shape",
    [
        {"arms": ("jpeg",)},
        {"arms": ("on_demand",)},
        {"delivers": False, "wireless": False, "arms": ("preload", "on_demand", "jpeg")},
        {"n_requests": 0},
        {"n_devices": 1, "n_gateways": 1, "n_requests": 1, "arms": ("on_demand", "jpeg")},
        {"n_devices": 500, "n_requests": 50, "arms": ("on_demand", "jpeg")},
    ],
    ids=str,
)
def test_odd_runs_are_reported_too(make_run: MakeRun, shape: dict[str, Any]) -> None:
    run = make_run(**{"n_requests": 60, **shape})
    redraw(run)
    assert "<h1>city</h1>" in (run / "report.html").read_text()
    assert as_text(run)


@pytest.mark.parametrize("figure", ["traffic", "break_even"])
def test_the_traffic_of_one_request_is_seen(make_run: MakeRun, figure: str) -> None:
    """As a step from 0."""
    run = make_run(n_requests=1, n_devices=1, n_gateways=1, arms=("on_demand", "jpeg"))
    folder = RunFolder.open(run)
    drawn = FIGURES[figure].draw(folder, summarise(run))
    assert drawn is not None
    lines = [line for axes in drawn.axes for line in axes.lines if line.get_label() in folder.arms]
    assert {line.get_drawstyle() for line in lines} == {"steps-post"}
    sums = [tuple(line.get_ydata()) for line in lines]
    assert all(before == 0.0 and after == end for before, after, end in sums)
    assert any(end > 0.0 for _, _, end in sums)


def test_a_run_with_empty_tables_and_no_samples(tmp_path: Path) -> None:
    run = tmp_path / "empty"
    run.mkdir()
    Recorder().write(run)
    (run / "scenario.yaml").write_text("name: empty\n")
    manifest = {"scenario": "empty", "seed": 1, "duration_s": 1.0, "arms": ["main"], "sources": [], "fidelity": {}}
    (run / "manifest.json").write_text(json.dumps(manifest))
    redraw(run)
    assert list((run / "figures").iterdir()) == []
    assert as_text(run)


def test_figures_that_no_longer_apply_are_removed(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simnet.report.figures.FIGURES", {"hit_ratio": FIGURES["hit_ratio"]})
    run = make_run(n_requests=50)
    redraw(run)
    assert "Store hit ratio" in (run / "report.html").read_text()
    stores = pd.read_parquet(run / "stores.parquet")
    stores.iloc[:0].to_parquet(run / "stores.parquet")
    redraw(run)
    assert not (run / "figures" / "hit_ratio.svg").exists()
    assert "Store hit ratio" not in (run / "report.html").read_text()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _drop_column(path: Path) -> None:
    pd.read_parquet(path).drop(columns=["outcome"]).to_parquet(path)


def _rename_arm(path: Path) -> None:
    table = pd.read_parquet(path)
    table["arm"] = "ghost"
    table.to_parquet(path)


def _with(**changes: object) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _with_column(name: str, value: object) -> Callable[[Path], object]:
    return lambda path: pd.read_parquet(path).assign(**{name: value}).to_parquet(path)


@pytest.mark.parametrize(
    ("file", "harm", "message"),
    [
        ("manifest.json", Path.unlink, "no manifest.json"),
        ("manifest.json", _cut, "damaged"),
        ("manifest.json", lambda p: p.write_text("[1]"), "got list; allowed: an object"),
        ("manifest.json", _with(arms=[]), r"arms: got \[\]; allowed: at least 1 entry; run the scenario again"),
        ("manifest.json", _with(arms=["main", "main"]), "allowed: each name once"),
        ("manifest.json", _with(seed=None), "seed: got null; allowed: a whole number"),
        ("manifest.json", lambda p: p.write_text('{"seed": 1}'), "sources: got no such key; allowed: a list"),
        ("manifest.json", _with(duration_s="long"), "duration_s: got 'long'; allowed: a number"),
        ("manifest.json", _with(sources=7), "sources: got 7; allowed: a list"),
        ("manifest.json", _with(fidelity={"radio": []}), r"fidelity.radio: got \[\]; allowed: text"),
        ("manifest.json", _with(bler_tables={"below": 1}), "bler_tables.measured: got no such key"),
        ("manifest.json", _with(surrogates={"types": 3}), "surrogates.types: got 3"),
        ("requests.parquet", Path.unlink, "missing"),
        ("requests.parquet", _cut, "damaged"),
        ("requests.parquet", _drop_column, "columns are missing: outcome"),
        ("requests.parquet", _rename_arm, "doesn't list: ghost"),
        ("requests.parquet", _with_column("code_byte", "many"), "column code_byte: got .*string; allowed int"),
        ("requests.parquet", _with_column("arm", None), "column arm: got [0-9]+ nulls; allowed none"),
        ("transfers.parquet", lambda p: p.write_bytes(b""), "damaged"),
        ("transfers.parquet", _with_column("tx_j", "many"), "column tx_j: got .*string; allowed float"),
        ("stores.parquet", _with_column("node", 7), "column node: got int64; allowed str"),
        ("stores.parquet", lambda p: p.write_bytes(b"PAR1" * 9), "damaged"),
        ("scenario.yaml", lambda p: p.write_bytes(b"\xff\xfe\x00"), "damaged"),
        ("scenario.yaml", lambda p: p.write_text("a: [1"), "damaged"),
        ("scenario.yaml", lambda p: p.write_text("- a"), "got no mapping of keys"),
        ("samples/index.json", lambda p: p.write_text('[{"arm": 1}]'), "list of entries"),
        ("samples/0.png", Path.unlink, "missing"),
    ],
)
def test_damage_gives_one_clear_error(
    make_run: MakeRun, file: str, harm: Callable[[Path], object], message: str, no_figures: None
) -> None:
    run = make_run(n_requests=20, n_devices=4, n_gateways=1)
    harm(run / file)
    with pytest.raises(RunError, match=message) as caught:
        redraw(run)
    assert file.partition("/")[0] in str(caught.value)
    assert not (run / "report.html").exists(), "no page that looks whole"
    if file in ("manifest.json", "requests.parquet"):
        with pytest.raises((RunError, ResultsError), match=re.escape(str(run))):
            load(run)


@pytest.mark.parametrize(
    ("name", "makes", "said"),
    [
        ("figures", Path.touch, "File exists"),
        ("summary.json", Path.mkdir, "Is a directory"),
        ("report.html", Path.mkdir, "Is a directory"),
    ],
)
def test_what_stands_in_the_way_is_one_clear_error(
    make_run: MakeRun, no_figures: None, name: str, makes: Callable[[Path], object], said: str
) -> None:
    run = make_run(n_requests=20, n_devices=4, n_gateways=1)
    makes(run / name)
    message = f"{name}: {said}, where the report writes; allowed in {run}: a folder figures, .*: move it away"
    with pytest.raises(RunError, match=message):
        redraw(run)


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_energies_beyond_all_floats_are_one_clear_error(make_run: MakeRun, no_figures: None) -> None:
    run = make_run(n_requests=20, n_devices=4, n_gateways=1)
    nodes = pd.read_parquet(run / "nodes.parquet")
    nodes["idle_j"] = 1e308
    nodes.to_parquet(run / "nodes.parquet")
    with pytest.raises(RunError, match=r"arms\.preload\.energy\.idle_j is beyond the largest number"):
        redraw(run)
    assert not (run / "report.html").exists(), "no page that looks whole"


@pytest.mark.parametrize("name", [r"a$\frac$", r"a$b$c", "100 $", "a_b^c <&"])
def test_names_of_nodes_are_no_formulas(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("simnet.report.figures.FIGURES", {"city_map": FIGURES["city_map"]})
    run = make_run(n_requests=20, n_devices=4, n_gateways=2, arms=("on_demand",))
    nodes = pd.read_parquet(run / "nodes.parquet")
    nodes.loc[nodes.tier == "device", ["tier", "node"]] = ["edge", name]
    nodes.to_parquet(run / "nodes.parquet")
    redraw(run)
    drawn = (run / "figures" / "city_map.svg").read_text(encoding="utf-8")
    assert escape(name, quote=False) in drawn


def test_files_outside_the_run_are_not_shown(make_run: MakeRun, tmp_path: Path, no_figures: None) -> None:
    run = make_run(n_requests=20, n_devices=4)
    (tmp_path / "secret.png").write_bytes(b"secret")
    index = run / "samples" / "index.json"
    entries = json.loads(index.read_text())
    entries[0]["recovered"] = "../secret.png"
    index.write_text(json.dumps(entries))
    with pytest.raises(RunError, match=r"outside the run folder.*secret\.png"):
        redraw(run)


def test_a_table_needs_a_summary(make_run: MakeRun) -> None:
    run = make_run(n_requests=5)
    with pytest.raises(RunError, match=r"summary\.json.*simnet report"):
        closing_table(run)


def test_importing_the_report_loads_no_heavy_library() -> None:
    code = "import sys, simnet.report; print([m for m in ('matplotlib', 'pandas', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_reporting_needs_neither_torch_nor_pyplot_nor_the_simulation(make_run: MakeRun) -> None:
    run = make_run(n_requests=20, n_devices=4)
    code = (
        "import sys, pathlib, simnet.report; simnet.report.redraw(pathlib.Path(sys.argv[1])); "
        "print([m for m in ('torch', 'simpy', 'matplotlib.pyplot', 'simnet.net') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(run)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_records_page_is_the_one_that_the_tables_give() -> None:
    page = records_markdown()
    assert all(f"## {name}.parquet" in page for name in TABLES)
    assert (Path(__file__).parents[3] / "docs" / "records.md").read_text(encoding="utf-8") == page


def test_the_records_page_is_utf_8_whatever_the_locale() -> None:
    command = [sys.executable, "-m", "simnet.report.records_doc"]
    done = subprocess.run(command, capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.stdout.decode("utf-8") == records_markdown()


def test_the_first_run_of_a_newcomer_warns_of_nothing(tmp_path: Path) -> None:
    """One arm, one source type, two requests, none failed."""
    run = run_scenario(load_scenario(HELLO), out=tmp_path, quiet=True).path
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        redraw(run)
