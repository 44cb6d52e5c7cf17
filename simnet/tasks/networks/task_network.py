"""The network of whichever task on street scenes, for those who read its intermediate features."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from simnet.tasks.networks import build_segmenter
from simnet.tasks.networks.detector import Detector
from simnet.tasks.networks.segmenter import Segmenter
from simnet.tasks.networks.weights import load_weights

TaskNetwork = Segmenter | Detector


def load_task_network(weights: Path) -> TaskNetwork:
    """The segmentation network or detector of a ``weights.safetensors``, frozen and in evaluation mode.

    Raises:
        SimnetError: missing, damaged, or neither of them.
    """

    def build(header: Mapping[str, str]) -> TaskNetwork:
        if "network" in header:
            return build_segmenter(header["network"], json.loads(header["options"]))
        return Detector(width=int(header["width"]))

    network, _ = load_weights(weights, build, "a segmentation network or a detector")
    return network
