"""LSCI's trained slices: layers, regions, depth, versions and deltas, on shipped pictures."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from simnet.codecs.base import CodecError
from simnet.codecs.lsci import Lsci
from simnet.codecs.networks.channel_slices import load_channel_slices, through_channel
from simnet.codecs.networks.enhancement import Enhancement, region_mask
from simnet.core.plugins import KINDS
from simnet.core.zoo import model_dir
from simnet.tasks.networks import load_segmenter
from simnet.wire.delta import apply_delta, make_delta


def lsci(**params: Any) -> Lsci:
    return Lsci(Lsci.Params.model_validate(params))


@pytest.fixture(scope="module")
def images() -> Tensor:
    sample = KINDS["data"].load("camvid_small")().load("sample")
    return torch.tensor(sample.images[::15]).float() / 255


def error(codec: Lsci, images: Tensor) -> float:
    return float((codec.decode(codec.encode(images), codec.decoder_slices) - images).square().mean())


def test_base_layer_is_14_bytes_and_the_same_whatever_comes_on_top(images: Tensor) -> None:
    base, enhanced = lsci(), lsci(enhancement={"pooling": 4, "super_resolution": "lsci_sr/street_4"})
    codes = enhanced.encode(images)
    assert [len(code) for code in base.encode(images)] == [14] * len(images)  # 48 symbols of 5 levels: 111.5 bits
    assert [enhanced.split(code)[0] for code in codes] == base.encode(images)
    assert [b"".join(enhanced.split(code)) for code in codes] == codes
    assert enhanced.layers[0] == base.layers[0] != enhanced.layers[1]
    assert {s.id for s in base.decoder_slices} < {s.id for s in enhanced.decoder_slices}


def test_each_slice_makes_the_picture_better(images: Tensor) -> None:
    steps = [
        {},
        {"enhancement": {"pooling": 4, "bpp": 0.12, "super_resolution": "lsci_sr/street_4"}},
        {"enhancement": {"pooling": 2, "bpp": 0.3, "super_resolution": "lsci_sr/street_2"}},
        {"enhancement": {"pooling": 1, "bpp": 1.5}},
    ]
    errors = [error(lsci(**step), images) for step in steps]
    assert errors == sorted(errors, reverse=True)
    plain = error(lsci(enhancement={"pooling": 2, "bpp": 0.3}), images)
    assert errors[2] < plain  # what the super-resolution slice is for


def test_an_enhancement_slice_comes_in_variants_of_its_own() -> None:
    how = {"pooling": 2, "super_resolution": "lsci_sr/street_2"}
    *base, whole = lsci(enhancement=how).decoder_slices
    variants = [{"precision": "int4"}, {"sparsity": 0.5}, {"precision": "int4", "sparsity": 0.5}]
    sizes = [whole.n_byte]
    for variant in variants:
        *same, restorer = lsci(enhancement={**how, **variant}).decoder_slices
        assert same == base and restorer.name == whole.name and restorer.id != whole.id
        sizes.append(restorer.n_byte)
    assert sizes[3] < min(sizes[1:3]) <= max(sizes[1:3]) < sizes[0]
    *_, pruned_no_more = lsci(sparsity=0.5, enhancement={**how, "sparsity": 0.0}).decoder_slices
    assert pruned_no_more == whole


def test_a_region_leaves_all_else_as_the_base_made_it(images: Tensor) -> None:
    base = lsci()
    before = base.decode(base.encode(images), base.decoder_slices)
    codec = lsci(precision="float16", enhancement={"pooling": 2, "bpp": 0.5, "region": "foreground"})
    shallow = lsci(precision="float16")
    before = shallow.decode(shallow.encode(images), shallow.decoder_slices)
    after = codec.decode(codec.encode(images), codec.decoder_slices)
    segmenter = load_segmenter(model_dir("segmenter/street_parser") / "weights.safetensors")
    with torch.inference_mode():
        mask = region_mask(before, Enhancement(region="foreground").classes, segmenter)
    assert 0.005 < float(mask.mean()) < 0.6
    changed = (after != before).any(dim=1, keepdim=True)
    # both ends see the mask by float16 weights, the test by float32: pixels on a class's edge may differ
    assert float((changed & (mask == 0)).float().mean()) < 0.01
    assert float((changed & (mask == 1)).float().sum() / mask.sum()) > 0.5


def test_the_shallowest_generator_is_a_twentieth_of_the_whole() -> None:
    shallow, whole = (sum(s.n_byte for s in lsci(stages=n).decoder_slices) for n in (0, 3))
    assert shallow < whole / 20


def test_version_2_comes_as_a_delta_of_less_than_half() -> None:
    old, new = lsci().decoder_slices, lsci(version=2).decoder_slices
    deltas = [make_delta(a, b) for a, b in zip(old, new, strict=True)]
    assert [apply_delta(a, delta).id for a, delta in zip(old, deltas, strict=True)] == [s.id for s in new]
    assert sum(map(len, deltas)) < sum(s.n_byte for s in new) / 2


def test_another_versions_decoder_decodes_what_was_made_for_it(images: Tensor) -> None:
    how = {"enhancement": {"pooling": 2, "bpp": 0.5}}
    old, new = lsci(**how), lsci(version=2, **how)
    mixed = old.decode(old.encode_for(images, new.decoder_slices), new.decoder_slices)
    careless = old.decode(old.encode(images), new.decoder_slices)
    errors = [float((made - images).square().mean()) for made in (mixed, careless)]
    assert errors[0] < errors[1] < 4 * errors[0]


def test_a_missing_slice_is_named() -> None:
    codec = lsci()
    with pytest.raises(CodecError, match="decoder slices: got lsci/street/stem"):
        codec.decode([bytes(14)], codec.decoder_slices[:-1])


@pytest.mark.parametrize("fading", ["awgn", "rayleigh_block", "rayleigh_fast"])
def test_channel_slices_do_better_the_better_the_channel(fading: str, images: Tensor) -> None:
    slices = load_channel_slices(model_dir(f"channel/street_{fading}_high") / "weights.safetensors")
    base = lsci()
    quantised = base._quantiser(base._encoder(images)).repeat(20, 1, 1, 1)
    errors = []
    for esno_db in (-6.0, 3.0, 12.0):
        esno = torch.full((len(quantised),), 10 ** (esno_db / 10))
        with torch.inference_mode():
            generator = torch.Generator().manual_seed(1)
            received = through_channel(slices, slices.shape.channel(), quantised, esno, esno, generator)
        errors.append(float((received - quantised).square().mean()))
    assert errors == sorted(errors, reverse=True)
