"""``simnet link ber | bler | throughput | plot`` and ``simnet list mcs``: what they print, keep and draw."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simnet.core.mcs import MCS_NAMES, mcs_by_name
from simnet.core.zoo import zoo_root
from simnet.phy.blocks import BlockFormat
from simnet.phy.curves import bler
from simnet.phy.tables.bler import table_path
from simnet.report.figures import link_curves
from tests.unit.cli.conftest import Run

SMALL = {
    "ber": ["link", "ber", "--modulation", "QPSK", "--esno-db", "0,4,8,30", "--max-blocks", 64],
    "bler": ["link", "bler", "--mcs", "QPSK 1/2", "--mcs", "16-QAM 3/4", "--bits", 288, "--max-blocks", 128],
    "throughput": ["link", "throughput", "--mcs", "QPSK 1/2", "--mcs", "QPSK 3/4", "--bits", 288, "--esno-db", "0:9:3"],
}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("verb", "headings", "n_rows"),
    [
        ("ber", ("bit errors", "95 % interval", "theory"), 4),
        ("bler", ("95 % interval", "iter.", "normal", "table"), None),
        ("throughput", ("awgn: capacity", "rayleigh_block: capacity", "HARQ"), 48),
    ],
)
def test_a_verb_prints_its_table_and_keeps_its_points(
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    verb: str,
    headings: tuple[str, ...],
    n_rows: int | None,
) -> None:
    path = tmp_path / "points.csv"
    assert run(*SMALL[verb], "--out", path) == 0
    output = capsys.readouterr()
    for heading in headings:
        assert heading in output.out
    assert "…" not in output.out  # it fits into 100 columns
    assert output.out.endswith(f"{path}\n")
    rows = rows_of(path)
    assert rows and (n_rows is None or len(rows) == n_rows)
    if verb != "throughput":
        assert len(output.err.splitlines()) == len(rows)
    assert run(*SMALL[verb], "--out", path) == 2
    assert f"{path}: is there already" in capsys.readouterr().err
    assert run(*SMALL[verb], "--out", path, "--quiet", "--again") == 0
    quiet = capsys.readouterr()
    assert (quiet.out, quiet.err) == (f"{path}\n", "")
    assert rows_of(path) == rows


def test_options_reach_the_chain(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "points.csv"
    options = ["--channel", "rician_block", "--k-factor-db", 3, "--csi", "pilot", "--n-pilot", 4, "--harq", 2]
    decoder = ["--rule", "sum_product", "--iterations", 7, "--code", "nr", "--mcs", "16-QAM 3/4", "--bits", 96]
    ladder = ["--ebno-db", 8, "--max-blocks", 32, "--seed", 5, "--quiet"]
    assert run("link", "bler", *options, *decoder, *ladder, "--out", path) == 0
    (row,) = rows_of(path)
    expected = {
        "channel": "rician_block", "csi": "pilot", "channel_settings": "k_factor_db=3 n_pilot=4", "harq": "2",
        "decoder_rule": "sum_product", "decoder_max_iterations": "7", "code": "nr", "k": "96", "blocks": "32",
        "seed": "5", "bler_table": "",
    }  # fmt: skip
    assert {key: row[key] for key in expected} == expected
    assert float(row["ebno_db"]) == pytest.approx(8.0)
    assert float(row["esno_db"]) == pytest.approx(8.0 + 4.771, abs=0.001)  # three bits per channel use


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ber", "--modulation", "8-PSK"], "unknown modulation: got '8-PSK'"),
        (["ber", "--channel", "awgn", "--k-factor-db", "3"], "unknown setting of channel 'awgn'"),
        (["ber", "--esno-db", "0:10"], "--esno-db: got '0:10'; allowed start:stop:step"),
        (["ber", "--out", "points.txt"], "allowed a name that ends with .csv"),
        (["bler", "--mcs", "QPSK"], "unknown MCS: got 'QPSK'; did you mean 'QPSK"),
        (["bler", "--bits", "1160"], "holds 1152 at most"),
        (["bler", "--code", "wimax"], "unknown LDPC code family: got 'wimax'"),
        (["bler", "--esno-db", "1", "--ebno-db", "1"], "got both; allowed one of --esno-db and --ebno-db"),
        (["bler", "--channel", "tdl_a", "--csi", "pilot", "--pilot-spacing", "1"], "pilot_spacing: got 1"),
        (["bler", "--rule", "sum_product", "--arithmetic", "int8"], "arithmetic 'int8' with rule 'sum_product'"),
        (["bler", "--iterations", "0"], "max_iterations: got 0"),
        (["throughput", "--channel", "tdl_a"], "unknown channel of goodput curves: got 'tdl_a'"),
        (["throughput", "--bits", "320"], "simnet link calibrate --code ieee80216e --bits 320"),
        (["throughput", "--target-bler", "0"], "target BLER of the adaptive choice: got 0.0"),
        (["plot", "no_such.csv"], "no_such.csv: cannot be read"),
    ],
)
def test_wrong_use_ends_with_2(
    run: Run, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("link", *arguments) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_ctrl_c_keeps_the_points(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, measure, calls = tmp_path / "points.csv", bler.measure_bler, []

    def stopped(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return measure(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(bler, "measure_bler", stopped)
    assert run(*SMALL["bler"], "--out", path) == 130
    assert f"stopped by Ctrl-C; 2 points are kept in {path}" in capsys.readouterr().err
    assert len(rows_of(path)) == 2


TEXTS = {
    "ber": ("QPSK", "exact", "AWGN", "bit error rate"),
    "bler": ("QPSK 1/2", "16-QAM 3/4", "normal approximation", "BICM limit", "AWGN table", "k = 288 bit"),
    "throughput": ("capacity", "adaptive, HARQ", "QPSK, fixed rate", "Rayleigh block fading"),
}


@pytest.mark.parametrize("verb", SMALL)
def test_plot_draws_what_a_verb_kept(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    path = tmp_path / "points.csv"
    assert run(*SMALL[verb], "--out", path, "--quiet") == 0
    capsys.readouterr()
    assert run("link", "plot", path) == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert files == [path.with_suffix(suffix) for suffix in (".png", ".svg", ".pdf")]
    drawing = files[1].read_text()
    for text in TEXTS[verb]:
        assert text in drawing, text
    assert all(file.stat().st_size > 4000 for file in files)
    assert b"/Type3" not in files[2].read_bytes()
    before = [file.read_bytes() for file in files]
    assert run("link", "plot", path) == 0
    assert [file.read_bytes() for file in files] == before


def test_plot_over_ebno_and_of_bits(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    assert run(*SMALL["bler"], "--out", path, "--quiet") == 0
    out = tmp_path / "figures" / "bits"
    assert run("link", "plot", path, "--over", "ebno", "--quantity", "ber", "--out", out) == 0
    assert "bit error rate after decoding" in out.with_suffix(".svg").read_text()


def test_plot_shows_every_measurement_of_one_point(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another seed, too: none is dropped for having come second."""
    drawn: list[int] = []
    points = link_curves._points

    def counted(axes: Any, x: Any, *rest: Any) -> None:
        drawn.append(len(x))
        points(axes, x, *rest)

    monkeypatch.setattr(link_curves, "_points", counted)
    files = [tmp_path / f"{name}.csv" for name in ("one", "two", "again")]
    for path, seed in zip(files, (1, 2, 1), strict=True):
        options = ["--modulation", "QPSK", "--esno-db", "0,2,4,6", "--max-blocks", 8, "--seed", seed]
        assert run("link", "ber", *options, "--out", path, "--quiet") == 0
    assert run("link", "plot", *files, "--out", tmp_path / "all") == 0
    assert drawn == [8]


def test_plot_names_what_tells_curves_apart(run: Run, tmp_path: Path) -> None:
    one, two, out = tmp_path / "one.csv", tmp_path / "two.csv", tmp_path / "both"
    options = ["--mcs", "QPSK 1/2", "--bits", 288, "--max-blocks", 64, "--esno-db", "0,6", "--quiet"]
    assert run("link", "bler", *options, "--channel", "rayleigh_block", "--out", one) == 0
    assert run("link", "bler", *options, "--channel", "tdl_a", "--csi", "pilot", "--harq", 2, "--out", two) == 0
    assert run("link", "plot", one, two, "--out", out) == 0
    drawing = out.with_suffix(".svg").read_text()
    assert "Rayleigh block fading<" in drawing
    assert "TDL-A, estimated channel, 1 µs RMS delay spread" in drawing and "2 receptions<" in drawing
    assert "QPSK 1/2, IEEE 802.16e, k = 288 bit<" in drawing


def test_plot_refuses_what_does_not_go_together(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {verb: tmp_path / f"{verb}.csv" for verb in ("ber", "throughput")}
    for verb, path in files.items():
        assert run(*SMALL[verb], "--out", path, "--quiet") == 0
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    empty = tmp_path / "empty.csv"
    empty.write_text("modulation,esno_db\n")
    rows = rows_of(files["ber"])
    for name, changes in (("words", {"ber": "many"}), ("nan", {"ber_high": "nan"})):
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows([*rows[:-1], rows[-1] | changes])
    for arguments, message in (
        ([tmp_path / "words.csv"], "words.csv:5 ber: got 'many'; allowed: a number 0..1"),
        ([tmp_path / "nan.csv"], "nan.csv:5 ber_high: got 'nan'; allowed: a number 0..1"),
        (files.values(), "got points of throughput; allowed ber, as in"),
        ([files["ber"], "--over", "ebno"], "got --over ebno; allowed esno"),
        ([other], "not a file of a link's points (columns a, b"),
        ([empty], "no points"),
        ([tmp_path], "cannot be read as CSV"),
    ):
        assert run("link", "plot", *arguments) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda text: text[:-60], r"p\.csv:4: got \d fields; allowed: 11, as the header has\. Was the file cut off"),
        (lambda text: text[:-1], r"p\.csv:4: got a last line without its end; allowed: a whole file"),
        (lambda text: text + "7,8\n" * 60, r"(.*p\.csv:\d+: got 2 fields.*\n){50}… and 10 more problems"),
        (lambda text: text.replace(",4.0,", ",,"), r"p\.csv:3 esno_db: got ''; allowed: a number"),
        (lambda text: text.replace(",4.0,", ",4.0,,"), r"p\.csv:3: got 12 fields; allowed: 11"),
        (
            lambda text: re.sub(r",0\.\d{9,},", ",15.1,", text, count=1),
            r"p\.csv:2 ber: got '15\.1'; allowed: a number 0\.\.1",
        ),
        (lambda text: text.replace("QPSK", '"QPSK'), r"p\.csv:2: got broken CSV"),
        (lambda text: text.replace(",8.0,", ",8.0\0,"), r"p\.csv:4 esno_db: got '8\.0\\x00'; allowed: a number"),
    ],
)
def test_plot_refuses_a_file_that_is_not_whole(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: Callable[[str], str], message: str
) -> None:
    path = tmp_path / "p.csv"
    options = ["--modulation", "QPSK", "--esno-db", "0,4,8", "--max-blocks", 8]
    assert run("link", "ber", *options, "--out", path, "--quiet") == 0
    text = path.read_text()
    path.write_text(broken(text))
    assert path.read_text() != text
    assert run("link", "plot", path) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not path.with_suffix(".svg").exists()


def test_plot_without_files_draws_the_zoo(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "zoo" / "bler" / "ieee80216e"
    folder.mkdir(parents=True)
    kept = ((288, "QPSK 1/2"), (288, "64-QAM 5/6"), (576, "QPSK 2/3"), (1152, "QPSK 1/2"), (1536, "QPSK 2/3"))
    for k, name in kept:
        path = table_path(BlockFormat(k, mcs_by_name(name)), zoo_root() / "bler")
        shutil.copy(path, folder)
    monkeypatch.setenv("SIMNET_ZOO", str(tmp_path / "zoo"))
    assert run("link", "plot", "--out", tmp_path / "tables") == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [file.name for file in files] == [f"tables_ieee80216e.{suffix}" for suffix in ("png", "svg", "pdf")]
    drawing = files[1].read_text()
    for text in (*(f"k = {k} bit" for k, _ in kept), "64-QAM", "rate 5/6", "IEEE 802.16e, AWGN"):
        assert text in drawing
    assert drawing.count("block error rate") == 2, "the fourth size begins a second row"
    assert "16-QAM" not in drawing and "rate 3/4" not in drawing
    (folder / "k288_qpsk_1-2.json").write_text("{}")
    assert run("link", "plot") == 2
    assert "k288_qpsk_1-2.json: cannot be read" in capsys.readouterr().err
    shutil.rmtree(folder)
    assert run("link", "plot") == 2
    assert "BLER tables: none in" in capsys.readouterr().err


def test_list_mcs(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", "mcs") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[2:14].strip() for line in lines[2:]] == list(MCS_NAMES)
    assert lines[2].split()[2:5] == ["2", "1/2", "1.000"]
    assert all(float(line.split()[-2]) < float(line.split()[-1]) for line in lines[2:])
    monkeypatch.setenv("SIMNET_ZOO", str(tmp_path))
    assert run("list", "mcs") == 0
    assert all(line.split()[-2:] == ["-", "-"] for line in capsys.readouterr().out.splitlines()[2:])


@pytest.mark.parametrize(
    "option",
    [
        ("--channel", "rician_block", "--k-factor-db", "1e9"),
        ("--channel", "tdl_a", "--rms-delay-spread-s", "inf"),
        ("--esno-db", "1e9"),
    ],
)
def test_values_beyond_all_bounds_are_the_users_mistake(
    run: Run, capsys: pytest.CaptureFixture[str], option: tuple[str, ...]
) -> None:
    assert run("link", "bler", "--max-blocks", 1, *option) == 2
    assert option[-2] in capsys.readouterr().err
