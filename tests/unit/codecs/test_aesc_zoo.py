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
    ("card", "why"),
    [
        (b"", "got no 'measured'"),
        (b"model: aesc/digits_z40", "got no 'measured'"),
        (b"[1, 2]", "got no 'measured'"),
        (b"measured: [", "while parsing .*"),
        (b"\xff\xfe\x00", "'utf-8' codec can't decode .*"),
        (b"measured:", "measured: got None; allowed a mapping"),
        (b"measured: much", "measured: got 'much'; allowed a mapping"),
        (b"measured: {weights_sha256: 5}", "measured.weights_sha256: got 5; allowed a SHA-256"),
    ],
)
def test_a_damaged_card_is_named_with_what_is_wrong_and_what_to_do(zoo: Path, card: bytes, why: str) -> None:
    (zoo / "card.yaml").write_bytes(card)
    with pytest.raises(CodecError, match=rf"^\S+card\.yaml: not a readable card \({why}\); restore it, or delete it"):
        Aesc(Aesc.Params(model="digits_z40"))


@pytest.mark.parametrize("rows", ["5", "[5]", "[{esno_db: 5}]", "[{esno_db: 5, ss: much}]"])
def test_damaged_rows_of_a_card_are_named(zoo: Path, rows: str) -> None:
    (zoo / "card.yaml").write_text(f"measured: {{over_snr: {rows}}}")
    codec = Aesc(Aesc.Params(model="digits_z40"))
    with pytest.raises(
        CodecError, match=r"card\.yaml: not a readable card \(measured.over_snr: allowed a list of rows"
    ):
        _ = codec.over_snr


def test_what_is_told_of_a_damaged_card_helps(zoo: Path) -> None:
    (zoo / "card.yaml").unlink()
    assert Aesc(Aesc.Params(model="digits_z40")).over_snr == ()
