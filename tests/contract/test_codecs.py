"""What every codec plug-in must keep: shapes, range, determinism, independence of the batch, one kind of error."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor

from simnet.codecs.base import Codec, CodecError, CodecParams
from simnet.codecs.entropy.huffman import code_lengths
from simnet.codecs.entropy.label_map import fit_map_table
from simnet.codecs.entropy.static import fit_table
from simnet.codecs.networks.aesc import AescShape, Autoencoder, pack_autoencoder
from simnet.codecs.networks.compact import Compact, CompactShape
from simnet.codecs.networks.dsslic import DsslicShape, FineNet, pack_dsslic
from simnet.codecs.networks.lsci import LsciBase, LsciShape, pack_base
from simnet.codecs.networks.rlasc import LEVELS, Rlasc, RlascShape, pack_rlasc
from simnet.codecs.networks.rlasc_agent import Agent, AgentShape
from simnet.codecs.networks.super_resolution import SuperResolution
from simnet.core.plugins import KINDS
from simnet.tasks.networks.fpn import Fpn
from simnet.training.checkpoints import save_weights
from tests.contract.test_analog_codecs import PARAMS as ANALOG

GREY, COLOUR, STREET = (1, 28, 28), (3, 32, 32), (3, 40, 64)
AESC = {
    "tiny_grey": AescShape(architecture="grey28", z=4, code_activation="tanh"),
    "tiny_colour": AescShape(architecture="colour32", z=2, width=4, code_activation="relu"),
}
PARAMS: dict[str, list[dict[str, Any]]] = {
    "aesc": [
        {"model": "tiny_grey"},
        {"model": "tiny_grey", "code_bits": 3, "precision": "int6"},
        {"model": "tiny_colour", "code_bits": 10, "entropy_coding": False},
        {"model": "tiny_colour", "precision": "float16"},
    ],
    "avif": [
        {"image_shape": GREY, "quality": 20},
        {"image_shape": COLOUR, "quality": 50, "header": "strip", "subsampling": "4:4:4"},
    ],
    "comcnn": [
        {"model": "tiny", "image_shape": STREET, "quality": 20},
        {"model": "tiny", "image_shape": (3, 33, 47), "quality": 50, "header": "strip", "precision": "float16"},
    ],
    "dsslic": [
        {"model": "tiny", "image_shape": STREET, "segmenter": "segmenter/tiny"},
        {"model": "tiny", "image_shape": STREET, "segmenter": "segmenter/tiny", "residual_bpp": 1.5},
    ],
    "hevc": [
        {"image_shape": GREY, "quality": 20, "preset": "ultrafast"},
        {"image_shape": COLOUR, "quality": 50, "header": "strip", "subsampling": "4:4:4"},
    ],
    "jpeg": [
        {"image_shape": GREY, "quality": 10},
        {"image_shape": COLOUR, "quality": 60, "header": "strip"},
        {"image_shape": COLOUR, "quality": 30, "header": "strip", "optimize": True, "subsampling": "4:4:4"},
    ],
    "jpeg2000": [
        {"image_shape": GREY, "rate_bpp": 2},
        {"image_shape": COLOUR, "rate_bpp": 1.5, "header": "strip"},
        {"image_shape": COLOUR, "wavelet": "reversible"},
        {"image_shape": (3, 6, 8), "rate_bpp": 20, "header": "strip", "wavelet": "reversible"},
    ],
    "lsci": [
        {"model": "tiny", "image_shape": STREET},
        {"model": "tiny", "image_shape": STREET, "stages": 1, "precision": "int4", "sparsity": 0.5},
        {
            "model": "tiny",
            "image_shape": STREET,
            "segmenter": "segmenter/tiny",
            "enhancement": {"pooling": 2, "bpp": 2.0, "region": "background", "super_resolution": "lsci_sr/tiny"},
        },
    ],
    "rlasc": [
        {"model": "tiny", "image_shape": STREET, "segmenter": "segmenter/tiny"},
        {
            "model": "tiny",
            "image_shape": STREET,
            "segmenter": "segmenter/tiny",
            "agent": "rlasc_agent/tiny",
            "tables": "code",
        },
        {"model": "tiny", "image_shape": STREET, "segmenter": "segmenter/tiny", "level": 1, "levels": {"car": 6}},
        {"model": "tiny", "image_shape": STREET, "segmenter": "segmenter/tiny", "label_map": "full"},
    ],
    "raw": [{"image_shape": GREY}, {"image_shape": COLOUR}],
    "thumbnail": [{"image_shape": GREY, "side": 14, "bits": 1}, {"image_shape": COLOUR, "side": 5, "bits": 3}],
    "webp": [{"image_shape": GREY, "quality": 0, "header": "strip"}, {"image_shape": COLOUR, "quality": 50}],
}
OTHERS = os.environ.get("SIMNET_CONTRACT")
"""A YAML file: codec of another package -> settings to try, as in :data:`PARAMS`; see docs/plugins.md."""
if OTHERS is not None:
    PARAMS |= yaml.safe_load(Path(OTHERS).read_text(encoding="utf-8"))
CASES = [(name, params) for name, cases in PARAMS.items() for params in cases]
Make = Callable[[], Codec]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("zoo")
    for name, shape in AESC.items():
        folder = root / "aesc" / name
        folder.mkdir(parents=True)
        (folder / "train.yaml").touch()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            table = fit_table(np.ones((shape.z, 16), np.int64))
            (folder / "weights.safetensors").write_bytes(pack_autoencoder(Autoencoder(shape), table))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        base = pack_base(LsciBase(LsciShape(width=2)), torch.ones(4, 5, dtype=torch.int64))
        segmenter, restorer = Fpn(width=4), SuperResolution(2)
        compact = CompactShape(width=4, depth=3)
        around_jpeg = Compact(compact)
        concepts = pack_rlasc(Rlasc(RlascShape(width=4, code_channels=2)), *tables_of_concepts())
        agent = AgentShape(code_channels=2, width=4)
        allocating = Agent(agent)
        fine = FineNet(DsslicShape(width=4))
    for name in (
        "lsci/tiny", "segmenter/tiny", "lsci_sr/tiny", "comcnn/tiny", "rlasc/tiny", "rlasc_agent/tiny", "dsslic/tiny",
    ):  # fmt: skip
        (root / name).mkdir(parents=True)
        (root / name / "train.yaml").touch()
    (root / "lsci/tiny/weights.safetensors").write_bytes(base)
    header = {"network": "fpn", "options": '{"width": 4}'}
    save_weights(root / "segmenter/tiny/weights.safetensors", segmenter, header)
    (root / "rlasc/tiny/weights.safetensors").write_bytes(concepts)
    save_weights(root / "rlasc_agent/tiny/weights.safetensors", allocating, {"shape": agent.model_dump_json()})
    compact_table = torch.from_numpy(fit_table(np.ones((3, 16), np.int64)))
    layered = pack_dsslic(fine, compact_table, tables_of_concepts()[1])
    (root / "dsslic/tiny/weights.safetensors").write_bytes(layered)
    save_weights(root / "lsci_sr/tiny/weights.safetensors", restorer, {"width": "2"})
    save_weights(root / "comcnn/tiny/weights.safetensors", around_jpeg, {"shape": compact.model_dump_json()})
    return root


def tables_of_concepts() -> tuple[Tensor, Tensor]:
    """Of equally likely symbols and maps."""
    lengths = np.concatenate([code_lengths(np.ones(n, np.int64)) for n in LEVELS])
    maps = fit_map_table(np.random.default_rng(0).integers(0, 11, (4, 5, 8)), 11)
    return torch.from_numpy(np.tile(lengths, (11, 1))), torch.from_numpy(maps)


@pytest.fixture(params=CASES, ids=lambda c: f"{c[0]}-{'-'.join(map(str, c[1].values()))}".replace(" ", ""))
def make(request: pytest.FixtureRequest, zoo: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Builds the codec anew at each call."""
    monkeypatch.setenv("SIMNET_ZOO", str(zoo))
    name, params = request.param
    plugin = KINDS["codecs"].load(name)
    return lambda: plugin(plugin.Params.model_validate(params))


def images_of(codec: Codec, n: int) -> Tensor:
    """Noise of all contrasts, multiples of 1/255, the same in each call."""
    shape = codec.image_shape
    assert shape is not None
    rng = np.random.default_rng(7)
    contrast = rng.random((n, 1, 1, 1))
    return torch.from_numpy((rng.integers(0, 256, (n, *shape)) * contrast).astype(np.uint8)).float() / 255


def test_every_codec_is_held_to_the_contract() -> None:
    assert sorted([*PARAMS, *ANALOG]) == KINDS["codecs"].names()
    assert all(KINDS["codecs"].summary(name) for name in KINDS["codecs"].names())


def test_images_come_back_in_shape_and_range(make: Make) -> None:
    codec = make()
    images = images_of(codec, 5)
    codes = codec.encode(images)
    assert len(codes) == 5 and all(isinstance(code, bytes) for code in codes)
    recovered = codec.decode(codes, codec.decoder_slices)
    assert recovered.shape == images.shape and recovered.dtype == torch.float32
    assert bool(((recovered >= 0) & (recovered <= 1)).all())
    assert not recovered.requires_grad


def test_two_builds_agree_to_the_bit(make: Make) -> None:
    one, two = make(), make()
    images = images_of(one, 3)
    assert one.encode(images) == two.encode(images)
    assert [s.id for s in one.decoder_slices] == [s.id for s in two.decoder_slices]
    codes = one.encode(images)
    assert torch.equal(one.decode(codes, two.decoder_slices), two.decode(codes, one.decoder_slices))


@pytest.mark.parametrize("verbs", [("encode", "decode"), ("encode_raw", "decode_raw")])
def test_results_do_not_depend_on_the_batch(make: Make, verbs: tuple[str, str]) -> None:
    codec = make()
    encode, decode = (getattr(codec, verb) for verb in verbs)
    images = images_of(codec, 65)
    slices = codec.decoder_slices
    codes = encode(images)
    recovered = decode(codes, slices)
    order = np.random.default_rng(3).permutation(65).tolist()
    assert encode(images[order]) == [codes[i] for i in order]
    assert torch.equal(decode([codes[i] for i in order], slices), recovered[order])
    for n in (1, 7, 64):
        assert encode(images[:n]) == codes[:n]
        assert torch.equal(decode(codes[-n:], slices), recovered[-n:])


def test_arguments_stay_as_they_were(make: Make) -> None:
    codec = make()
    images = images_of(codec, 2)
    before = images.clone()
    codec.decode(codec.encode(images), codec.decoder_slices).zero_()
    assert torch.equal(images, before)
    again = [codec.decode(codec.encode(x), codec.decoder_slices) for x in (images, before)]
    assert torch.equal(*again)


def test_unfit_images_are_refused(make: Make) -> None:
    codec = make()
    good = images_of(codec, 1)
    cases = [
        (good[0], "got shape"),
        (good[:, :, 1:], "got shape"),
        (good.double(), "torch.float32"),
        (good + 1.5, "divide bytes by 255"),
        (torch.full_like(good, float("nan")), "allowed \\[0, 1\\]"),
    ]
    for images, message in cases:
        for verb in (codec.encode, codec.encode_raw):
            with pytest.raises(CodecError, match=message):
                verb(images)


def test_no_images_no_codes(make: Make) -> None:
    codec = make()
    assert codec.encode(images_of(codec, 1)[:0]) == []
    with pytest.raises(CodecError, match="got no codes"):
        codec.decode([], codec.decoder_slices)


def test_damaged_codes_decode_or_raise_one_error(make: Make) -> None:
    codec = make()
    rng = np.random.default_rng(11)
    (code,) = codec.encode(images_of(codec, 1))
    for damaged in damages(code, rng):
        try:
            recovered = codec.decode([damaged], codec.decoder_slices)
        except CodecError:
            continue
        assert recovered.shape == (1, *(codec.image_shape or ()))


def test_unprotected_codes_always_decode(make: Make) -> None:
    codec = make()
    rng = np.random.default_rng(12)
    (code,) = codec.encode_raw(images_of(codec, 1))
    for _ in range(30):
        flips = np.packbits(rng.random(8 * len(code)) < rng.choice([0.001, 0.01, 0.5]))
        wrong = (np.frombuffer(code, np.uint8) ^ flips).tobytes()
        recovered = codec.decode_raw([wrong], codec.decoder_slices)
        assert recovered.shape == (1, *(codec.image_shape or ()))
        assert bool(((recovered >= 0) & (recovered <= 1)).all())


def test_learned_codecs_have_slices_and_classical_ones_none(make: Make) -> None:
    codec = make()
    assert bool(codec.decoder_slices) == bool(codec.encoder_slices) == codec.semantic
    if codec.semantic:
        with pytest.raises(CodecError, match="slice"):
            codec.decode(codec.encode(images_of(codec, 1)), ())
    assert all(0 <= codec.header_byte(code) <= len(code) for code in codec.encode(images_of(codec, 3)))
    assert codec.encode_flop >= 0 and codec.decode_flop >= 0


def test_parameters_of_another_codec_are_refused(make: Make) -> None:
    class Foreign(CodecParams):
        pass

    with pytest.raises(CodecError, match="got Foreign"):
        type(make())(Foreign())


def damages(code: bytes, rng: np.random.Generator) -> list[bytes]:
    """Truncated, lengthened, random and bit-flipped versions of a code."""
    flipped = []
    for _ in range(20):
        wrong = bytearray(code)
        if wrong:
            wrong[int(rng.integers(len(wrong)))] ^= 1 << int(rng.integers(8))
        flipped.append(bytes(wrong))
    return [b"", code[: len(code) // 2], code + b"\0", code + code, rng.bytes(len(code)), rng.bytes(9), *flipped]


def test_codes_that_travel_as_bytes_are_no_symbols(make: Make) -> None:
    codec = make()
    assert codec.analog is None
    with pytest.raises(CodecError, match="travel as bytes"):
        codec.over_air(codec.encode(images_of(codec, 1)), [])
