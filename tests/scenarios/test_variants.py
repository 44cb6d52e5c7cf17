"""Variants of one model, named as codecs: own hash, own bytes on the wire, measured SS; the planner chooses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from simnet.build import FinishedRun, build, run_scenario
from simnet.scenario.load import load_scenario
from simnet.signal.plane import SignalPlane
from simnet.wire.messages import SliceData, encode_message
from simnet.wire.slices import read_slice

VARIANTS = """
name: variants
duration_s: 30
topology:
  kind: explicit
  nodes: [{name: camera, tier: gateway}, {name: reader, tier: device}]
  links: [{a: reader, b: camera, medium: wired, link_class: cable}]
wires: {cable: {rate_bit_per_s: 1.0e+6}}
tiers: {device: {store_byte: 100000}}
sources: {digits: {dataset: mnist, items: 20, owners: gateway, judge: classifier/digits_judge}}
codecs:
  fine: {kind: aesc, model: digits_z40, precision: int8}
  coarse: {kind: aesc, model: digits_z40, precision: int4}
  broken: {kind: aesc, model: digits_z40, precision: int2, sparsity: 0.5}
traffic: {kind: poisson, rate_per_s: 1}
protocol: {codecs: {digits: [fine, coarse, broken]}}
arms:
  high: {wish_ss: 0.98}
  middle: {wish_ss: 0.9}
  low: {wish_ss: 0.05}
"""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> SignalPlane:
    return build(load_scenario(_file(tmp_path_factory.mktemp("variants")))).plane


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    folder = tmp_path_factory.mktemp("variants")
    return run_scenario(load_scenario(_file(folder)), out=folder, quiet=True)


def _file(folder: Path) -> Path:
    path = folder / "variants.yaml"
    path.write_text(VARIANTS, encoding="utf-8")
    return path


def test_each_variant_is_a_slice_of_its_own(plane: SignalPlane) -> None:
    slices = {name: codec.decoder_slices[0] for name, codec in plane.codecs.items()}
    assert len({slice_.id for slice_ in slices.values()}) == 3
    assert {slice_.name for slice_ in slices.values()} == {"aesc/digits_z40/decoder"}
    assert slices["fine"].n_byte > slices["coarse"].n_byte > slices["broken"].n_byte
    for name in slices["broken"].weight_names:
        kept = slices["broken"].tensors[name]
        assert np.count_nonzero(kept) <= kept.size - int(0.5 * kept.size)


def test_a_variants_card_is_measured_with_its_own_decoder(plane: SignalPlane) -> None:
    source = plane.sources["digits"]
    truth = source.calibration_labels
    with torch.no_grad():
        original = source.task.infer(source.calibration).argmax(dim=1) == truth
    for profile in plane.codecs.values():
        codec, received = profile.codec, [read_slice(s.payload) for s in profile.decoder_slices]
        with torch.no_grad():
            recovered = source.task.infer(codec.decode(codec.encode(source.calibration), received)).argmax(dim=1)
        assert profile.card("digits").ss == pytest.approx(float((recovered == truth).sum() / original.sum()))
    ss = {name: profile.card("digits").ss for name, profile in plane.codecs.items()}
    assert ss["fine"] > 0.98 > ss["coarse"] > 0.9 > 0.5 > ss["broken"] > 0.05


def test_the_cheapest_variant_that_promises_the_wish_is_chosen_and_its_bytes_travel(run: FinishedRun) -> None:
    pandas = pytest.importorskip("pandas")
    requests, transfers, stores = (
        pandas.read_parquet(run.path / f"{table}.parquet") for table in ("requests", "transfers", "stores")
    )
    chosen = requests.groupby("arm").codec.agg(set)
    assert chosen.to_dict() == {"high": {"fine"}, "middle": {"coarse"}, "low": {"broken"}}
    facts = run.manifest["codecs"]
    for arm, codec in (("high", "fine"), ("middle", "coarse"), ("low", "broken")):
        (decoder,) = facts[codec]["decoder"].values()
        inserted = stores[(stores.arm == arm) & (stores.event == "insert")]
        assert set(zip(inserted.slice_id, inserted.slice_byte, strict=True)) == {(decoder["id"], decoder["n_byte"])}
        sent = transfers[(transfers.arm == arm) & (transfers.payload_class == "model")]
        assert len(sent) == 1
        frame = encode_message(SliceData(0, decoder["id"], bytes(decoder["n_byte"])))
        assert sent.payload_byte.tolist() == sent.delivered_byte.tolist() == [len(frame)]
        assert requests[requests.arm == arm].model_byte.sum() == len(frame)
