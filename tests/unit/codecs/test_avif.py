"""AVIF: Pillow's own file, and its frame alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image, features

from simnet.codecs.avif import Avif, Container
from simnet.codecs.base import CodecError
from simnet.codecs.classical import pictures
from tests.support.pictures import Shape, images, pixels

if not features.check("avif"):
    pytest.skip("this Pillow has no AVIF", allow_module_level=True)

GREY, COLOUR = (1, 48, 64), (3, 40, 50)


def codec(shape: Shape, **params: object) -> Avif:
    return Avif(Avif.Params.model_validate({"image_shape": shape, **params}))


@pytest.mark.parametrize("shape", [GREY, COLOUR, (3, 6, 8), (1, 1, 1), (3, 7, 33)])
@pytest.mark.parametrize("quality", [0, 30, 100])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_a_stripped_file_comes_back_byte_for_byte(shape: Shape, quality: int, subsampling: str) -> None:
    params = {"quality": quality, "subsampling": subsampling}
    whole, stripped = codec(shape, **params), codec(shape, header="strip", **params)
    files, codes = whole.encode(images(shape)), stripped.encode(images(shape))
    assert [stripped.restore(code) for code in codes] == files
    assert torch.equal(stripped.decode(codes), whole.decode(files))
    assert all(whole.header_byte(file) > 250 for file in files)
    prefix = {file[: len(file) - len(code)] for file, code in zip(files, codes, strict=True)}
    assert len({(p[:100], p[150:250]) for p in prefix}) == 1, "what goes is equal for all, but for lengths"


@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_avif_is_what_pillow_writes_and_reads(shape: Shape) -> None:
    c = codec(shape, quality=40, speed=8)
    codes = c.encode(images(shape))
    for code, image, recovered in zip(codes, pixels(shape), c.decode(codes), strict=True):
        file = io.BytesIO()
        picture = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
        picture.save(file, "AVIF", quality=40, speed=8, max_threads=1)
        assert code == file.getvalue()
        seen = np.asarray(Image.open(io.BytesIO(code)))
        seen = seen[None] if seen.ndim == 2 else seen.transpose(2, 0, 1)
        assert (recovered * 255).round().int().tolist() == seen.tolist()


def test_files_of_another_setting_are_refused() -> None:
    c = codec(COLOUR, quality=40)
    file = c.encode(images(COLOUR))[-1]
    with pytest.raises(CodecError, match="another setting's"):
        codec((3, 40, 51), quality=40).strip(file)
    with pytest.raises(CodecError, match="got 50 x 40 pixels; allowed 51 x 40"):
        codec((3, 40, 51), quality=40).decode([file])
    for wrong in (b"", file[:-1], file + b"\0", file[:200], b"\0" * 40):
        with pytest.raises(CodecError, match="AVIF file of"):
            c.strip(wrong)
        with pytest.raises(CodecError, match="AVIF file of"):
            Container(wrong)


def test_a_pillow_without_avif_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures.features, "check", lambda feature: feature != "avif")
    with pytest.raises(CodecError, match=r"codec avif: the installed Pillow .* lacks it; pip install 'simnet\[avif\]'"):
        codec(GREY, quality=40)
