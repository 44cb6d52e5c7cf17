"""The classifier networks by name, and how one is built from its weights file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from simnet.core.errors import SimnetError, UnknownName
from simnet.tasks.networks.base import Classifier
from simnet.tasks.networks.lenet import LeNet
from simnet.tasks.networks.resnet20 import ResNet20
from simnet.tasks.networks.small_cnn import SmallCnn
from simnet.tasks.networks.source_cnn import SourceCnn

NETWORKS: dict[str, type[Classifier]] = {c.name: c for c in (LeNet, ResNet20, SmallCnn, SourceCnn)}


def build_network(name: str, options: dict[str, Any] | None = None) -> Classifier:
    """A network with fresh weights.

    Raises:
        UnknownName: no network of that name.
        SimnetError: the network doesn't know one of the options.
    """
    if name not in NETWORKS:
        raise UnknownName("network", name, NETWORKS)
    try:
        return NETWORKS[name](**(options or {}))
    except TypeError as error:
        raise SimnetError(f"network {name}: {error}") from error


def load_network(weights: Path) -> Classifier:
    """The network that a weights file describes, with its weights, frozen and in evaluation mode.

    Args:
        weights: a ``.safetensors`` file whose header names ``network`` and ``options`` (JSON).

    Raises:
        SimnetError: the file is missing, damaged, or doesn't fit the network that it names.
    """
    try:
        with safe_open(weights, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
        with torch.device("meta"):  # no initial weights are drawn only to be overwritten
            network = build_network(header["network"], json.loads(header["options"]))
        network.load_state_dict(tensors, assign=True)
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise SimnetError(
            f"{weights}: not the weights of a classifier ({error}); train it anew with 'simnet train'"
        ) from error
    return network.eval().requires_grad_(False)
