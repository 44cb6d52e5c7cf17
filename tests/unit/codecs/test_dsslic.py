"""The reduced DSSLIC of the zoo: what its layers cost and bring, and what doesn't belong together is refused."""

from __future__ import annotations

from unittest.mock import patch

import pytest
import torch

from simnet.codecs import dsslic
from simnet.codecs.base import CodecError
from simnet.codecs.networks.rlasc import shrunk
from simnet.core.zoo import model_dir
from simnet.data.camvid_small import CamVidSmall
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.fpn import Fpn


def coder(residual_bpp: float | None = None) -> dsslic.Dsslic:
    return dsslic.Dsslic(dsslic.Dsslic.Params(residual_bpp=residual_bpp))


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.tensor(CamVidSmall().load("sample").images[::30]).float() / 255


def test_each_bit_of_the_residual_brings_the_picture_nearer(images: torch.Tensor) -> None:
    """And a code is as long as its layers: the residual's packets keep to their rate."""
    error, n_base = [], [len(code) for code in coder().encode(images)]
    for bpp in (None, 0.1, 0.5, 2.0):
        codec = coder(bpp)
        codes = codec.encode(images)
        if bpp is not None:
            most = max(1, round(bpp * 96 * 128 / 8))
            assert all(n < len(code) <= n + most for n, code in zip(n_base, codes, strict=True))
        error.append(float((codec.decode(codes, codec.decoder_slices) - images).square().mean()))
    assert error == sorted(error, reverse=True) and error[-1] < error[0] / 8


def test_the_label_map_is_the_segmenters(images: torch.Tensor) -> None:
    segmenter = load_segmenter(model_dir("segmenter/street_parser") / "weights.safetensors")
    with torch.no_grad():
        expected = shrunk(segmenter(images).argmax(1), segmenter.n_classes)
    layers = coder()._layers(images)
    assert [each.label_map.tolist() for each in layers] == expected.tolist()


def test_raw_codes_have_one_length_and_a_wrong_bit_stays_local(images: torch.Tensor) -> None:
    codec = coder()
    codes = codec.encode_raw(images)
    assert {len(code) for code in codes} == {12 * 16 * 4 // 8 + 3 * 12 * 16 * 5 // 8}
    clean = codec.decode(codec.encode(images[:1]), codec.decoder_slices)
    assert torch.equal(codec.decode_raw(codes[:1], codec.decoder_slices), clean)
    wrong = bytearray(codes[0])
    wrong[96] ^= 0x80  # the highest bit of the first place's brightness
    changed = (codec.decode_raw([bytes(wrong)], codec.decoder_slices) - clean).abs().sum(1)[0]
    assert changed[:8, :8].mean() > 20 * changed[64:, 64:].mean()


def test_what_is_not_this_settings_code_is_refused(images: torch.Tensor) -> None:
    with_residual, without = coder(0.2), coder()
    (long,), (short,) = with_residual.encode(images[:1]), without.encode(images[:1])
    with pytest.raises(CodecError, match=r"got \d+ bytes after a base layer of \d+; allowed none"):
        without.decode([long], without.decoder_slices)
    with pytest.raises(CodecError, match=r"got 0 bytes after a base layer of \d+; allowed a residual"):
        with_residual.decode([short], with_residual.decoder_slices)
    with pytest.raises(CodecError, match="too short for its"):
        without.decode([short[:20]], without.decoder_slices)


def test_a_segmenter_of_other_classes_is_refused() -> None:
    other = patch.object(dsslic, "load_segmenter", lambda path: Fpn(width=4, n_classes=5).eval())
    with other, pytest.raises(CodecError, match="knows 5 classes; dsslic/street allows 11"):
        coder()
