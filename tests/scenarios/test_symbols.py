"""Symbols in the network are the training's: deliveries have the PSNR that the training's own channel gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from simnet.build import build, run_scenario
from simnet.codecs.networks.channel_slices import load_channel_slices, through_channel
from simnet.codecs.networks.jscc import load_jscc
from simnet.codecs.networks.lsci import load_base, pad_to_stride
from simnet.core.units import db_to_linear
from simnet.core.zoo import model_dir
from simnet.scenario.load import load_scenario
from simnet.training.jscc_evaluation import transmitted

ESNO_DB = 3.0
SCENARIO = f"""
name: symbols
duration_s: 400
drain_s: 20
topology:
  kind: explicit
  nodes: [{{name: camera, tier: gateway}}, {{name: car, tier: device}}]
  links: [{{a: car, b: camera, medium: wireless, link_class: radio, carrier: camera, path_loss_db: 80}}]
tiers: {{device: {{store_byte: 1000000}}}}
radios: {{radio: {{fading: none, fidelity: ideal, mcs: QPSK 1/2, mean_esno_db: {ESNO_DB}}}}}
traffic: {{kind: poisson, rate_per_s: 0.4, popularity: {{zipf_exponent: 0}}}}
protocol: {{codecs: {{shown: [symbols]}}, propagation: with_code, planner: {{cost: airtime}}}}
"""
STREETS = """
sources:
  shown:
    dataset: camvid_small
    items: 88
    owners: gateway
    judge: segmenter/street_judge
    wish: {task: segmentation, ss: 0, deadline_s: 60}
codecs: {symbols: {kind: lsci_channel, channel: channel/street_awgn_low, stages: 0, precision: float16}}
"""
IMAGES = """
sources:
  shown: {dataset: cifar10, items: 88, owners: gateway, judge: classifier/cifar10_judge, wish: {ss: 0, deadline_s: 60}}
codecs: {symbols: {kind: jscc, model: deepjscc_awgn, head: 2, precision: float16}}
"""
Offline = Callable[[torch.Tensor, int], np.ndarray]


@torch.no_grad()
def channel_slices(images: torch.Tensor, n_draw: int) -> np.ndarray:
    """PSNR in dB [N, n_draw]: by the modules of the training, and its draws."""
    base, _ = load_base(model_dir("lsci/street") / "weights.safetensors")
    slices = load_channel_slices(model_dir("channel/street_awgn_low") / "weights.safetensors")
    channel, generator = slices.shape.channel(), torch.Generator().manual_seed(5)
    quantised = base.quantiser(base.encoder(pad_to_stride(images)))
    esno = torch.full((len(images),), db_to_linear(ESNO_DB))
    columns = []
    for _ in range(n_draw):
        made = base.generator(through_channel(slices, channel, quantised, esno, esno, generator), 0)
        made = made[..., : images.shape[2], : images.shape[3]].clamp(0, 1)
        columns.append(-10 * (made - images).square().flatten(1).mean(1).log10())
    return torch.stack(columns, 1).numpy()


def deepjscc(images: torch.Tensor, n_draw: int) -> np.ndarray:
    """The same, by the evaluation that made the model's card."""
    networks = load_jscc(model_dir("jscc/deepjscc_awgn") / "weights.safetensors")
    pixels = (images * 255).round().byte().numpy()
    made = [transmitted(networks, pixels, 2, ESNO_DB, seed) for seed in range(n_draw)]
    return torch.stack([-10 * (x - images).square().flatten(1).mean(1).log10() for x in made], 1).numpy()


@pytest.mark.parametrize(("parts", "offline_psnr_db"), [(STREETS, channel_slices), (IMAGES, deepjscc)])
def test_a_delivery_has_the_mean_psnr_of_the_offline_evaluation(
    tmp_path: Path, parts: str, offline_psnr_db: Offline
) -> None:
    file = tmp_path / "symbols.yaml"
    file.write_text(SCENARIO + parts, encoding="utf-8")
    scenario = load_scenario(file)
    run = run_scenario(scenario, out=tmp_path, quiet=True)
    deliveries = pd.read_parquet(run.path / "deliveries.parquet")
    assert len(deliveries) > 100
    entries = json.loads((run.path / "samples" / "index.json").read_text(encoding="utf-8"))
    assert entries and all(entry["spared_noise"] for entry in entries)
    offline = offline_psnr_db(build(scenario).plane.sources["shown"].items, 6)
    expected, spread = offline.mean(1), offline.std(1, ddof=1)
    which = deliveries["item_id"].to_numpy()
    difference = deliveries["psnr_db"].to_numpy() - expected[which]
    error = np.sqrt((spread[which] ** 2 * (1 + 1 / 6)).sum()) / len(which)
    assert abs(difference.mean()) < 4 * error
    assert 4 * error < 0.3  # a test that could fail: half the noise power would be worth more
