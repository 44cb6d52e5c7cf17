"""Data sets with a label per pixel: CamVid's shipped pictures, Cityscapes' folders, drawn streets."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from simnet.core.errors import UnknownName
from simnet.core.plugins import KINDS
from simnet.data.base import DataError, Dataset
from simnet.data.cityscapes import Cityscapes
from simnet.data.street_classes import CLASS_GROUPS, STREET_CLASSES

SAMPLES = Path(__file__).parents[3] / "simnet/data/samples"
SHARED = Path(__file__).parents[4] / "shared/data"
N_SHIPPED = {"camvid": 40, "camvid_small": 120}


def data_set(name: str) -> Dataset:
    loaded: Dataset = KINDS["data"].load(name)()
    return loaded


def test_groups_part_the_labelled_classes() -> None:
    foreground, background = set(CLASS_GROUPS["foreground"]), set(CLASS_GROUPS["background"])
    assert not foreground & background
    assert foreground | background == set(CLASS_GROUPS["all"]) == set(STREET_CLASSES[:-1])


@pytest.mark.parametrize("name", N_SHIPPED)
def test_the_sample_is_the_test_set_at_its_indices(name: str) -> None:
    sample = data_set(name).load("sample")
    assert sample.images.shape == (N_SHIPPED[name], *data_set(name).image_shape)
    assert sample.labels.shape == (N_SHIPPED[name], *data_set(name).image_shape[1:])
    assert sample.labels.max() == 11 and (SAMPLES / name / "LICENCE.md").is_file()
    if not (SHARED / "camvid").is_dir():
        pytest.skip(f"the whole of CamVid is not in {SHARED}")
    test = data_set(name).load("test", SHARED)
    assert len(test) == 233
    assert np.array_equal(sample.images, test.images[sample.test_indices])
    assert np.array_equal(sample.labels, test.labels[sample.test_indices])


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Two shipped pictures, to be damaged."""
    shutil.copytree(SAMPLES / "camvid_small" / "test", tmp_path / "camvid" / "test")
    names = (SAMPLES / "camvid_small" / "test.txt").read_text().split()[:2]
    (tmp_path / "camvid" / "test.txt").write_text("\n".join(names))
    return tmp_path


def test_damaged_missing_and_foreign_files_are_named(broken: Path) -> None:
    name = (broken / "camvid" / "test.txt").read_text().split()[1]
    picture = broken / "camvid" / "test" / "images" / f"{name}.webp"
    labels = broken / "camvid" / "test" / "labels" / f"{name}.png"
    assert len(data_set("camvid_small").load("test", broken)) == 2
    whole = picture.read_bytes()
    picture.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=f"{name}.webp: not a readable picture"):
        data_set("camvid_small").load("test", broken)
    picture.unlink()
    with pytest.raises(DataError, match=f"none of these files is there: {name}.webp, {name}.jpg, {name}.png"):
        data_set("camvid_small").load("test", broken)
    picture.write_bytes(whole)
    Image.new("L", (64, 64)).save(labels)
    with pytest.raises(DataError, match=r"got \(64, 64\) pixels; its picture .* has \(128, 96\)"):
        data_set("camvid_small").load("test", broken)
    Image.new("L", (128, 96), 12).save(labels)
    with pytest.raises(DataError, match=r"labels 0..12; allowed 0..11|got labels \d+..12; allowed 0..11"):
        data_set("camvid_small").load("test", broken)
    (broken / "camvid" / "test.txt").write_text("../../secret")
    with pytest.raises(DataError, match="allowed names of files"):
        data_set("camvid_small").load("test", broken)


def test_cityscapes_is_read_by_its_folders(tmp_path: Path) -> None:
    ids = np.array([[7, 8, 11, 23], [26, 24, 33, 0]], np.uint8).repeat(128, 0).repeat(128, 1)
    for split, city in (("train", "aachen"), ("val", "ulm")):
        for kind, end, picture in (
            ("leftImg8bit", "leftImg8bit", Image.new("RGB", (512, 256), (10, 20, 30))),
            ("gtFine", "gtFine_labelIds", Image.fromarray(ids)),
        ):
            folder = tmp_path / "cityscapes" / kind / split / city
            folder.mkdir(parents=True)
            picture.save(folder / f"{city}_000000_000019_{end}.png")
    found = Cityscapes().load("test", tmp_path)
    assert found.images.shape == (1, 3, 256, 512) and found.images[0, :, 0, 0].tolist() == [10, 20, 30]
    names = [STREET_CLASSES[k] for k in found.labels[0, ::128, ::128].ravel()]
    assert names == ["road", "pavement", "building", "sky", "car", "pedestrian", "bicyclist", "unlabelled"]
    with pytest.raises(UnknownName, match="split of data set cityscapes: got 'sample'"):
        Cityscapes().load("sample")
    with pytest.raises(DataError, match="needs a licence of its own"):
        Cityscapes().load("train", tmp_path / "cityscapes" / "gtFine")


def test_streets_are_the_same_each_time_and_show_every_class() -> None:
    streets = data_set("streets")
    first, again, others = streets.load("sample"), streets.load("test"), streets.load("val")
    assert first.sha256 == again.sha256 != others.sha256
    assert first.images.shape == (96, 3, 96, 128) and first.labels.shape == (96, 96, 128)
    counts = np.bincount(first.labels.ravel(), minlength=12)
    assert (counts[:11] > 5000).all() and counts[11] == 0
    assert len({image.tobytes() for image in np.concatenate([first.images, others.images])}) == 96 + 64


def test_streets_labels_stand_where_the_pixels_are() -> None:
    """Before light and haze, road is grey: little colour; trees are green."""
    scenes = data_set("streets").load("sample")
    pixels = scenes.images.transpose(0, 2, 3, 1).astype(int)
    road, tree = (pixels[scenes.labels == STREET_CLASSES.index(name)] for name in ("road", "tree"))
    assert np.mean(tree[:, 1] - tree[:, 2]) > np.mean(road[:, 1] - road[:, 2]) + 10
