"""HEVC intra: pillow-heif's own file, and its slice alone."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from simnet.codecs.base import CodecError
from simnet.codecs.hevc import Hevc
from tests.support.pictures import Shape, images, pixels

pytest.importorskip("pillow_heif", reason="pip install 'simnet[hevc]'")

GREY, COLOUR = (1, 48, 64), (3, 40, 50)


def codec(shape: Shape, **params: object) -> Hevc:
    return Hevc(Hevc.Params.model_validate({"image_shape": shape, "preset": "ultrafast", **params}))


@pytest.mark.parametrize("shape", [GREY, COLOUR, (3, 32, 32), (3, 7, 33)])
@pytest.mark.parametrize("quality", [0, 30, 100])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_a_stripped_file_comes_back_byte_for_byte(shape: Shape, quality: int, subsampling: str) -> None:
    params = {"quality": quality, "subsampling": subsampling}
    whole, stripped = codec(shape, **params), codec(shape, header="strip", **params)
    files, codes = whole.encode(images(shape)), stripped.encode(images(shape))
    assert [stripped.restore(code) for code in codes] == files
    assert torch.equal(stripped.decode(codes), whole.decode(files))
    assert len({whole.header_byte(file) for file in files}) == 1 and whole.header_byte(files[0]) > 350


@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_hevc_is_what_the_library_writes_and_reads(shape: Shape) -> None:
    c = codec(shape, quality=40)
    codes = c.encode(images(shape))
    for code, image, recovered in zip(codes, pixels(shape), c.decode(codes), strict=True):
        file = io.BytesIO()
        picture = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
        picture.save(file, "HEIF", quality=40, chroma=420, enc_params={"preset": "ultrafast"})
        assert code == file.getvalue()
        seen = np.asarray(Image.open(io.BytesIO(code)).convert("L" if len(image) == 1 else "RGB"))
        seen = seen[None] if seen.ndim == 2 else seen.transpose(2, 0, 1)
        assert (recovered * 255).round().int().tolist() == seen.tolist()


def test_the_header_of_a_small_colour_picture_costs_what_the_module_says() -> None:
    c = codec((3, 32, 32), quality=20)
    file = c.encode(images((3, 32, 32)))[-1]
    assert 415 < c.header_byte(file) < 430  # the parameter sets change with the quality
    assert b"x265" not in file, "no advertisement travels"


def test_files_of_another_setting_are_refused() -> None:
    c = codec(COLOUR, quality=40)
    file = c.encode(images(COLOUR))[-1]
    with pytest.raises(CodecError, match="another setting's"):
        codec((3, 40, 51), quality=40).strip(file)
    for wrong in (b"", file[:-1], file + b"\0", file[:200], b"\0" * 40):
        with pytest.raises(CodecError, match="HEIF file of"):
            c.strip(wrong)


def test_a_missing_library_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(CodecError, match=r"codec hevc: pillow-heif is missing; pip install 'simnet\[hevc\]'"):
        codec(GREY, quality=40)
