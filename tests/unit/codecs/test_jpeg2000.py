"""JPEG 2000: bare codestreams within a bound of bytes, against plain Pillow."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from simnet.codecs.base import CodecError
from simnet.codecs.classical.codestream import Codestreams, split_stream
from simnet.codecs.jpeg2000 import Jpeg2000
from simnet.codecs.quality import mean_squared_errors, psnr_db

Shape = tuple[int, int, int]
GREY, COLOUR = (1, 48, 64), (3, 96, 128)
ODD_SHAPES: list[Shape] = [(1, 1, 1), (3, 1, 1), (3, 6, 8), (1, 7, 13), (3, 1, 40), (3, 33, 5), GREY, COLOUR]


def pixels(shape: Shape, n: int = 4) -> NDArray[np.uint8]:
    """[n, C, H, W] smooth random pictures with some noise."""
    rng = np.random.default_rng(4)
    small = rng.integers(0, 256, (n, shape[0], 5, 6), dtype=np.uint8)
    big = [[np.asarray(Image.fromarray(c).resize(shape[:0:-1])) for c in image] for image in small]
    return (np.array(big) * 0.9 + rng.integers(0, 25, (n, *shape))).astype(np.uint8)


def images(shape: Shape, n: int = 4) -> torch.Tensor:
    return torch.from_numpy(pixels(shape, n)).float() / 255


def codec(shape: Shape, **params: object) -> Jpeg2000:
    return Jpeg2000(Jpeg2000.Params.model_validate({"image_shape": shape, **params}))


def by_pillow(image: NDArray[np.uint8], **options: object) -> bytes:
    file = io.BytesIO()
    picture = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
    picture.save(file, "JPEG2000", no_jp2=True, mct=int(len(image) == 3), **options)
    return file.getvalue()


def seen_by_pillow(stream: bytes) -> NDArray[np.uint8]:
    seen = np.asarray(Image.open(io.BytesIO(stream)))
    return seen[None] if seen.ndim == 2 else seen.transpose(2, 0, 1)


@pytest.mark.parametrize("shape", ODD_SHAPES)
def test_reversible_is_lossless_and_is_pillows_stream_without_its_comment(shape: Shape) -> None:
    lossless = codec(shape, wavelet="reversible")
    codes = lossless.encode(images(shape))
    assert torch.equal(lossless.decode(codes), images(shape))
    for code, image in zip(codes, pixels(shape), strict=True):
        theirs = by_pillow(image, irreversible=False)
        comment = theirs.index(b"\xff\x64")
        n_comment = 2 + int.from_bytes(theirs[comment + 2 : comment + 4], "big")
        assert b"OpenJPEG" in theirs[comment : comment + n_comment]
        assert code == theirs[:comment] + theirs[comment + n_comment :]


@pytest.mark.parametrize("shape", ODD_SHAPES)
@pytest.mark.parametrize("wavelet", ["irreversible", "reversible"])
@pytest.mark.parametrize("rate_bpp", [0.1, 1.0, 6.0])
def test_a_stripped_stream_comes_back_byte_for_byte(shape: Shape, wavelet: str, rate_bpp: float) -> None:
    stripped = codec(shape, wavelet=wavelet, rate_bpp=rate_bpp, header="strip")
    header_byte = stripped.codestreams.header_byte
    whole = codec(shape, wavelet=wavelet, rate_bpp=rate_bpp + 8 * (header_byte + 0.01) / math.prod(shape[1:]))
    codes, streams = stripped.encode(images(shape)), whole.encode(images(shape))
    assert [stripped.restore(code) for code in codes] == streams
    assert [whole.header_byte(stream) for stream in streams] == [header_byte] * len(streams)
    assert torch.equal(stripped.decode(codes), whole.decode(streams))
    for stream, image in zip(streams, whole.decode(streams), strict=True):
        assert seen_by_pillow(stream).tolist() == (image * 255).round().int().tolist()


@pytest.mark.parametrize("header", ["count", "strip"])
@pytest.mark.parametrize("wavelet", ["irreversible", "reversible"])
@pytest.mark.parametrize("n_byte", [160, 400, 1111, 5000])
def test_a_code_fills_its_rate_and_never_exceeds_it(header: str, wavelet: str, n_byte: int) -> None:
    rated = codec(COLOUR, rate_bpp=8 * n_byte / (96 * 128), header=header, wavelet=wavelet)
    assert rated.code_byte == n_byte
    lengths = [len(code) for code in rated.encode(images(COLOUR))]
    assert max(lengths) <= n_byte
    assert np.mean(lengths) > 0.75 * n_byte, "OpenJPEG cuts between coding passes, and this noise makes long ones"


@pytest.mark.parametrize("shape", [GREY, COLOUR])
@pytest.mark.parametrize("ratio", [8, 15])
def test_no_worse_than_pillow_at_the_same_rate(shape: Shape, ratio: int) -> None:
    """Pillow spends part of its rate on a comment; the better decoding at no more bytes must be ours."""
    n_byte = math.prod(shape) // ratio
    ours = codec(shape, rate_bpp=8 * n_byte / math.prod(shape[1:]))
    codes = ours.encode(images(shape))
    theirs = [by_pillow(image, irreversible=True, quality_layers=[ratio + 1]) for image in pixels(shape)]
    assert max(map(len, codes)) <= n_byte
    seen = torch.from_numpy(np.stack([seen_by_pillow(file) for file in theirs])).float() / 255
    psnr, pillows_psnr = (psnr_db(mean_squared_errors(images(shape), r)) for r in (ours.decode(codes), seen))
    assert bool((psnr > pillows_psnr).all())


@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_below_the_smallest_stream_comes_the_smallest(shape: Shape) -> None:
    streams = Codestreams(shape)
    for image in pixels(shape):
        lengths = [len(streams.encode(image, n_byte)) for n_byte in (1, 60, 120)]
        assert len(set(lengths)) == 1 and lengths[0] > 120
    assert streams.header_byte == {1: 112, 3: 118}[shape[0]]


@pytest.mark.parametrize("shape", [COLOUR, (3, 240, 320)])
def test_the_smallest_stream_is_what_the_docstring_says(shape: Shape) -> None:
    noise = np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)
    flat = [np.full(shape, value, np.uint8) for value in (0, 128, 255)]
    smallest = codec(shape, rate_bpp=1e-6, header="strip")
    lengths = [len(smallest.write(image)) - 118 for image in (*flat, noise, *pixels(shape))]
    assert min(lengths) >= 18 and max(lengths) <= 37


def test_the_longest_stream_that_fits_by_trying_all_ratios() -> None:
    """Just above the floor, where OpenJPEG exceeds what it is asked for: within a few bytes of the best."""
    streams, (image, *_) = Codestreams(GREY), pixels(GREY)
    every = {len(split_stream(by_pillow(image, irreversible=True, quality_layers=[r / 4]))[1]) for r in range(4, 400)}
    smallest = min(every)
    for n_packet in range(smallest, smallest + 60):
        got = len(streams.strip(streams.encode(image, streams.header_byte + n_packet)))
        best = max(n for n in every if n <= n_packet)
        assert got <= n_packet and got >= best - 16


def test_other_arrays_and_bounds_are_refused() -> None:
    streams, image = Codestreams(GREY), pixels(GREY)[0]
    with pytest.raises(CodecError, match=r"got uint8 \[48, 64\]; allowed uint8 \[1, 48, 64\]"):
        streams.encode(image[0])
    with pytest.raises(CodecError, match="got float64"):
        streams.encode(image.astype(np.float64))
    with pytest.raises(CodecError, match="bound of 0 bytes"):
        streams.encode(image, 0)


def test_streams_of_another_setting_are_not_stripped() -> None:
    stream = Codestreams(GREY).encode(pixels(GREY)[0], 300)
    for other in (Codestreams((1, 48, 65)), Codestreams(GREY, reversible=True)):
        with pytest.raises(CodecError, match="another setting's"):
            other.strip(stream)
    for wrong in (b"", stream[:-1], stream[:100], stream + b"\0", b"\xff\x4f" + bytes(200)):
        with pytest.raises(CodecError, match="damaged"):
            split_stream(wrong)
    with pytest.raises(CodecError, match="got 64 x 48 pixels; allowed 65 x 48"):
        Codestreams((1, 48, 65)).decode(stream)


def test_a_stream_that_cannot_be_decoded_is_grey_not_black() -> None:
    unprotected = codec(COLOUR, rate_bpp=1)
    (code,) = unprotected.encode_raw(images(COLOUR, 1))
    recovered = unprotected.decode_raw([code[: len(code) // 2]])
    assert torch.equal(recovered, torch.full_like(recovered, 128 / 255))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "rate_bpp is missing"), ({"rate_bpp": 0}, "greater than 0"), ({"rate_bpp": 1, "wavelet": "haar"}, "haar"),
        ({"rate_bpp": float("inf")}, "finite"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Jpeg2000.Params.model_validate({"image_shape": GREY, **wrong})
