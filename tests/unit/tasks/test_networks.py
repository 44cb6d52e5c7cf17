"""The networks: sizes of the literature, normalisation inside the graph, FLOPs by hand, weights files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.zoo import model_dir
from simnet.tasks.flops import flop_per_image
from simnet.tasks.networks import NETWORKS, SEGMENTERS, build_network, build_segmenter, load_network
from simnet.tasks.networks.base import Classifier


def images(network: Classifier, n: int = 3) -> torch.Tensor:
    return torch.rand(n, *network.image_shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_logits_are_the_head_of_the_features(name: str) -> None:
    network = build_network(name).eval()
    x = images(network)
    features = network.features(x)
    assert features.shape == (3, network.head.in_features)
    assert features.min() >= 0, "after the last non-linearity"
    assert torch.equal(network(x), network.head(features))
    assert network(x).shape == (3, network.n_classes)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_normalisation_is_inside(name: str) -> None:
    network = build_network(name).eval()
    x = images(network)
    normalised = (x - network.mean) / network.deviation
    assert torch.equal(network.features(x), network.body(normalised))
    assert "mean" in network.state_dict()


def test_resnet20_has_the_papers_size() -> None:
    """He et al.: 0.27 M parameters; 19 convolutions, one linear layer."""
    network = build_network("resnet20")
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 19
    weights = 9 * (3 * 16 + 6 * 16 * 16 + 16 * 32 + 5 * 32 * 32 + 32 * 64 + 5 * 64 * 64)
    norms = 2 * (7 * 16 + 6 * 32 + 6 * 64)
    assert sum(p.numel() for p in network.parameters()) == weights + norms + 64 * 10 + 10 == 269_722


def test_the_source_identifier_is_tiny() -> None:
    network = build_network("source_cnn")
    assert sum(p.numel() for p in network.parameters()) < 30_000
    assert flop_per_image(network, (3, 32, 32)) < 2_000_000


def test_small_cnn_is_within_its_budget() -> None:
    assert 10e6 < flop_per_image(build_network("small_cnn"), (3, 32, 32)) < 20e6


def save(path: Path, network: Classifier, header: dict[str, str]) -> None:
    save_file(network.state_dict(), path, metadata=header)


def test_a_weights_file_describes_its_network(tmp_path: Path) -> None:
    network = build_network("lenet", {"width": 4}).eval()
    path = tmp_path / "weights.safetensors"
    save(path, network, {"network": "lenet", "options": json.dumps({"width": 4})})
    loaded = load_network(path)
    assert torch.equal(loaded(images(network)), network(images(network)))
    assert not loaded.training
    assert not any(p.requires_grad for p in loaded.parameters())


def test_bad_weights_files(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    with pytest.raises(SimnetError, match="not the weights of a classifier"):
        load_network(path)
    for header in ({}, {"network": "lenet", "options": "{"}, {"network": "resnet20", "options": "{}"}):
        save(path, build_network("lenet"), header)
        with pytest.raises(SimnetError, match="not the weights of a classifier"):
            load_network(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(SimnetError, match="not the weights of a classifier"):
        load_network(path)


def test_unknown_network_and_option() -> None:
    with pytest.raises(SimnetError, match="not the weights of a classifier, but of another kind of model"):
        load_network(model_dir("aesc/digits_z40") / "weights.safetensors")
    with pytest.raises(UnknownName, match="did you mean 'resnet20'"):
        build_network("resnet")
    with pytest.raises(SimnetError, match=r"network lenet: .*depth"):
        build_network("lenet", {"depth": 3})
    with pytest.raises(
        SimnetError, match=r"lenet: options: got 'witdh'; allowed: width, n_features, n_classes; did you"
    ):
        build_network("lenet", {"witdh": 3})
    with pytest.raises(SimnetError, match=r"lenet: options: got \[1\]; allowed: a number for width, n_features"):
        build_network("lenet", [1])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [*NETWORKS, *SEGMENTERS])
@pytest.mark.parametrize("value", [0, -2, 1.5, "4", True, None])
def test_options_are_numbers_of_things(name: str, value: object) -> None:
    build = build_network if name in NETWORKS else build_segmenter
    for option in ("width", "n_classes"):
        with pytest.raises(
            SimnetError, match=rf"network {name}: options\.{option}: got {value!r}; allowed a.* number from"
        ):
            build(name, {option: value})


@pytest.mark.parametrize("name", [*NETWORKS, *SEGMENTERS])
def test_networks_of_the_least_options_run(name: str) -> None:
    options = {"width": 2 if name == "shufflenet" else 1, "n_classes": 1}
    build, shape = (build_network, (1, 28, 28)) if name == "lenet" else (build_network, (3, 32, 32))
    if name in SEGMENTERS:
        build = build_segmenter  # type: ignore[assignment]
    assert build(name, options).eval()(torch.rand(2, *shape)).shape[:2] == (2, 1)


def test_half_of_shufflenets_channels_pass_by() -> None:
    with pytest.raises(SimnetError, match=r"shufflenet: options\.width: got 3; allowed an even number from 2"):
        build_network("shufflenet", {"width": 3})
