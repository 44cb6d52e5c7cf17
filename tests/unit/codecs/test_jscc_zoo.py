"""The trained models: quality declines where a digital chain falls off its cliff (paper 003, section VI-C)."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from simnet.codecs.networks.jscc import load_jscc
from simnet.core.mcs import mcs_by_name
from simnet.core.zoo import model_dir
from simnet.data.cifar10 import Cifar10
from simnet.signal.digital.transport import delivery
from simnet.tasks.networks import load_network
from simnet.training.jscc_evaluation import psnr_of, transmitted, truth

ESNO_DB = range(-6, 21, 2)


@pytest.mark.parametrize(("model", "head"), [("deepjscc_awgn", 4), ("semcc_awgn", 2)])
def test_learned_links_have_no_cliff(model: str, head: int) -> None:
    """Over 2 dB neither PSNR nor SS loses much; the digital chain of paper 003 loses all in little more than one."""
    networks = load_jscc(model_dir(f"jscc/{model}") / "weights.safetensors")
    judge = load_network(model_dir("classifier/cifar10_judge") / "weights.safetensors")
    data = Cifar10().load("sample").first(120)
    labels = torch.tensor(data.labels)
    before = truth(judge, torch.tensor(data.images) / 255, labels)[1].sum()
    made = [transmitted(networks, data.images, head, float(db), 1) for db in ESNO_DB]
    psnr_db = [float(psnr_of(data.images, x).mean()) for x in made]
    ss = [float(truth(judge, x, labels)[1].sum() / before) for x in made]
    # An error that noise makes shrinks by no more than Es/N0 grows, 2 dB a step; the lower bounds leave room for the
    # chance of 120 draws.
    assert all(-0.1 < after - now < 2.0 for now, after in pairwise(psnr_db))
    assert all(-0.05 < after - now < 0.25 for now, after in pairwise(ss))
    arrives = [delivery(141, mcs_by_name("QPSK 3/4"), "2304", "awgn", 10 ** (db / 10)) for db in (3.4, 4.6)]
    assert arrives[0] < 0.05 and arrives[1] > 0.95
