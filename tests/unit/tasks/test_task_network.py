"""The network of a task, of whichever kind its file says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from simnet.core.errors import SimnetError
from simnet.core.zoo import model_dir
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.detector import Detector, load_detector
from simnet.tasks.networks.segmenter import Segmenter
from simnet.tasks.networks.task_network import load_task_network


def test_files_say_what_they_hold() -> None:
    image = torch.rand(1, 3, 96, 128)
    for name, kind, load in (
        ("segmenter/street_parser", Segmenter, load_segmenter),
        ("detector/street_small", Detector, load_detector),
    ):
        weights = model_dir(name) / "weights.safetensors"
        network = load_task_network(weights)
        assert isinstance(network, kind) and not network.training
        for own, theirs in zip(network.features(image), load(weights).features(image), strict=True):
            assert torch.equal(own, theirs)


def test_other_files_are_refused(tmp_path: Path) -> None:
    for weights in (tmp_path / "none", model_dir("sesc/street") / "weights.safetensors"):
        with pytest.raises(SimnetError, match="not the weights of a segmentation network or a detector"):
            load_task_network(weights)
