"""Models of the zoo whose files are not what their cards say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from simnet.codecs.aesc import Aesc
from simnet.codecs.base import CodecError
from simnet.core.errors import SimnetError
from simnet.core.zoo import model_dir


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo of one model, in a folder of its own."""
    folder = tmp_path / "aesc" / "digits_z40"
    shutil.copytree(model_dir("aesc/digits_z40"), folder)
    monkeypatch.setenv("SIMNET_ZOO", str(tmp_path))
    return folder


def test_the_copy_itself_is_accepted(zoo: Path) -> None:
    assert Aesc(Aesc.Params(model="digits_z40")).decoder_slices[0].name == "aesc/digits_z40/decoder"


def test_weights_that_the_card_does_not_know_are_refused(zoo: Path) -> None:
    weights = bytearray((zoo / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (zoo / "weights.safetensors").write_bytes(weights)
    with pytest.raises(CodecError, match=r"weights\.safetensors: got SHA-256 \w+…; its card says \w+…"):
        Aesc(Aesc.Params(model="digits_z40"))


def test_truncated_weights_are_refused(zoo: Path) -> None:
    (zoo / "card.yaml").unlink()
    weights = (zoo / "weights.safetensors").read_bytes()
    (zoo / "weights.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(SimnetError, match=r"weights\.safetensors: not the weights of an AESC-I codec"):
        Aesc(Aesc.Params(model="digits_z40"))


@pytest.mark.parametrize(
    "card", ["", "kind: x", "measured: [1", "measured: null", "measured: {weights_sha256: 5}", "\xff"], ids=repr
)
def test_a_damaged_card_is_named(zoo: Path, card: str) -> None:
    (zoo / "card.yaml").write_text(card, encoding="latin-1")
    with pytest.raises(CodecError, match=r"card\.yaml: not a readable card \(.+\); restore it, or run"):
        Aesc(Aesc.Params(model="digits_z40"))
