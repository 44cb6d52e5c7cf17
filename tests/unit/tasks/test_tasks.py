"""The task plug-ins: probabilities, ST, recognition; and the shipped networks on the shipped samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from simnet.core.plugins import KINDS
from simnet.tasks.classification import Classification
from simnet.tasks.networks import build_network
from simnet.tasks.segmentation import Segmentation
from simnet.tasks.similarity import recognition_rate
from simnet.tasks.source_identification import SOURCES, SourceIdentification, to_source_input

MODELS = Path(__file__).parents[3] / "models"
SETS = {"digits": "mnist", "clothes": "fashion_mnist", "cifar10": "cifar10"}


def sample(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    images = KINDS["data"].load(name)().load("sample")
    return torch.tensor(images.images) / 255, torch.tensor(images.labels)


def test_plugins_are_discovered() -> None:
    assert {"classification", "source_identification"} <= set(KINDS["tasks"].names())


def test_st_is_the_probability_of_the_true_class() -> None:
    task = Classification(build_network("lenet").eval().requires_grad_(False))
    x, truth = torch.rand(4, 1, 28, 28), torch.tensor([0, 3, 9, 9])
    inferred = task.infer(x)
    assert inferred.shape == (4, 10)
    assert torch.allclose(inferred.sum(dim=1), torch.ones(4), atol=1e-6)
    assert task.st(inferred, truth).tolist() == [float(inferred[i, k]) for i, k in enumerate(truth.tolist())]
    assert task.recognised(inferred, inferred.argmax(dim=1)).all()
    assert not task.recognised(inferred, inferred.argmin(dim=1)).any()
    assert task.image_shape == (1, 28, 28)


def test_source_input_pads_and_repeats() -> None:
    grey = torch.rand(2, 1, 28, 28)
    padded = to_source_input(grey)
    assert padded.shape == (2, 3, 32, 32)
    for channel in range(3):
        assert torch.equal(padded[:, channel, 2:30, 2:30], grey[:, 0])
    assert padded.sum() == pytest.approx(3 * float(grey.sum()), rel=1e-5), "black around"
    colour = torch.rand(2, 3, 32, 32)
    assert torch.equal(to_source_input(colour), colour)
    with pytest.raises(ValueError, match=r"got images \(2, 28, 28\); allowed 1\|3"):
        to_source_input(torch.rand(1, 2, 28, 28))


@pytest.mark.parametrize("role", ["judge", "features"])
@pytest.mark.parametrize(("source", "accuracy"), [("digits", 0.992), ("clothes", 0.89), ("cifar10", 0.80)])
def test_shipped_classifiers_on_the_samples(source: str, accuracy: float, role: str) -> None:
    """The promised accuracy (that of the full test set) less 4 standard errors at n = 1000."""
    if (source, role) == ("cifar10", "judge"):
        accuracy = 0.90
    task = Classification.from_zoo(f"classifier/{source}_{role}")
    x, truth = sample(SETS[source])
    with torch.no_grad():
        hits = torch.cat([task.recognised(task.infer(x[i : i + 250]), truth[i : i + 250]) for i in range(0, 1000, 250)])
    rate = recognition_rate(hits.numpy())
    assert rate.n == 1000
    assert rate.value > accuracy - 4 * np.sqrt(accuracy * (1 - accuracy) / 1000)


@pytest.mark.parametrize("source", sorted(SETS))
def test_the_judge_is_not_the_network_of_the_semantic_loss(source: str) -> None:
    judge, features = (Classification.from_zoo(f"classifier/{source}_{role}").network for role in ("judge", "features"))
    assert type(judge) is not type(features) or not torch.equal(judge.head.weight, features.head.weight)


def test_shipped_source_identifier_on_the_samples() -> None:
    task = SourceIdentification.from_zoo()
    x, labels = sample("cifar10")
    found = np.array(task.identify(x))
    is_vehicle = np.isin(labels.numpy(), [0, 1, 8, 9])
    assert (found == np.where(is_vehicle, "vehicles", "animals")).mean() > 0.85
    for source, name in (("digits", "mnist"), ("clothes", "fashion_mnist")):
        assert (np.array(task.identify(sample(name)[0])) == source).mean() > 0.95
    assert set(found) <= set(SOURCES)


def test_where_the_original_shows_nothing_of_what_is_wished_all_agrees() -> None:
    """Segmentation: the judge sees class 0 alone, wished are 2 and 3."""
    task = Segmentation.from_zoo("segmenter/street_judge", (3, 96, 128), [2, 3])
    seen = torch.zeros(2, 2, 96, 128, dtype=torch.uint8)
    assert task.agreement(seen, seen).tolist() == [1.0, 1.0]
