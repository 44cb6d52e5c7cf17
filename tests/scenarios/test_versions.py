"""A retrained AESC-I model as version 2: released while the run goes on, sent as a delta, or decoded by version 1."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from simnet.build import FinishedRun, build, run_scenario
from simnet.codecs.aesc import Aesc
from simnet.codecs.networks.aesc import load_autoencoder, pack_autoencoder
from simnet.core.errors import SimnetError
from simnet.core.zoo import zoo_root
from simnet.report.summary import summarise
from simnet.scenario.load import load_scenario
from simnet.wire.delta import make_delta
from simnet.wire.messages import SliceDelta, encode_message

pandas = pytest.importorskip("pandas")

SCENARIO = """
name: versions
duration_s: 120
topology:
  kind: explicit
  nodes: [{name: camera, tier: gateway}, {name: near, tier: device}, {name: far, tier: device}]
  links:
    - {a: near, b: camera, medium: wireless, link_class: radio, carrier: camera, path_loss_db: 100}
    - {a: far, b: camera, medium: wireless, link_class: radio, carrier: camera, path_loss_db: 110}
radios: {radio: {fading: rayleigh, fidelity: table}}
tiers: {device: {store_byte: 100000}}
sources: {digits: {dataset: mnist, items: 20, owners: gateway, judge: classifier/digits_judge}}
codecs:
  v1: {kind: aesc, model: digits_z40}
  v2: {kind: aesc, model: digits_z40, version: 2}
traffic: {kind: poisson, rate_per_s: 0.2}
protocol: {codecs: {digits: [v1, v2]}, releases: {v2: 60}, retires: {v1: 60}}
arms:
  deltas: {}
  whole: {deltas: false}
  mixed: {mixed_versions: decode}
"""


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zoo, with a copy of one model whose numbers have moved by some percent, its entropy table too."""
    root = tmp_path_factory.mktemp("models")
    for family in zoo_root().iterdir():
        if family.is_dir():
            (root / family.name).mkdir()
            for model in family.iterdir():
                (root / family.name / model.name).symlink_to(model)
    old, new = zoo_root() / "aesc" / "digits_z40", root / "aesc" / "digits_z40.v2"
    new.mkdir()
    (new / "train.yaml").write_bytes((old / "train.yaml").read_bytes())
    autoencoder, table = load_autoencoder(old / "weights.safetensors")
    noise = torch.Generator().manual_seed(1)
    for parameter in autoencoder.parameters():
        if parameter.ndim > 1:
            parameter += 0.01 * parameter.std() * torch.randn(parameter.shape, generator=noise)
    moved = table.astype(np.int64)
    moved[:, 3:] = np.roll(moved[:, 3:], 1, axis=1)
    (new / "weights.safetensors").write_bytes(pack_autoencoder(autoencoder, moved.astype(np.uint8)))
    return root


@pytest.fixture
def in_zoo(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMNET_ZOO", str(zoo))


@pytest.fixture(scope="module")
def run(zoo: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    folder = tmp_path_factory.mktemp("versions")
    (folder / "versions.yaml").write_text(SCENARIO, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIMNET_ZOO", str(zoo))
        return run_scenario(load_scenario(folder / "versions.yaml"), out=folder, quiet=True)


def codec(version: int, **changes: object) -> Aesc:
    return Aesc(Aesc.Params.model_validate({"model": "digits_z40", "version": version, **changes}))


@pytest.mark.usefixtures("in_zoo")
def test_versions_share_names_and_nothing_else() -> None:
    first, second = codec(1), codec(2)
    for side in ("encoder_slices", "decoder_slices"):
        (a,), (b,) = getattr(first, side), getattr(second, side)
        assert a.name == b.name and a.id != b.id and (a.version, b.version) == (1, 2)
    with pytest.raises(SimnetError, match=r"digits_z40\.v3"):
        codec(3)


def test_deltas_save_bytes_and_every_account_closes(run: FinishedRun) -> None:
    requests, transfers = (pandas.read_parquet(run.path / f"{table}.parquet") for table in ("requests", "transfers"))
    assert json.loads((run.path / "manifest.json").read_text())["accounting"].keys() == {"deltas", "whole", "mixed"}
    by_arm = requests.groupby("arm").model_byte.sum()
    late = requests[(requests.created_s > 60) & (requests.outcome != "timeout")]
    assert {(arm, *group.codec.unique()) for arm, group in late.groupby("arm")} == {
        ("deltas", "v2"), ("whole", "v2"), ("mixed", "v2"),
    }  # fmt: skip
    sent = transfers[transfers.payload.str.startswith("SliceDelta")]
    assert set(sent.arm) == {"deltas"} and set(sent.payload_class) == {"model"} and len(sent) == 2  # one per reader
    n_byte = {name: next(iter(facts["decoder"].values()))["n_byte"] for name, facts in run.manifest["codecs"].items()}
    assert set(sent.payload_byte) < set(range(n_byte["v2"] // 2))
    whole_frames = transfers[(transfers.arm == "whole") & (transfers.payload_class == "model")].payload_byte
    assert len(whole_frames) == 4 and by_arm["whole"] == whole_frames.sum()
    assert by_arm["whole"] - by_arm["deltas"] == 2 * (whole_frames.max() - sent.payload_byte.max())


def test_both_arms_decode_with_the_same_slices(run: FinishedRun) -> None:
    deliveries = pandas.read_parquet(run.path / "deliveries.parquet").set_index("request_id")
    deltas, whole = (deliveries[deliveries.arm == arm] for arm in ("deltas", "whole"))
    both = deltas.index.intersection(whole.index)
    assert len(both) > 10
    columns = ["slices", "ss", "psnr_db", "code_byte", "mixed_with"]
    pandas.testing.assert_frame_equal(deltas.loc[both, columns], whole.loc[both, columns])
    assert not deliveries.damaged.any()


def test_mixed_deliveries_say_so_and_cost_no_model_bytes(run: FinishedRun) -> None:
    deliveries, requests = (pandas.read_parquet(run.path / f"{t}.parquet") for t in ("deliveries", "requests"))
    decoded = deliveries[deliveries.arm == "mixed"]
    late = decoded.merge(requests[requests.arm == "mixed"], on="request_id").query("created_s > 60")
    assert len(late) > 5 and set(late.mixed_with) == {"v1"} and set(late.codec_x) == {"v2"}
    assert late.model_byte.sum() == 0
    assert deliveries[deliveries.arm != "mixed"].mixed_with.isna().all()
    assert decoded[decoded.codec == "v1"].mixed_with.isna().all()
    arms = summarise(run.path)["arms"]
    rates = {arm: arms[arm]["all"]["mixed_versions"] for arm in arms}
    assert {arm: (rate["hits"], rate["n"]) for arm, rate in rates.items()} == {
        arm: (len(late) if arm == "mixed" else 0, len(deliveries[deliveries.arm == arm])) for arm in arms
    }


@pytest.mark.usefixtures("in_zoo")
def test_what_a_mix_promises_was_measured_with_both(run: FinishedRun) -> None:
    plane = build(load_scenario(run.path / "scenario.yaml")).plane
    source, first, second = plane.sources["digits"], codec(1), codec(2)
    with torch.no_grad():
        original = source.task.infer(source.calibration).argmax(dim=1) == source.calibration_labels
        codes = second.encode_for(source.calibration, first.decoder_slices)
        recovered = source.task.infer(second.decode(codes, first.decoder_slices)).argmax(dim=1)
    expected = float((recovered == source.calibration_labels).sum() / original.sum())
    mixed = plane.codecs["v2"].mixed_card("digits", plane.codecs["v1"])
    assert mixed is not None and mixed.ss == pytest.approx(expected) and expected > 0.9
    requests = pandas.read_parquet(run.path / "requests.parquet")
    late = requests[(requests.arm == "mixed") & (requests.created_s > 60) & (requests.outcome == "satisfied")]
    assert len(late) and set(late.predicted_ss) == {mixed.ss}
    # coded with its own table, version 1 would read other symbols
    with torch.no_grad():
        wrong = second.decode(second.encode(source.calibration[:8]), first.decoder_slices)
        right = second.decode(codes[:8], first.decoder_slices)
    assert not torch.allclose(wrong, right, atol=0.1)


@pytest.mark.usefixtures("in_zoo")
@pytest.mark.parametrize("changes", [{"precision": "int8"}, {"precision": "int4"}, {"precision": "float16"},
                                     {"precision": "int8", "sparsity": 0.3}])  # fmt: skip
def test_a_delta_is_smaller_at_every_precision(changes: dict[str, object]) -> None:
    (old,), (new,) = codec(1, **changes).decoder_slices, codec(2, **changes).decoder_slices
    assert len(encode_message(SliceDelta(0, make_delta(old, new)))) < 0.8 * new.n_byte
