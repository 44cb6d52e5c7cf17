"""The architecture of paper 003 at full size, and what a test of each pitfall would have caught."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from simnet.codecs.jscc import Jscc as Codec
from simnet.codecs.networks.jscc import Jscc, JsccShape, load_jscc, n_symbols, pack_jscc
from simnet.core.errors import SimnetError
from simnet.phy.learned.power import normalise_power


def test_full_size_has_the_paper_s_parameters() -> None:
    """PAPERS.md: 294 k and 472 k at width 64; nothing is allocated."""
    with torch.device("meta"):
        networks = Jscc(JsccShape(width=64, heads=(8,)))
    count = {
        side: sum(p.numel() for part in parts for p in part.parameters())
        for side, parts in (
            ("encoder", (networks.encoder, networks.to_channel)),
            ("decoder", (networks.from_channel, networks.decoder)),
        )
    }
    assert count == {"encoder": 293_463, "decoder": 471_370}


@pytest.mark.parametrize(("head", "ratio"), [(2, 1 / 24), (4, 1 / 12), (8, 1 / 6), (19, 1 / 2.5)])
def test_k_counts_complex_symbols(head: int, ratio: float) -> None:
    k = n_symbols((32, 32), head)
    assert k / (3 * 32 * 32) == pytest.approx(ratio, rel=0.02)  # 19 channels are 1/2.53
    networks = Jscc(JsccShape(width=4, heads=(head,))).eval()
    symbols = networks.encode(torch.rand(2, 3, 32, 32), head)
    assert symbols.shape == (2, k) and symbols.is_complex()


def test_power_is_1_for_each_image_whatever_its_neighbours() -> None:
    networks = Jscc(JsccShape(width=4, heads=(2,))).eval()
    images = torch.rand(6, 3, 16, 16) * torch.linspace(0.01, 1, 6).view(-1, 1, 1, 1)
    together = networks.encode(images, 2)
    assert torch.allclose(together.abs().square().mean(1), torch.ones(6), atol=1e-5)
    alone = torch.cat([networks.encode(image[None], 2) for image in images])
    assert torch.allclose(together, alone, atol=1e-5)


def test_heads_share_one_trunk_and_nothing_of_their_own_but_the_layer_at_the_channel() -> None:
    networks = Jscc(JsccShape(width=4, heads=(2, 8)))
    names = {name.split(".")[0] for name, _ in networks.named_parameters()}
    assert names == {"encoder", "to_channel", "from_channel", "decoder"}
    assert set(networks.to_channel) == set(networks.from_channel) == {"2", "8"}


def test_gradients_flow_from_the_image_through_the_channel() -> None:
    networks = Jscc(JsccShape(width=4, heads=(2,), fading="rayleigh_block"))
    channel, generator = networks.shape.channel(), torch.Generator().manual_seed(1)
    images = torch.rand(4, 3, 16, 16)
    draws = channel.draw(4, n_symbols((16, 16), 2), generator)
    made = networks(images, 2, channel, torch.full((4,), 10.0), draws)
    (made - images).square().mean().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in networks.encoder.parameters())


def test_symbols_of_an_image_of_zeros_stay_zero() -> None:
    assert bool((normalise_power(torch.zeros(1, 5, dtype=torch.complex64)) == 0).all())


def _as_json(shape: str) -> bytes:
    return save({"a": torch.zeros(1)}, metadata={"shape": shape})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"not the weights of a JSCC codec \("),
        (pack_jscc(Jscc(JsccShape(width=4, heads=(2,))))[:300], r"not the weights of a JSCC codec \("),
        (save({"a": torch.zeros(1)}), "not the weights of a JSCC codec, but of another kind of model"),
        (
            save({"a": torch.zeros(1)}, metadata={"network": "fpn"}),
            r"not .* of another kind of model \(it has no 'shape'\)",
        ),
        (_as_json("{"), r"not the weights of a JSCC codec \("),
        (_as_json("[1]"), r"not the weights of a JSCC codec \("),
        (_as_json('{"width": "wide"}'), r"not the weights of a JSCC codec \("),
        (None, r"not the weights of a JSCC codec \("),
    ],
    ids=["empty", "cut off", "no metadata", "another kind", "broken JSON", "a list", "another shape", "a folder"],
)
def test_the_scenario_s_check_refuses_damaged_weights_as_the_codec_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, message: str
) -> None:
    """Which models a codec takes is asked before it is made, so this is where damage is met first."""
    monkeypatch.setenv("SIMNET_ZOO", str(tmp_path))
    weights = tmp_path / "jscc" / "hurt" / "weights.safetensors"
    weights.parent.mkdir(parents=True)
    if content is None:
        weights.mkdir()
    else:
        weights.write_bytes(content)
    (weights.parent / "train.yaml").touch()
    for asked in (Codec.Params(model="hurt").models, lambda: load_jscc(weights)):
        with pytest.raises(SimnetError, match=f"weights.safetensors: {message}"):
            asked()
