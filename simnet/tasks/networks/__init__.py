"""The networks by name, and how one is built from its weights file."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any, TypeVar

from simnet.core.errors import SimnetError, UnknownName, among
from simnet.tasks.networks.base import Classifier
from simnet.tasks.networks.fpn import Fpn
from simnet.tasks.networks.lenet import LeNet
from simnet.tasks.networks.repvgg import RepVgg
from simnet.tasks.networks.resnet20 import ResNet20
from simnet.tasks.networks.segmenter import Segmenter
from simnet.tasks.networks.shufflenet import ShuffleNet
from simnet.tasks.networks.small_cnn import SmallCnn
from simnet.tasks.networks.source_cnn import SourceCnn
from simnet.tasks.networks.unet import UNet
from simnet.tasks.networks.weights import load_weights

Network = TypeVar("Network", Classifier, Segmenter)
NETWORKS: dict[str, type[Classifier]] = {c.name: c for c in (LeNet, RepVgg, ResNet20, ShuffleNet, SmallCnn, SourceCnn)}
SEGMENTERS: dict[str, type[Segmenter]] = {c.name: c for c in (UNet, Fpn)}


def build_network(name: str, options: dict[str, Any] | None = None) -> Classifier:
    """A classifier with fresh weights.

    Raises:
        UnknownName: no network of that name.
        SimnetError: the network doesn't know one of the options, or not its value.
    """
    return _build(NETWORKS, name, options)


def build_segmenter(name: str, options: dict[str, Any] | None = None) -> Segmenter:
    """A segmentation network with fresh weights; raises as :func:`build_network` does."""
    return _build(SEGMENTERS, name, options)


def load_network(weights: Path) -> Classifier:
    """The network that a weights file describes, with its weights, frozen and in evaluation mode.

    Args:
        weights: a ``.safetensors`` file whose header names ``network`` and ``options`` (JSON).

    Raises:
        SimnetError: the file is missing, damaged, or doesn't fit the network that it names.
    """
    return _load(NETWORKS, weights, "a classifier")


def load_segmenter(weights: Path) -> Segmenter:
    """The segmentation network of a weights file; as :func:`load_network`."""
    return _load(SEGMENTERS, weights, "a segmentation network")


def _build(networks: dict[str, type[Network]], name: str, options: dict[str, Any] | None) -> Network:
    if name not in networks:
        raise UnknownName("network", name, networks)
    _check_options(networks[name], {} if options is None else options)
    return networks[name](**(options or {}))


def _check_options(network: type[Classifier] | type[Segmenter], options: object) -> None:
    """All options are numbers of things: channels, features, classes."""
    known = [parameter.name for parameter in inspect.signature(network).parameters.values()]
    if not isinstance(options, dict):
        raise SimnetError(f"network {network.name}: options: got {options!r}; allowed: a number for {', '.join(known)}")
    for option, value in options.items():
        if option not in known:
            raise SimnetError(f"network {network.name}: options: got {option!r}; {among(str(option), known)}")
        whole = isinstance(value, int) and not isinstance(value, bool)
        even = network is ShuffleNet and option == "width"  # half of the channels pass its blocks by
        if not whole or value < 1 or (even and value % 2):
            allowed = "an even number from 2" if even else "a whole number from 1"
            raise SimnetError(f"network {network.name}: options.{option}: got {value!r}; allowed {allowed}")


def _load(networks: dict[str, type[Network]], weights: Path, what: str) -> Network:
    network, _ = load_weights(
        weights, lambda header: _build(networks, header["network"], json.loads(header["options"])), what
    )
    return network
