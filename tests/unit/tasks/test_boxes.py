"""Boxes of regions, overlaps, and average precision against COCO's own evaluation."""

from __future__ import annotations

import numpy as np
import pytest

from simnet.tasks.boxes import Boxes, Matched, average_precision, boxes_of_regions, mean_average_precision, overlaps

N_CLASSES = 3


def test_regions_of_a_class_get_a_box_each() -> None:
    labels = np.zeros((40, 50), np.int64)
    labels[2:10, 3:9] = 7
    labels[10, 9] = 7  # touches at a corner
    labels[20:26, 30:45] = 7
    labels[30:38, 10:20] = 8
    labels[0, 49] = 8  # too small
    assert boxes_of_regions(labels, [8, 7]).tolist() == [
        [10, 30, 20, 38, 0, 1],
        [3, 2, 10, 11, 1, 1],
        [30, 20, 45, 26, 1, 1],
    ]
    assert boxes_of_regions(labels, [5]).shape == (0, 6)


def test_overlaps_by_counting_pixels() -> None:
    rng = np.random.default_rng(0)
    boxes = random_boxes(rng, 12)
    a, b = boxes[:6], boxes[6:]
    grids = []
    for left, top, right, bottom, *_ in boxes.astype(int):
        grid = np.zeros((64, 64), bool)
        grid[top:bottom, left:right] = True
        grids.append(grid)
    for i in range(6):
        for j in range(6):
            both, one = (grids[i] & grids[6 + j]).sum(), (grids[i] | grids[6 + j]).sum()
            assert overlaps(a, b)[i, j] == pytest.approx(both / one)


def random_boxes(rng: np.random.Generator, n: int) -> Boxes:
    corner, side = rng.integers(0, 40, (n, 2)), rng.integers(4, 20, (n, 2))
    label, score = rng.integers(0, N_CLASSES, (n, 1)), rng.random((n, 1))
    return np.concatenate((corner, corner + side, label, score), axis=1).astype(np.float64)


def scenes(seed: int) -> tuple[list[Boxes], list[Boxes]]:
    """Found and true boxes of pictures: true ones shifted a little, and others out of the air."""
    rng, found, truth = np.random.default_rng(seed), [], []
    for _ in range(12):
        real = random_boxes(rng, int(rng.integers(0, 6)))
        shifted = real.copy()
        shifted[:, :4] += rng.integers(-3, 4, (len(real), 1))
        shifted[:, 5] = rng.random(len(real))
        found.append(np.concatenate((shifted[rng.random(len(real)) < 0.8], random_boxes(rng, int(rng.integers(0, 4))))))
        truth.append(real)
    return found, truth


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_is_coco_s(seed: int) -> None:
    theirs = coco_average_precisions(*(found_truth := scenes(seed)))
    ours = [average_precision(*found_truth, label) for label in range(N_CLASSES)]
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert mean_average_precision(*found_truth, N_CLASSES) == pytest.approx(np.mean(theirs), abs=1e-9)


def test_pictures_that_count_several_times_or_not_at_all_are_coco_s_too() -> None:
    """A bootstrap sample by counts is the mAP of a set in which pictures lie so often."""
    found, truth = scenes(5)
    matched, rng = Matched.of(found, truth, N_CLASSES), np.random.default_rng(6)
    for _ in range(5):
        drawn = rng.integers(0, len(truth), len(truth))
        counts = np.bincount(drawn, minlength=len(truth))
        theirs = coco_average_precisions([found[i] for i in drawn], [truth[i] for i in drawn])
        assert matched.mean_average_precision(counts) == pytest.approx(np.mean(theirs), abs=1e-9)
    assert np.isnan(matched.mean_average_precision(np.zeros(len(truth), np.int64)))
    assert matched.mean_average_precision() == mean_average_precision(found, truth, N_CLASSES)


def coco_average_precisions(found: list[Boxes], truth: list[Boxes]) -> list[float]:
    """AP at 0.5 of each class, by pycocotools."""
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    real = coco.COCO()
    real.dataset = {
        "images": [{"id": i} for i in range(len(truth))],
        "categories": [{"id": label} for label in range(N_CLASSES)],
        "annotations": [
            {
                "id": 1 + 100 * i + k,
                "image_id": i,
                "category_id": int(b[4]),
                "bbox": as_coco(b),
                "area": 1.0,
                "iscrowd": 0,
            }
            for i, own in enumerate(truth)
            for k, b in enumerate(own)
        ],
    }
    real.createIndex()
    results = [
        {"image_id": i, "category_id": int(b[4]), "bbox": as_coco(b), "score": float(b[5])}
        for i, own in enumerate(found)
        for b in own
    ]
    evaluator = evaluation.COCOeval(real, real.loadRes(results), "bbox")
    evaluator.params.iouThrs = np.array([0.5])
    evaluator.evaluate()
    evaluator.accumulate()
    return [float(x) for x in evaluator.eval["precision"][0, :, :, 0, -1].mean(0)]


def as_coco(box: np.ndarray) -> list[float]:
    """Left, top, width, height."""
    left, top, right, bottom = box[:4]
    return [float(left), float(top), float(right - left), float(bottom - top)]


def test_nothing_true_is_no_number_and_nothing_found_is_zero() -> None:
    some, none = random_boxes(np.random.default_rng(1), 3), np.zeros((0, 6))
    assert np.isnan(mean_average_precision([some], [none], N_CLASSES))
    assert mean_average_precision([none], [some], N_CLASSES) == 0.0
    assert mean_average_precision([some], [some], N_CLASSES) == pytest.approx(1.0)
