"""Detection: what the maps say becomes boxes, what is true becomes maps, and ST is mAP."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from simnet.data.street_classes import STREET_CLASSES
from simnet.tasks.boxes import overlaps
from simnet.tasks.detection import Detection, boxes_of
from simnet.tasks.networks.detector import DETECTED, MOST, Detector
from simnet.training.detector import focal_loss, heat_maps, middles

SIZE = (48, 64)
LABELS = [STREET_CLASSES.index(name) for name in DETECTED]
TRUE = np.array(
    [[4, 6, 21, 19, 0, 1], [40, 10, 47, 33, 1, 1], [30, 30, 60, 46, 0, 1], [0, 40, 6, 48, 3, 1]], np.float64
)


class Told(Detector):
    """Says what the training wants to hear."""

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        heat = heat_maps([TRUE] * len(images), (24, 32))
        picture, place, wanted = middles([TRUE] * len(images), (24, 32))
        geometry = torch.zeros(len(images), 4, 24 * 32)
        geometry[picture, :, place] = wanted
        return torch.logit(heat.clamp(1e-4, 1 - 1e-4)), geometry.view(-1, 4, 24, 32)


@pytest.fixture
def told() -> Detection:
    return Detection(Told(width=4).eval(), (3, *SIZE), LABELS)


def truth() -> torch.Tensor:
    """The label map of the true boxes."""
    labels = np.zeros(SIZE, np.int64)
    for left, top, right, bottom, label, _ in TRUE.astype(int):
        labels[top:bottom, left:right] = STREET_CLASSES.index(DETECTED[label])
    return torch.from_numpy(labels)[None]


def test_the_training_s_maps_decode_to_the_boxes_that_they_were_made_of(told: Detection) -> None:
    (found,) = boxes_of(told.infer(torch.zeros(1, 3, *SIZE)))
    sure = found[found[:, 5] > 0.9]
    assert len(sure) == len(TRUE)
    assert (overlaps(sure, TRUE) * (sure[:, None, 4] == TRUE[None, :, 4])).max(1) == pytest.approx(np.ones(4), abs=1e-3)


def test_st_of_all_found_is_1_and_of_nothing_0(told: Detection) -> None:
    inferred = told.infer(torch.zeros(1, 3, *SIZE))
    assert told.st(inferred, truth()).tolist() == pytest.approx([1.0])
    assert told.st(torch.zeros_like(inferred), truth()).tolist() == [0.0]
    assert told.st(inferred, torch.zeros_like(truth())).isnan().all()
    assert told.agreement(inferred, inferred).tolist() == pytest.approx([1.0])
    assert told.agreement(inferred, torch.zeros_like(inferred)).tolist() == [1.0]
    assert told.confidence(inferred).item() > 0.99


def test_only_wished_classes_count(told: Detection) -> None:
    inferred = told.infer(torch.zeros(1, 3, *SIZE))
    without_cars = inferred * (inferred[:, :, 4:5] != 0)
    signs = Detection(told.network, (3, *SIZE), LABELS, ["sign"])
    assert signs.st(without_cars, truth()).tolist() == pytest.approx([1.0])
    assert told.st(without_cars, truth()).tolist() == pytest.approx([2 / 3])


def test_focal_loss_by_hand() -> None:
    logits = torch.randn(2, 4, 5, 6)
    heat = torch.rand(2, 4, 5, 6) * 0.9
    heat[0, 1, 2, 3] = heat[1, 0, 0, 0] = 1.0
    total = 0.0
    for p, y in zip(logits.sigmoid().flatten().tolist(), heat.flatten().tolist(), strict=True):
        total -= (1 - p) ** 2 * np.log(p) if y == 1 else (1 - y) ** 4 * p**2 * np.log(1 - p)
    assert focal_loss(logits, heat).item() == pytest.approx(total / 2, rel=1e-4)
    assert focal_loss(logits, heat * 0.5).isfinite(), "pictures without objects"


def test_detections_are_a_fixed_number_of_rows_inside_the_picture() -> None:
    torch.manual_seed(0)
    rows = Detector(width=4).eval().detect(torch.rand(2, 3, 32, 40))
    assert rows.shape == (2, MOST, 6)
    assert bool((rows[..., 5].diff(dim=1) <= 0).all())
    assert bool((rows[..., :4] >= 0).all()) and rows[..., [0, 2]].max() <= 40 and rows[..., [1, 3]].max() <= 32
