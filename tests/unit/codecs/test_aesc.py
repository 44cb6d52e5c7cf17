"""The AESC-I codec against the bare networks, on random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from simnet.codecs.aesc import Aesc, quantise
from simnet.codecs.base import CodecError
from simnet.codecs.networks.aesc import load_autoencoder
from simnet.core.errors import UnknownName
from simnet.wire.slices import join_raw, make_slice, read_slice, split_raw

pytestmark = pytest.mark.usefixtures("zoo")
MODELS = ("grey", "grey_relu", "colour")


def codec(model: str = "grey", **changes: object) -> Aesc:
    return Aesc(Aesc.Params.model_validate({"model": model, **changes}))


def some_images(of: Aesc, n: int = 5) -> torch.Tensor:
    values = np.random.default_rng(1).random((n, *of.image_shape), dtype=np.float32)
    return torch.from_numpy(values)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("code_bits", [3, 8])
def test_the_received_slice_and_the_dequantised_code_give_the_image(zoo: Path, model: str, code_bits: int) -> None:
    c = codec(model, code_bits=code_bits, precision="int8")
    images = some_images(c)
    autoencoder, _ = load_autoencoder(zoo / "aesc" / model / "weights.safetensors")
    autoencoder.encoder.load_state_dict({k: v.half().float() for k, v in autoencoder.encoder.state_dict().items()})
    low, n_cells = autoencoder.shape.code_low, 2**code_bits
    cells = ((autoencoder.encoder(images) - low) / (1 - low) * n_cells).floor().clamp(0, n_cells - 1)
    dequantised = (cells + 0.5) / n_cells * (1 - low) + low
    slice_ = read_slice(c.decoder_slices[0].payload)
    autoencoder.decoder.load_state_dict({k: torch.tensor(v) for k, v in slice_.tensors.items() if k != "table"})
    assert torch.allclose(c.decode(c.encode(images), [slice_]), autoencoder.decoder(dequantised), atol=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_entropy_coding_loses_nothing(model: str) -> None:
    c = codec(model, code_bits=6)
    images = some_images(c)
    coded = c.decode(c.encode(images), c.decoder_slices)
    assert torch.equal(coded, c.decode_raw(c.encode_raw(images), c.decoder_slices))
    plain = codec(model, code_bits=6, entropy_coding=False)
    assert torch.equal(coded, plain.decode(plain.encode(images), plain.decoder_slices))
    assert plain.encode(images) == c.encode_raw(images)


def test_fixed_codes_have_the_papers_length() -> None:
    assert {len(code) for code in codec("grey", code_bits=8).encode_raw(some_images(codec("grey")))} == {5}
    colour = codec("colour", code_bits=5, entropy_coding=False)
    assert {len(code) for code in colour.encode(some_images(colour))} == {-(-3 * 36 * 5 // 8)}


def test_the_table_is_counted_and_serves_all_code_bits() -> None:
    with_table, without = codec().decoder_slices[0], codec(entropy_coding=False).decoder_slices[0]
    assert with_table.n_byte > without.n_byte
    assert with_table.id == codec(code_bits=3).decoder_slices[0].id
    assert "table" not in without.tensors


def test_slices_name_model_role_and_precision() -> None:
    c = codec(precision="int6")
    (decoder,), (encoder,) = c.decoder_slices, c.encoder_slices
    assert (decoder.name, decoder.role, decoder.precision) == ("aesc/grey/decoder", "decoder", "int6")
    assert (encoder.name, encoder.role, encoder.precision) == ("aesc/grey/encoder", "encoder", "float16")
    assert decoder.n_byte < codec(precision="float16").decoder_slices[0].n_byte


def test_the_codec_encodes_with_the_weights_of_its_encoder_slice() -> None:
    c = codec("colour")
    for name, tensor in c.encoder_slices[0].tensors.items():
        assert np.array_equal(c._encoder.state_dict()[name].numpy(), tensor)


def test_a_slice_of_other_precision_decodes_too() -> None:
    c = codec(precision="int8")
    other = codec(precision="float32").decoder_slices
    images = some_images(c)
    assert not torch.equal(c.decode(c.encode(images), other), c.decode(c.encode(images), c.decoder_slices))


def test_damaged_weights_are_used_as_they_arrived() -> None:
    c = codec(precision="int8")
    header, body = split_raw(c.decoder_slices[0])
    wrong = bytes([body[0] ^ 0x80]) + body[1:]
    damaged = join_raw(header, wrong, transfer="t1")
    codes = c.encode_raw(some_images(c))
    clean = c.decode_raw(codes, c.decoder_slices)
    assert not torch.equal(c.decode_raw(codes, [damaged]), clean)
    assert torch.equal(c.decode_raw(codes, c.decoder_slices), clean)  # nothing of it stays


def test_foreign_slices_are_refused_by_name_and_shape() -> None:
    c = codec()
    code = c.encode(some_images(c, 1))
    with pytest.raises(CodecError, match="got none; allowed exactly aesc/grey/decoder"):
        c.decode(code)
    with pytest.raises(CodecError, match="got aesc/colour/decoder"):
        c.decode(code, codec("colour").decoder_slices)
    twice = c.decoder_slices * 2
    with pytest.raises(CodecError, match="allowed exactly"):
        c.decode(code, twice)
    forged = make_slice("aesc/grey/decoder", "decoder", {"1.weight": np.ones((2, 2))}, precision="int8")
    with pytest.raises(CodecError, match="aren't this model's"):
        c.decode(code, [forged])
    with pytest.raises(CodecError, match="aren't this model's"):
        c.decode(code, codec(entropy_coding=False).decoder_slices)


def test_unknown_models_are_named() -> None:
    with pytest.raises(UnknownName, match=r"aesc/gray.*did you mean 'aesc/grey'"):
        codec("gray")


@pytest.mark.parametrize("low", [0, -1])
def test_cells_are_nested_and_values_outside_stay_in_the_outermost(low: int) -> None:
    values = torch.linspace(-1.5, 1.5, 1000).view(1, 1, -1)
    fine, coarse = quantise(values, low, 8), quantise(values, low, 4)
    assert (fine >> 4 == coarse).all()
    assert fine.min() == 0 and fine.max() == 255
    middles = low + (1 - low) * (fine + 0.5) / 256
    inside = ((values >= low) & (values <= 1)).numpy()
    assert np.abs(middles - values.numpy())[inside].max() <= (1 - low) / 512 + 1e-6


def test_sizes_of_work() -> None:
    c = codec("colour")
    assert 0 < c.decode_flop < c.encode_flop * 10
    assert isinstance(c.decode_flop, int)
