"""RL-ASC in the zoo: what doesn't belong together is refused."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
import torch

from simnet.codecs import rlasc
from simnet.codecs.base import CodecError
from simnet.codecs.entropy.lengths import with_length
from simnet.codecs.entropy.whole_map import WholeMaps
from simnet.codecs.networks.rlasc_agent import Agent, AgentShape
from simnet.core.zoo import model_dir
from simnet.data.camvid_small import CamVidSmall
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.fpn import Fpn


def test_a_segmenter_of_other_classes_is_refused() -> None:
    other = patch.object(rlasc, "load_segmenter", lambda path: Fpn(width=4, n_classes=5).eval())
    with other, pytest.raises(CodecError, match="knows 5 classes; rlasc/street allows 11"):
        rlasc.Rlasc(rlasc.Rlasc.Params())


def test_an_agent_of_another_model_is_refused() -> None:
    other = patch.object(rlasc, "load_agent", lambda path: Agent(AgentShape(code_channels=3)))
    with other, pytest.raises(CodecError, match="another model than rlasc/street"):
        rlasc.Rlasc(rlasc.Rlasc.Params(agent="rlasc_agent/street"))


def test_heads_of_what_a_picture_shows_are_enough() -> None:
    codec = rlasc.Rlasc(rlasc.Rlasc.Params(level=2))
    (code,) = codec.encode(torch.full((1, 3, 96, 128), 0.4))
    needed = codec.needed(code)
    assert len(needed) < len(codec.decoder_slices)
    assert torch.equal(codec.decode([code], needed), codec.decode([code], codec.decoder_slices))
    with pytest.raises(CodecError, match="whose head is missing"):
        codec.decode([code], [s for s in needed if "/head/" not in s.name])


def test_a_full_label_map_arrives_as_it_was() -> None:
    """It costs more than the small one, and concepts end where it says; features and levels stay as they are."""
    images = torch.tensor(CamVidSmall().load("sample").first(2).images).float() / 255
    small, full = (rlasc.Rlasc(rlasc.Rlasc.Params(level=3, label_map=size)) for size in ("eighth", "full"))
    segmenter = load_segmenter(model_dir("segmenter/street_parser") / "weights.safetensors")
    with torch.no_grad():
        seen = segmenter(images).argmax(1)
    codes = full.encode(images)
    for i, (code, shorter) in enumerate(zip(codes, small.encode(images), strict=True)):
        concepts, expected = full.explained(code)[0], small.explained(shorter)[0]
        assert concepts.whole_map is not None and (concepts.whole_map == seen[i].numpy()).all()
        assert (concepts.label_map == expected.label_map).all() and (concepts.levels == expected.levels).all()
        assert all((concepts.symbols[label] == values).all() for label, values in expected.symbols.items())
        assert len(code) > len(shorter)
    assert not torch.equal(
        full.decode(codes, full.decoder_slices), small.decode(small.encode(images), small.decoder_slices)
    )


def test_damaged_full_maps_are_refused() -> None:
    codec = rlasc.Rlasc(rlasc.Rlasc.Params(level=1, label_map="full"))
    (code,) = codec.encode(torch.full((1, 3, 96, 128), 0.4))
    with pytest.raises(CodecError, match=r"label map: WEBP file .* cannot be decoded"):
        codec.decode([code[:1] + bytes(8) + code[9:]], codec.decoder_slices)
    bright = WholeMaps((96, 128), 256, lambda whole: whole).encode(np.full((96, 128), 40))
    with pytest.raises(CodecError, match="names class 40 of 11"):
        codec.decode([with_length(bright) + b"\0"], codec.decoder_slices)
