"""A source type run by networks, and a surrogate of it in the same place: the same traffic, SS within its error."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simnet.build import build, run_scenario
from simnet.report.html import write_page
from simnet.report.metrics import metrics
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
    table = metrics(RunFolder.open(runs[1])).set_index("source_type")
    assert table["fidelity"].to_dict() == {"all": "ideal+surrogate", "digits surrogates": "ideal+surrogate"}
    assert set(metrics(RunFolder.open(runs[0]))["fidelity"]) == {"ideal"}
    assert "Surrogates:" not in (runs[0] / "report.html").read_text(encoding="utf-8")


CITY = """
name: city
duration_s: 60
topology: {kind: city, devices: 8, gateways: 2, edges: 1, clouds: 1, area_m: 1500}
tiers: {device: {store_byte: 30000}}
radios: {radio: {fidelity: ideal}}
wires: {access: {}, metro: {}, backbone: {}}
sources: {digits: {dataset: mnist, items: 10, owners: gateway, judge: classifier/digits_judge}}
surrogates: {count: 400, like: [digits], owners: gateway, size_spread: 0.5, shared: 0.5, families: 4, audit: 0}
codecs: {z40: {kind: aesc, model: digits_z40}}
traffic: {kind: poisson, rate_per_s: 0.5, popularity: {types_zipf_exponent: 0.8, preferred_types: 8}}
protocol: {codecs: {digits: [z40]}, propagation: nearest_copy}
arms: {trunks: {}, whole: {slice_sharing: false}, ss_aware: {slice_sharing: false, store: {policy: ss_aware}}}
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("city")
    (root / "city.yaml").write_text(CITY, encoding="utf-8")
    return run_scenario(load_scenario(root / "city.yaml"), out=root, quiet=True).path


def test_a_request_names_what_its_consumer_s_store_holds_however_many_types_there_are(city: Path) -> None:
    """The stores' own records say how many slices a consumer held: a request takes 8 bytes for each."""
    stores, transfers = (pd.read_parquet(city / f"{name}.parquet") for name in ("stores", "transfers"))
    asked = transfers[(transfers["payload"] == "Request") & transfers["sender"].str.startswith("device")]
    sizes = stores.loc[stores["event"] == "insert", "slice_byte"]
    most = 30_000 // sizes.min() + 2  # and what is on its way
    fixed_byte = asked["payload_byte"].min()
    assert len(asked) > 500 and fixed_byte < 70
    assert fixed_byte < asked["payload_byte"].max() <= fixed_byte + 8 * most < 400 * 8


def test_arms_meet_the_same_codes_and_ss_and_differ_in_what_travels(city: Path) -> None:
    requests = pd.read_parquet(city / "requests.parquet").set_index(["request_id", "arm"]).unstack()
    deliveries = pd.read_parquet(city / "deliveries.parquet").set_index(["request_id", "arm"]).unstack()
    for column in ("st_original", "st_recovered", "psnr_db", "code_byte"):
        values = deliveries[column].dropna()
        assert len(values) > 100 and (values.nunique(axis=1) == 1).all(), column
    model_byte = requests["model_byte"].sum()
    assert model_byte["trunks"] < model_byte["whole"] and model_byte["ss_aware"] != model_byte["whole"]
    assert (requests["slices_needed"]["trunks"].dropna() == 2).mean() > 0.9
    assert set(requests["slices_needed"]["whole"].dropna()) <= {0, 1}


def test_stores_hold_trunks_with_what_requires_them(city: Path) -> None:
    """A decoder's rest is there only while its family's trunk is: replayed from the stores' events."""
    profiles = build(load_scenario(city / "scenario.yaml")).plane.surrogates.profiles.values()
    requires = {slice_.id: set(slice_.requires) for profile in profiles for slice_ in profile.decoder_slices}
    events = pd.read_parquet(city / "stores.parquet")
    events = events[(events["arm"] == "trunks") & (events["tier"] == "device")]
    assert events["slice"].str.contains("trunk").any() and (events["event"] == "evict").any()
    for _, of_node in events.groupby("node"):
        held: set[str] = set()
        for event, slice_id in zip(of_node["event"], of_node["slice_id"], strict=True):
            if event == "insert":
                held.add(slice_id)
            elif event == "evict":
                held.remove(slice_id)
            assert all(requires.get(each, set()) <= held for each in held)
