"""IDX files: what is read is what was written, and nothing damaged passes."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simnet.data.base import DataError
from simnet.data.idx import read_idx, write_idx

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def test_layout_is_the_published_one(tmp_path: Path) -> None:
    """Magic 2051, big-endian lengths, row-major bytes (LeCun's page), written here by hand."""
    path = tmp_path / "images"
    path.write_bytes(struct.pack(">IIII", 2051, 2, 3, 4) + bytes(range(24)))
    assert np.array_equal(read_idx(path, axes=3), IMAGES)


@pytest.mark.parametrize("plain", [True, False])
def test_round_trip_gzipped_and_plain(tmp_path: Path, plain: bool) -> None:
    path = tmp_path / "images.gz"
    write_idx(path, IMAGES)
    if plain:
        path.write_bytes(gzip.decompress(path.read_bytes()))
    assert np.array_equal(read_idx(path, axes=3), IMAGES)


def test_equal_arrays_give_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_idx(tmp_path / name, IMAGES)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"\x89PNG\r\n", "not an IDX file"),
        (struct.pack(">II", 2049, 3) + b"abc", "got 1 axes; expected 3"),
        (struct.pack(">II", 2051, 3), "truncated in its header"),
        (struct.pack(">IIII", 2051, 2, 3, 4) + bytes(23), "promises 24 values, the file holds only 23"),
        (struct.pack(">IIII", 2051, 2, 3, 4) + bytes(25), "promises 24 values, the file holds more"),
        (struct.pack(">IIII", 2051, 2**31, 2**31, 2**31), "at most 268435456 are allowed"),
        (gzip.compress(struct.pack(">IIII", 2051, 2, 3, 4) + bytes(24))[:-12], "damaged or unreadable"),
        (b"\x1f\x8bnot gzip at all", "damaged or unreadable"),
    ],
)
def test_damaged_files_give_one_clear_error(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path, axes=3)
    assert str(path) in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_idx(tmp_path / "absent", axes=3)


def test_gzip_bomb_is_read_no_further_than_its_header_promises(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(struct.pack(">IIII", 2051, 2, 3, 4) + bytes(10_000_000)))
    with pytest.raises(DataError, match="holds more"):
        read_idx(path, axes=3)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=64))
def test_any_bytes_give_an_array_or_a_data_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    try:
        assert read_idx(path, axes=1).ndim == 1
    except DataError as error:
        assert str(path) in str(error)
