"""What every codec must keep whose codes go on the air as symbols: power, noise, determinism, one kind of error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from simnet.codecs.base import Codec, CodecError
from simnet.codecs.networks.channel_slices import ChannelSlices, ChannelSliceShape, pack_channel_slices
from simnet.codecs.networks.jscc import Jscc, JsccShape, pack_jscc
from simnet.codecs.networks.lsci import LsciBase, LsciShape, pack_base
from simnet.codecs.networks.sesc import Sesc, SescShape, pack_sesc
from simnet.codecs.networks.sesc_importance import By, ImportanceHead, ImportanceModel, pack_importance
from simnet.core.errors import UnknownName
from simnet.core.plugins import KINDS
from simnet.phy.learned.on_air import OnAir
from simnet.tasks.networks.detector import Detector
from simnet.tasks.networks.fpn import Fpn
from simnet.training.checkpoints import save_weights
from simnet.wire.slices import make_slice

SESC = SescShape(
    size=(32, 48), width=16, depth=1, decoder_width=16, decoder_depth=1, symbols=2, task_channels=(4, 6, 12, 20)
)
COLOUR, STREET = (3, 16, 24), (3, 40, 64)
PARAMS: dict[str, list[dict[str, Any]]] = {
    "jscc": [
        {"model": "awgn", "head": 2, "image_shape": COLOUR},
        {"model": "block", "head": 3, "image_shape": COLOUR, "precision": "float16"},
    ],
    "lsci_channel": [
        {"model": "tiny", "channel": "channel/awgn", "image_shape": STREET},
        {"model": "tiny", "channel": "channel/fast", "image_shape": STREET, "stages": 1, "precision": "int6"},
    ],
    "sesc": [
        {"model": "tiny", "task": "segmenter/tiny", "image_shape": (3, 32, 48), "features": 5},
        {"model": "tiny", "task": "segmenter/tiny", "image_shape": (3, 32, 48), "precision": "float16"},
        {
            "model": "tiny",
            "importance": "sesc_importance/detection",
            "task": "detector/tiny",
            "image_shape": (3, 32, 48),
            "features": 7,
        },
        {
            "model": "tiny",
            "importance": "sesc_importance/entropy",
            "task": None,
            "image_shape": (3, 32, 48),
            "features": 7,
        },
    ],
}
CASES = [(name, params) for name, cases in PARAMS.items() for params in cases]
Make = Callable[[], Codec]


def importance(by: By, task: str | None) -> bytes:
    """A file of family ``sesc_importance``; the detector's stacks are wider than the segmenter's."""
    networks = SESC.model_copy(update={"task_channels": (4, 8, 16, 24)})
    head = ImportanceHead(importance=by, codec="sesc/tiny", task=task, networks=networks)
    return pack_importance(ImportanceModel(head, head.build()))


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("zoo")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        files = {
            "jscc/awgn": pack_jscc(Jscc(JsccShape(width=4, heads=(2, 3)))),
            "jscc/block": pack_jscc(Jscc(JsccShape(width=4, heads=(3,), fading="rayleigh_block"))),
            "lsci/tiny": pack_base(LsciBase(LsciShape(width=2)), torch.ones(4, 5, dtype=torch.int64)),
            "channel/awgn": pack_channel_slices(ChannelSlices(ChannelSliceShape(width=4))),
            "sesc/tiny": pack_sesc(Sesc(SESC)),
            "sesc_importance/detection": importance("network", "detector/tiny"),
            "sesc_importance/entropy": importance("entropy", None),
            "channel/fast": pack_channel_slices(ChannelSlices(ChannelSliceShape(width=4, fading="rayleigh_fast"))),
        }
    for name, weights in files.items():
        (root / name).mkdir(parents=True)
        (root / name / "train.yaml").touch()
        (root / name / "weights.safetensors").write_bytes(weights)
    (root / "segmenter/tiny").mkdir(parents=True)
    (root / "segmenter/tiny/train.yaml").touch()
    header = {"network": "fpn", "options": '{"width": 4}'}
    save_weights(root / "segmenter/tiny/weights.safetensors", Fpn(width=4), header)
    (root / "detector/tiny").mkdir(parents=True)
    (root / "detector/tiny/train.yaml").touch()
    save_weights(root / "detector/tiny/weights.safetensors", Detector(width=4), {"width": "4"})
    return root


@pytest.fixture(params=CASES, ids=lambda c: f"{c[0]}-{'-'.join(map(str, c[1].values()))}".replace(" ", ""))
def make(request: pytest.FixtureRequest, zoo: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Builds the codec anew at each call."""
    monkeypatch.setenv("SIMNET_ZOO", str(zoo))
    name, params = request.param
    plugin = KINDS["codecs"].load(name)
    return lambda: plugin(plugin.Params.model_validate(params))


def images_of(codec: Codec, n: int) -> Tensor:
    assert codec.image_shape is not None
    return torch.from_numpy(np.random.default_rng(7).random((n, *codec.image_shape), dtype=np.float32))


def air_of(codec: Codec, n: int, esno: float = 10.0) -> list[OnAir]:
    assert codec.analog is not None
    return [OnAir.drawn(codec.analog.channel, codec.analog.uses, esno, 1, "test", i) for i in range(n)]


def test_images_come_back_in_shape_and_range(make: Make) -> None:
    codec = make()
    images = images_of(codec, 5)
    recovered = codec.decode(codec.over_air(codec.encode(images), air_of(codec, 5)), codec.decoder_slices)
    assert recovered.shape == images.shape and recovered.dtype == torch.float32
    assert bool(((recovered >= 0) & (recovered <= 1)).all()) and not recovered.requires_grad


def test_results_depend_neither_on_the_batch_nor_on_the_build(make: Make) -> None:
    codec, other = make(), make()
    images, airs = images_of(codec, 65), air_of(codec, 65)
    codes = codec.encode(images)
    assert codes == other.encode(images)
    got = codec.over_air(codes, airs)
    recovered = codec.decode(got, other.decoder_slices)
    for start, stop in ((0, 1), (3, 10), (1, 65)):
        assert other.encode(images[start:stop]) == codes[start:stop]
        assert other.over_air(codes[start:stop], airs[start:stop]) == got[start:stop]
        assert torch.equal(other.decode(got[start:stop], codec.decoder_slices), recovered[start:stop])


def test_the_same_air_is_the_same_noise_and_another_is_another(make: Make) -> None:
    codec = make()
    codes = codec.encode(images_of(codec, 1)) * 2
    one, two = air_of(codec, 2)
    first, again = codec.over_air(codes, [one, one])
    assert first == again
    assert first != codec.over_air(codes[:1], [two])[0]


def test_a_node_with_the_parts_that_codecs_share_misses_only_the_rest(make: Make) -> None:
    codec = make()
    names = [s.name for s in codec.decoder_slices]
    assert len(names) == len(set(names)) >= 2
    assert all(s.role == "decoder" for s in codec.decoder_slices)


def test_foreign_codes_and_slices_are_refused(make: Make) -> None:
    codec = make()
    (code,) = codec.over_air(codec.encode(images_of(codec, 1)), air_of(codec, 1))
    for wrong in (code[:-1], code + b"\0", b""):
        with pytest.raises(CodecError, match="got a code of"):
            codec.decode([wrong], codec.decoder_slices)
    for slices in (codec.decoder_slices[:-1], codec.decoder_slices[1:], ()):
        with pytest.raises(CodecError, match="decoder slices: got"):
            codec.decode([code], slices)
    assert codec.encode(images_of(codec, 1)[:0]) == []
    with pytest.raises(CodecError, match="got shape"):
        codec.encode(images_of(codec, 1)[:, :, 1:])


def test_slices_of_another_model_s_shape_are_refused(make: Make) -> None:
    codec = make()
    (code,) = codec.over_air(codec.encode(images_of(codec, 1)), air_of(codec, 1))
    slices = codec.decoder_slices
    for i, right in enumerate(slices):
        tensors = {name: np.zeros((*tensor.shape, 2), np.float32) for name, tensor in right.tensors.items()}
        wrong = make_slice(right.name, "decoder", tensors, precision="float16")
        with pytest.raises(CodecError, match=rf"slice {right.name}: its tensors aren't this model's \(another version"):
            codec.decode([code], [*slices[:i], wrong, *slices[i + 1 :]])


def test_another_channel_s_slice_is_named(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMNET_ZOO", str(zoo))
    plugin = KINDS["codecs"].load("lsci_channel")
    codec, other = (plugin(plugin.Params.model_validate({**PARAMS["lsci_channel"][i], "stages": 1})) for i in (0, 1))
    (code,) = codec.over_air(codec.encode(images_of(codec, 1)), air_of(codec, 1))
    said = "codec lsci_channel: decoder slices: got channel/fast/decoder; allowed exactly channel/awgn/decoder"
    with pytest.raises(CodecError, match=said):
        codec.decode([code], other.decoder_slices)


def sesc(**params: Any) -> Codec:
    plugin = KINDS["codecs"].load("sesc")
    return plugin(plugin.Params(model="tiny", image_shape=(3, 32, 48), **params))


def test_for_another_task_a_sender_misses_only_its_network_and_what_says_which_features_matter(
    zoo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMNET_ZOO", str(zoo))
    segmenting, detecting = (
        sesc(task="segmenter/tiny", features=5),
        sesc(importance="sesc_importance/detection", task="detector/tiny", features=5),
    )
    for mine, other in zip(segmenting.decoder_slices, detecting.decoder_slices, strict=True):
        assert mine.id == other.id
    held = {s.id for s in segmenting.encoder_slices}
    missed = [s.name for s in detecting.encoder_slices if s.id not in held]
    assert missed == ["sesc_importance/detection", "detector/tiny"]
    images = images_of(segmenting, 8)
    n_mask = -(-SESC.n_features // 8)
    masks = [[code[:n_mask] for code in codec.encode(images)] for codec in (segmenting, detecting)]
    assert masks[0] != masks[1], "another task needs other features"


def test_importance_of_another_model_or_task_is_refused(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMNET_ZOO", str(zoo))
    said = "codec sesc: task: got segmenter/tiny; importance sesc_importance/{} allows {}"
    for name, task in (("detection", "detector/tiny"), ("entropy", "None")):
        with pytest.raises(CodecError, match=said.format(name, task)):
            sesc(importance=f"sesc_importance/{name}", task="segmenter/tiny")
    with pytest.raises(CodecError, match="codec sesc: task: got None; the importance network of sesc/tiny needs one"):
        sesc(task=None)
    with pytest.raises(UnknownName, match="model"):
        sesc(importance="sesc_importance/none")


@pytest.mark.parametrize("esno", [0.5, 4.0])
def test_symbols_have_power_1_per_image_and_the_noise_is_what_esno_says(
    zoo: Path, monkeypatch: pytest.MonkeyPatch, esno: float
) -> None:
    """Two pitfalls: normalising over the batch, and half the noise (3 dB)."""
    monkeypatch.setenv("SIMNET_ZOO", str(zoo))
    plugin = KINDS["codecs"].load("jscc")
    codec = plugin(plugin.Params(model="awgn", head=3, image_shape=(3, 64, 64)))
    images = images_of(codec, 40) * torch.linspace(0.05, 1, 40).view(-1, 1, 1, 1)
    codes = codec.encode(images)
    sent = np.stack([np.frombuffer(code, np.complex64) for code in codes])
    assert np.abs((np.abs(sent) ** 2).mean(axis=1) - 1).max() < 1e-5
    got = np.stack([np.frombuffer(code, np.complex64) for code in codec.over_air(codes, air_of(codec, 40, esno))])
    noise = got - sent
    n = noise.size
    assert abs((np.abs(noise) ** 2).mean() * esno - 1) < 5 / np.sqrt(n)
    assert abs((noise.real**2).mean() * 2 * esno - 1) < 8 / np.sqrt(n)  # half of it in each dimension
    assert sent.shape[1] == 3 * 16 * 16  # complex symbols, not real values


@pytest.mark.parametrize(("name", "params"), CASES)
def test_only_colour_is_taken_and_that_is_said_when_the_scenario_is_read(name: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"image_shape\n.*got 1 channels; allowed 3"):
        KINDS["codecs"].load(name).Params.model_validate({**params, "image_shape": (1, 64, 64)})
