"""The three data sets: shipped samples, files in every accepted form, and bad ones."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest

from simnet.core.errors import UnknownName
from simnet.core.plugins import KINDS
from simnet.data.base import DataError, Dataset
from simnet.data.cifar10 import RECORD_BYTES
from simnet.data.idx import write_idx
from simnet.data.mosaic import read_mosaic, write_mosaic

NAMES = ["cifar10", "fashion_mnist", "mnist"]
DENSE = ["camvid", "camvid_small", "cityscapes", "streets"]


def data_set(name: str) -> Dataset:
    loaded: Dataset = KINDS["data"].load(name)()
    return loaded


def full_root() -> Path:
    root = Path(os.environ.get("SIMNET_DATA", Path(__file__).parents[4] / "shared" / "data"))
    if not all((root / name).is_dir() for name in NAMES):
        pytest.skip(f"the full data sets are not in {root} ($SIMNET_DATA)")
    return root


def test_plugins_are_discovered() -> None:
    assert KINDS["data"].names() == sorted(NAMES + DENSE)


@pytest.mark.parametrize("name", NAMES)
def test_sample_is_balanced_and_valid(name: str) -> None:
    sample = data_set(name).load("sample")
    assert sample.images.shape == (1000, *data_set(name).image_shape)
    assert sample.images.dtype == np.uint8
    assert sample.labels.dtype == np.int64
    assert np.bincount(sample.labels).tolist() == [100] * 10
    assert sample.test_indices is not None
    assert np.all(np.diff(sample.test_indices) > 0)
    assert (Path(__file__).parents[3] / "simnet/data/samples" / name / "LICENCE.md").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_sample_is_the_test_set_at_its_indices(name: str) -> None:
    root = full_root()
    sample, test = data_set(name).load("sample"), data_set(name).load("test", root)
    assert len(test) == 10_000
    assert np.array_equal(sample.images, test.images[sample.test_indices])
    assert np.array_equal(sample.labels, test.labels[sample.test_indices])


def test_cifar_sample_leaves_out_the_jpeg_copies() -> None:
    lossy = {1259, 1369, 1422, 1556, 2245, 2737, 2935, 3630, 3695, 3718, 4085, 4496, 5791}
    indices = data_set("cifar10").load("sample").test_indices
    assert indices is not None
    assert not lossy & set(indices.tolist())


def test_content_hash_ignores_the_file_format(tmp_path: Path) -> None:
    sample = data_set("cifar10").load("sample")
    records = np.concatenate([sample.labels[:, None].astype(np.uint8), sample.images.reshape(1000, -1)], axis=1)
    records.tofile(tmp_path / "test_batch.bin")
    binary = data_set("cifar10").load("test", tmp_path)
    assert np.array_equal(binary.images, sample.images)
    assert binary.sha256 == sample.sha256


def test_content_hash_is_sha256_of_shape_pixels_and_labels() -> None:
    sample = data_set("mnist").load("sample")
    text = b"(1000, 1, 28, 28)" + sample.images.tobytes() + sample.labels.astype("<i8").tobytes()
    assert sample.sha256 == hashlib.sha256(text).hexdigest()


def test_cifar_binary_train_is_its_five_batches_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "cifar10" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    for i in range(1, 6):
        (folder / f"data_batch_{i}.bin").write_bytes(bytes([i]) + bytes([10 * i]) * (RECORD_BYTES - 1))
    train = data_set("cifar10").load("train", tmp_path)
    assert train.labels.tolist() == [1, 2, 3, 4, 5]
    assert train.images[:, 0, 0, 0].tolist() == [10, 20, 30, 40, 50]


def test_root_defaults_to_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_grey(tmp_path, "t10k", 5)
    monkeypatch.setenv("SIMNET_DATA", str(tmp_path))
    assert len(data_set("mnist").load("test")) == 5
    monkeypatch.delenv("SIMNET_DATA")
    with pytest.raises(DataError, match=r"no folder given; pass --data DIR or set \$SIMNET_DATA"):
        data_set("mnist").load("test")


def test_fashion_accepts_the_cut_training_file_and_prefers_the_whole(tmp_path: Path) -> None:
    write_grey(tmp_path, "train10k", 3)
    assert len(data_set("fashion_mnist").load("train", tmp_path)) == 3
    write_grey(tmp_path, "train", 4)
    assert len(data_set("fashion_mnist").load("train", tmp_path)) == 4


def write_grey(
    folder: Path, prefix: str, n: int, *, label: int = 0, side: int = 28, n_labels: int | None = None
) -> None:
    write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", np.zeros((n, side, side), np.uint8))
    write_idx(
        folder / f"{prefix}-labels-idx1-ubyte.gz",
        np.full(n if n_labels is None else n_labels, label, np.uint8),
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": 10}, r"got labels 10..10; allowed 0..9"),
        ({"side": 27}, r"got images of shape \(1, 27, 27\); expected \(1, 28, 28\)"),
        ({"n_labels": 4}, "got 5 images and 4 labels"),
    ],
)
def test_contents_that_do_not_fit(tmp_path: Path, changes: dict[str, int], message: str) -> None:
    write_grey(tmp_path, "t10k", 5, **changes)
    with pytest.raises(DataError, match=message):
        data_set("mnist").load("test", tmp_path)


def test_empty_set_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of these files is there: t10k-images-idx3-ubyte.gz"):
        data_set("mnist").load("test", tmp_path)
    write_grey(tmp_path, "t10k", 0)
    with pytest.raises(DataError, match="no images at all"):
        data_set("mnist").load("test", tmp_path)
    with pytest.raises(DataError, match=r"no CIFAR-10 train images; looked for data_batch_1\.bin"):
        data_set("cifar10").load("train", tmp_path)
    with pytest.raises(DataError, match="no folder"):
        data_set("mnist").load("test", tmp_path / "absent")
    with pytest.raises(UnknownName, match="did you mean 'test'"):
        data_set("mnist").load("tests", tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 1, RECORD_BYTES - 1, RECORD_BYTES + 1])
def test_truncated_cifar_binary(tmp_path: Path, size: int) -> None:
    (tmp_path / "test_batch.bin").write_bytes(bytes(size))
    with pytest.raises(DataError, match=f"got {size} bytes; expected whole records of 3073"):
        data_set("cifar10").load("test", tmp_path)


def test_mosaic_round_trip_and_damage(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(256, size=(6, 3, 8, 8), dtype=np.uint8)
    path = tmp_path / "test_00.webp"
    write_mosaic(path, images, columns=3)
    assert np.array_equal(read_mosaic(path, tile=8), images)
    with pytest.raises(DataError, match="allowed are multiples of 7"):
        read_mosaic(path, tile=7)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match="not a readable picture"):
        read_mosaic(path, tile=8)


def _archive() -> bytes:
    file = io.BytesIO()
    np.savez(file, labels=np.zeros(3, np.uint8))
    return file.getvalue()


def _of_length(n: int) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (n,)})
    return file.getvalue() + bytes(3)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY\x01\x00",
        b"\x80\x04K\x01.",
        bytes(700_000),
        b"PK\x03\x04 no zip",
        _archive(),
        _of_length(4),
        _of_length(2**62),
        _of_length(2**70),
    ],
    ids=["empty", "cut off", "pickle", "too large", "zip", "npz", "of 4", "of an exabyte", "of 71 bits"],
)
def test_hostile_label_file_is_never_unpickled(tmp_path: Path, content: bytes) -> None:
    write_mosaic(tmp_path / "test_00.webp", np.zeros((1, 3, 32, 32), np.uint8), columns=1)
    (tmp_path / "test_labels.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"test_labels.npy: (not a readable array|got 700000 bytes)"):
        data_set("cifar10").load("test", tmp_path)
