"""RL-ASC in the zoo: what doesn't belong together is refused."""

from __future__ import annotations

from unittest.mock import patch

import pytest
import torch

from simnet.codecs import rlasc
from simnet.codecs.base import CodecError
from simnet.codecs.networks.rlasc_agent import Agent, AgentShape
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
