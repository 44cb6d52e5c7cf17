"""A source type run by networks, and a surrogate of it in the same place: the same traffic, SS within its error."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simnet.build import run_scenario
from simnet.report.html import write_page
from simnet.report.run_folder import RunFolder
from simnet.report.summary import summarise_folder, write_summary
from simnet.scenario.load import load_scenario

N_ITEM, READERS = 60, ("ann", "bob", "cid")
PAIR = """
name: pair
duration_s: {duration_s}
drain_s: 30
topology:
  kind: explicit
  nodes: [{{name: camera, tier: gateway}}, {nodes}]
  links: [{links}]
tiers: {{device: {{store_byte: 16000}}, gateway: {{}}}}
radios: {{radio: {{fading: none, mcs: QPSK 1/2, fidelity: ideal}}}}
sources:
  digits: {{dataset: mnist, items: {n_item}, owners: gateway, judge: classifier/digits_judge}}
surrogates: {surrogates}
codecs: {{{codec}: {{kind: aesc, model: digits_z40, precision: int6, code_bits: 4}}}}
traffic: {{kind: trace, file: wishes.csv}}
protocol: {{codecs: {{digits: [{codec}]}}, propagation: with_code}}
"""


def run(folder: Path, *, first_item: int, codec: str, surrogates: str) -> Path:
    """Every reader asks the camera for every item, from ``first_item`` on, once; then summary and page, no figures."""
    wishes = [(item, reader) for item in range(first_item, first_item + N_ITEM) for reader in READERS]
    lines = [f"{time_s},{reader},{item}" for time_s, (item, reader) in enumerate(wishes)]
    folder.mkdir()
    (folder / "wishes.csv").write_text("\n".join(["time_s,consumer,item_id", *lines]) + "\n", encoding="utf-8")
    link = "{{a: {0}, b: camera, medium: wireless, link_class: radio, carrier: camera, path_loss_db: 90}}"
    text = PAIR.format(
        duration_s=len(wishes),
        nodes=", ".join(f"{{name: {reader}, tier: device}}" for reader in READERS),
        links=", ".join(link.format(reader) for reader in READERS),
        n_item=N_ITEM,
        surrogates=surrogates,
        codec=codec,
    )
    (folder / "pair.yaml").write_text(text, encoding="utf-8")
    path = run_scenario(load_scenario(folder / "pair.yaml"), out=folder, quiet=True).path
    run_folder = RunFolder.open(path)
    summary = summarise_folder(run_folder)
    write_summary(run_folder, summary)
    write_page(run_folder, summary, [])
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Networks, and surrogates. The codec's name rides with every code; here both names have eight letters."""
    root = tmp_path_factory.mktemp("runs")
    surrogates = f"{{count: 1, like: [digits], items: {N_ITEM}, owners: gateway, audit: 1}}"
    neural = run(root / "neural", first_item=0, codec="z40_0000", surrogates="null")
    drawn = run(root / "drawn", first_item=N_ITEM, codec="z40", surrogates=surrogates)
    return neural, drawn


def test_traffic_is_the_same(runs: tuple[Path, Path]) -> None:
    """Control and models byte for byte; codes on average, as other images have codes of other lengths."""
    neural, drawn = (pd.read_parquet(path / "requests.parquet") for path in runs)
    assert len(neural) == len(drawn) == len(READERS) * N_ITEM
    for column in ("consumer", "created_s", "control_byte", "model_byte", "slices_needed", "slices_missed", "wish_ss"):
        assert (neural[column] == drawn[column]).all(), column
    assert neural["model_byte"].astype(bool).sum() == len(READERS)
    assert set(drawn["source_type"]) == {"digits_0000"} and set(drawn["codec"]) == {"z40.0000"}
    assert_same_mean(neural, drawn, "code_byte")


def test_ss_is_the_same_within_its_error(runs: tuple[Path, Path]) -> None:
    neural, drawn = (pd.read_parquet(path / "deliveries.parquet") for path in runs)
    assert (neural["code_byte"] > 0).all() and (drawn["code_byte"] > 0).all()
    for column in ("ss", "st_original", "st_recovered", "psnr_db", "ssim"):
        assert_same_mean(neural, drawn, column)
    originals = drawn.groupby("item_id")[["st_original", "correct_original"]].nunique()
    assert (originals == 1).all().all()


def assert_same_mean(neural: pd.DataFrame, drawn: pd.DataFrame, column: str) -> None:
    """Within four standard errors over items, each of which was asked for equally often."""
    values = [
        table.dropna(subset=column).groupby("item_id")[column].mean().to_numpy(float) for table in (neural, drawn)
    ]
    assert all(len(of_items) > 0.8 * N_ITEM for of_items in values)
    error = math.sqrt(sum(of_items.var(ddof=1) / len(of_items) for of_items in values))
    assert abs(np.mean(values[0]) - np.mean(values[1])) < 4 * error


def test_the_manifest_says_what_was_drawn_and_what_the_audit_found(runs: tuple[Path, Path]) -> None:
    neural, drawn = (json.loads((path / "manifest.json").read_text(encoding="utf-8")) for path in runs)
    assert neural["codec_fidelity"] == {"digits": "neural"} and neural["surrogates"] is None
    assert drawn["codec_fidelity"] == {"digits": "neural", "digits surrogates": "surrogate"}
    facts = drawn["surrogates"]
    assert facts["types"] == {"digits": 1} and list(drawn["codecs"]) == ["z40"]
    (decoder,) = drawn["codecs"]["z40"]["decoder"].values()
    assert facts["decoder_byte"] == {"z40": dict.fromkeys(("least", "mean", "most"), decoder["n_byte"])}
    audit = facts["audit"]
    assert audit["measurements"] == N_ITEM >= audit["n_neural"] > 0
    assert abs(audit["difference"]) < 2 * audit["half_width"]  # four standard errors


def test_the_report_groups_surrogates_and_states_the_audit(runs: tuple[Path, Path]) -> None:
    summary = json.loads((runs[1] / "summary.json").read_text(encoding="utf-8"))
    assert list(summary["arms"]["main"]["sources"]) == ["digits surrogates"]
    page = (runs[1] / "report.html").read_text(encoding="utf-8")
    assert "Surrogates: 1 like digits." in page
    assert f"Audit: {N_ITEM} of their measurements were held against other images" in page
    assert "Surrogates:" not in (runs[0] / "report.html").read_text(encoding="utf-8")
