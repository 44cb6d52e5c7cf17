"""A layered code in the network: what fell short is completed by the layer and the slice that are missing, no more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from simnet.build import run_scenario
from simnet.codecs.lsci import Lsci
from simnet.scenario.load import load_scenario
from simnet.wire.messages import Code, encode_message

SCENARIO = """
name: layers
duration_s: 60
drain_s: 30
topology:
  kind: explicit
  nodes: [{name: camera, tier: gateway}, {name: car, tier: device}]
  links: [{a: car, b: camera, medium: wireless, link_class: radio, carrier: camera, path_loss_db: 80}]
tiers: {device: {store_byte: 1000000}}
radios: {radio: {bandwidth_hz: 1.0e+6, fading: none, mcs: QPSK 1/2, fidelity: ideal}}
sources:
  street:
    dataset: camvid_small
    items: 88
    owners: gateway
    judge: segmenter/street_judge
    wish: {task: segmentation, ss: 0.42}
codecs:
  base: {kind: lsci, stages: 0}
  enhanced: {kind: lsci, stages: 0, enhancement: {pooling: 2, bpp: 0.4, super_resolution: lsci_sr/street_2}}
traffic: {kind: poisson, rate_per_s: 0.4}
protocol:
  codecs: {street: [base, enhanced]}
  propagation: with_code
  ss_feedback: oracle
"""


def test_only_the_missing_layer_and_slice_follow(tmp_path: Path) -> None:
    file = tmp_path / "layers.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    run = run_scenario(load_scenario(file), out=tmp_path, quiet=True)  # ends with an error if accounts don't close
    requests = pd.read_parquet(run.path / "requests.parquet").set_index("request_id")
    deliveries = pd.read_parquet(run.path / "deliveries.parquet")
    transfers = pd.read_parquet(run.path / "transfers.parquet")

    once, twice = (requests[requests["attempts"] == n] for n in (1, 2))
    assert len(once) > 3 and len(twice) > 3
    assert (once["enhancement_byte"] == 0).all()
    assert (once["ss"] >= 0.42).all()

    codec = Lsci(Lsci.Params.model_validate({"stages": 0, "enhancement": {"pooling": 2, "bpp": 0.4}}))
    for request_id, row in twice.iterrows():
        first, second = deliveries[deliveries["request_id"] == request_id].itertuples()
        assert first.ss < 0.42 and (first.codec, second.codec) == ("base", "enhanced")
        assert first.code_byte == 14
        # as hard to compress as a layer is; the message's other fields differ in length by its index alone
        layer = np.random.default_rng(0).bytes(second.code_byte - 14)
        framed = len(encode_message(Code(0, "enhanced", layer)))
        assert framed <= row["enhancement_byte"] <= framed + 8
    assert codec.split(bytes(14) + b"more") == [bytes(14), b"more"]

    slices = transfers[(transfers["payload_class"] == "model") & (transfers["receiver"] == "car")]
    assert slices["payload"].is_unique  # each slice travelled once
    assert sum("lsci_sr/street_2" in payload for payload in slices["payload"]) == 1
