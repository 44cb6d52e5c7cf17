"""JPEG, WebP, thumbnail, raw: their bytes, checked against plain Pillow and numpy."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from simnet.codecs.base import Codec, CodecError
from simnet.codecs.jpeg import Jpeg, split_jpeg
from simnet.codecs.raw import Raw
from simnet.codecs.thumbnail import Thumbnail
from simnet.codecs.webp import Webp

GREY, COLOUR = (1, 28, 28), (3, 32, 32)
SHAPES = (GREY, COLOUR)


def pixels(shape: tuple[int, int, int], n: int = 6) -> NDArray[np.uint8]:
    """Smooth random pictures."""
    small = np.random.default_rng(2).integers(0, 256, (n, shape[0], 4, 4), dtype=np.uint8)
    big = [[np.asarray(Image.fromarray(c).resize(shape[:0:-1])) for c in image] for image in small]
    return np.array(big)


def images(shape: tuple[int, int, int], n: int = 6) -> torch.Tensor:
    return torch.from_numpy(pixels(shape, n)).float() / 255


def jpeg(shape: tuple[int, int, int], **changes: object) -> Jpeg:
    return Jpeg(Jpeg.Params.model_validate({"image_shape": shape, "quality": 20, **changes}))


def webp(shape: tuple[int, int, int], **changes: object) -> Webp:
    return Webp(Webp.Params.model_validate({"image_shape": shape, "quality": 20, **changes}))


@pytest.mark.parametrize("shape", [*SHAPES, (3, 96, 128), (3, 240, 320), (3, 6, 8), (1, 1, 1)])
@pytest.mark.parametrize("optimize", [False, True])
def test_a_stripped_jpeg_comes_back_byte_for_byte(shape: tuple[int, int, int], optimize: bool) -> None:
    whole = jpeg(shape, optimize=optimize)
    stripped = jpeg(shape, optimize=optimize, header="strip")
    files, codes = whole.encode(images(shape)), stripped.encode(images(shape))
    assert [stripped.restore(code) for code in codes] == files
    assert torch.equal(stripped.decode(codes), whole.decode(files))
    assert [whole.header_byte(f) for f in files] == [len(f) - len(c) for f, c in zip(files, codes, strict=True)]
    assert len({whole.header_byte(f) for f in files}) == 1
    assert {stripped.header_byte(code) for code in codes} == {0}


def test_jpeg_is_what_pillow_writes_and_reads() -> None:
    c = jpeg(COLOUR, quality=60, subsampling="4:4:4")
    (code,) = c.encode(images(COLOUR, 1))
    file = io.BytesIO()
    Image.fromarray(pixels(COLOUR, 1)[0].transpose(1, 2, 0)).save(file, "JPEG", quality=60, subsampling=0)
    assert code == file.getvalue()
    seen = np.asarray(Image.open(io.BytesIO(code))).transpose(2, 0, 1)
    assert (c.decode([code])[0].numpy() * 255).round().astype(np.uint8).tolist() == seen.tolist()


def test_a_jpegs_own_tables_are_no_header() -> None:
    fixed, own = jpeg(GREY), jpeg(GREY, optimize=True)
    fixed_file, own_file = fixed.encode(images(GREY, 1))[0], own.encode(images(GREY, 1))[0]
    assert len(own_file) < len(fixed_file)
    assert own.header_byte(own_file) < fixed.header_byte(fixed_file)
    assert jpeg(GREY, optimize=True, header="strip").encode(images(GREY, 1))[0][:2] == b"\xff\xc4"


def test_quality_zero_is_the_lowest_and_not_pillows_default() -> None:
    assert jpeg(GREY, quality=0).encode(images(GREY)) == jpeg(GREY, quality=1).encode(images(GREY))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("quality", [0, 35, 80])
def test_a_stripped_webp_comes_back_byte_for_byte(shape: tuple[int, int, int], quality: int) -> None:
    whole, stripped = webp(shape, quality=quality), webp(shape, quality=quality, header="strip")
    files, codes = whole.encode(images(shape)), stripped.encode(images(shape))
    assert [stripped.restore(code) for code in codes] == files
    assert {whole.header_byte(f) for f in files} <= {27, 28}


@pytest.mark.parametrize("codec", [jpeg(GREY), webp(GREY), webp(COLOUR), jpeg(COLOUR)])
def test_foreign_files_are_refused_when_stripped(codec: Jpeg | Webp) -> None:
    riff = b"RIFF\x00\x00\x00\x00WEBPVP8 \xff\xff"
    for file in (b"", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xe0\xff\xff\xff\xd9", riff):
        with pytest.raises(CodecError, match="damaged"):
            codec.strip(file)


def test_segments_of_a_jpeg_by_hand() -> None:
    app, sos = b"\xff\xe0\x00\x04ab", b"\xff\xda\x00\x03c"
    assert split_jpeg(b"\xff\xd8" + app + sos + b"scan\xff\xd9") == ([app, sos], b"scan")


@pytest.mark.parametrize("make", [jpeg, webp])
def test_a_file_of_another_size_is_refused_unseen(make: Callable[[tuple[int, int, int]], Jpeg | Webp]) -> None:
    big = make((3, 64, 64)).encode(torch.zeros(1, 3, 64, 64))
    with pytest.raises(CodecError, match="got 64 x 64 pixels; allowed 32 x 32"):
        make(COLOUR).decode(big)
    with pytest.raises(CodecError, match="cannot be decoded"):
        make(COLOUR).decode([b"no picture"])
    assert torch.allclose(make(COLOUR).decode_raw(big), torch.tensor(128 / 255))


def test_a_damaged_jpeg_keeps_its_first_rows() -> None:
    c = jpeg(COLOUR, quality=90, header="strip", subsampling="4:4:4")
    (code,) = c.encode_raw(images(COLOUR, 1))
    clean, cut = c.decode([code]), c.decode_raw([code[: len(code) // 2]])
    assert torch.equal(cut[:, :, :8], clean[:, :, :8])
    assert not torch.equal(cut, clean)


def test_one_bit_thumbnail_by_numpy() -> None:
    c = Thumbnail(Thumbnail.Params(image_shape=GREY, side=14, bits=1))
    means = pixels(GREY).reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255
    wanted = [np.packbits(m > 0.5).tobytes() for m in means]
    assert c.encode(images(GREY)) == wanted
    assert {len(code) for code in wanted} == {25}


def test_a_thumbnail_of_one_colour_is_that_colour() -> None:
    c = Thumbnail(Thumbnail.Params(image_shape=COLOUR, side=5, bits=8))
    grey = torch.full((1, *COLOUR), 51 / 255)
    assert torch.allclose(c.decode(c.encode(grey)), grey, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_raw_is_exact(shape: tuple[int, int, int]) -> None:
    c = Raw(Raw.Params(image_shape=shape))
    codes = c.encode(images(shape))
    assert codes == [p.tobytes() for p in pixels(shape)]
    assert torch.equal(c.decode(codes), images(shape))


@pytest.mark.parametrize(
    ("codec", "wrong"),
    [
        (Jpeg, {"quality": 101}),
        (Jpeg, {"quality": 5, "header": "none"}),
        (Webp, {"quality": -1}),
        (Webp, {"quality": 5, "image_shape": (2, 8, 8)}),
        (Thumbnail, {"side": 0, "bits": 1}),
        (Thumbnail, {"side": 4, "bits": 9}),
        (Raw, {"image_shape": (1, 0, 8)}),
        (Raw, {"qualty": 3}),
    ],
)
def test_wrong_parameters_are_refused(codec: type[Codec], wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        codec.Params.model_validate({"image_shape": GREY, **wrong})
