"""The rate search against trying every setting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from simnet.codecs.avif import Avif
from simnet.codecs.base import CodecError
from simnet.codecs.classical.file_codec import FileCodec
from simnet.codecs.classical.rate_search import rate_search
from simnet.codecs.jpeg import Jpeg
from simnet.codecs.jpeg2000 import Jpeg2000
from simnet.codecs.webp import Webp

HEIGHT, WIDTH = 24, 32


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    """[8, 3, H, W] smooth pictures with noise."""
    rng = np.random.default_rng(9)
    small = rng.integers(0, 256, (8, 6, 8, 3), dtype=np.uint8)
    big = np.stack([np.asarray(Image.fromarray(s).resize((WIDTH, HEIGHT))) for s in small]).transpose(0, 3, 1, 2)
    noisy = np.clip(big + rng.normal(0, 6, big.shape), 0, 255).astype(np.uint8)
    return torch.from_numpy(noisy).float() / 255


def mean_bpp(codec: FileCodec, images: torch.Tensor) -> float:
    return float(np.mean([8 * len(code) for code in codec.encode(images)])) / (HEIGHT * WIDTH)


@pytest.mark.parametrize(
    ("family", "knob", "settings", "params"),
    [
        (Jpeg, "quality", range(1, 101), {"optimize": True}),
        (Jpeg, "quality", range(1, 101), {"header": "strip"}),
        (Webp, "quality", range(101), {}),
        (Avif, "quality", range(101), {"header": "strip", "speed": 10}),
        (Jpeg2000, "rate_bpp", [8 * n / (HEIGHT * WIDTH) for n in range(1, 300)], {"header": "strip"}),
    ],
)
def test_nearest_from_below_of_all_settings(
    family: type[FileCodec], knob: str, settings: range | list[float], params: dict[str, Any], images: torch.Tensor
) -> None:
    params = {"image_shape": (3, HEIGHT, WIDTH), **params}
    every = [mean_bpp(family(family.Params.model_validate({knob: s, **params})), images) for s in settings]
    wanted_bpp = (min(every) + max(every)) / 3
    found = rate_search(
        family, images, wanted_bpp=wanted_bpp, **{k: v for k, v in params.items() if k != "image_shape"}
    )
    assert found.knob == knob and getattr(found.codec.params, knob) == found.setting
    assert found.bpp == pytest.approx(mean_bpp(found.codec, images))
    assert found.bpp == pytest.approx(max(bpp for bpp in every if bpp <= wanted_bpp))
    assert found.mean_byte * 8 == pytest.approx(found.bpp * HEIGHT * WIDTH)


def test_highest_setting_if_all_fit(images: torch.Tensor) -> None:
    assert rate_search(Jpeg, images, wanted_bpp=1000).setting == 100


def test_what_no_setting_reaches_is_refused_with_the_least(images: torch.Tensor) -> None:
    least = mean_bpp(Jpeg(Jpeg.Params(image_shape=(3, HEIGHT, WIDTH), quality=1)), images)
    with pytest.raises(CodecError, match=r"rate of jpeg: got 0.5 bpp; allowed from .* at quality 1") as error:
        rate_search(Jpeg, images, wanted_bpp=0.5)
    allowed = float(str(error.value).split("allowed from ")[1].split()[0])
    assert least <= allowed <= least + 1e-4
    assert rate_search(Jpeg, images, wanted_bpp=allowed).bpp == pytest.approx(least)
    with pytest.raises(CodecError, match="got no images"):
        rate_search(Jpeg, images[:0], wanted_bpp=1)
