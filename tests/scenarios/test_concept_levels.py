"""RL-ASC's agents spend bits where the task is: seen on many pictures, by what their codes hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from simnet.codecs.rlasc import Rlasc
from simnet.core.zoo import zoo_root
from simnet.data.camvid_small import CamVidSmall

AGENTS = sorted(card.parent.name for card in (zoo_root() / "rlasc_agent").glob("*/card.yaml"))
assert AGENTS
SMALL = ("pole", "sign", "pedestrian", "bicyclist")
WIDE = ("sky", "road")


@pytest.mark.parametrize("agent", AGENTS)
def test_small_things_get_finer_levels_and_more_bits_a_place_than_sky_and_road(agent: str) -> None:
    images = torch.tensor(CamVidSmall().load("sample").images[::5]).float() / 255
    codec = Rlasc(Rlasc.Params(agent=f"rlasc_agent/{agent}", price=0.4))
    explained = [codec.explained(code) for code in codec.encode(images)]
    places = np.array([np.bincount(concepts.label_map.ravel(), minlength=len(bits)) for concepts, bits in explained])
    levels = np.array([concepts.levels for concepts, _ in explained])
    bits = np.array([bits for _, bits in explained])
    of = {name: i for i, name in enumerate(CamVidSmall.class_names[: places.shape[1]])}
    for small in SMALL:
        seen = places[:, of[small]] > 0
        assert seen.sum() > 3
        for wide in WIDE:
            both = seen & (places[:, of[wide]] > 0)
            finer = levels[both, of[small]] - levels[both, of[wide]]
            assert finer.mean() > 2 * finer.std(ddof=1) / np.sqrt(both.sum()), (small, wide)
            a_place = [bits[both, of[name]].sum() / places[both, of[name]].sum() for name in (small, wide)]
            assert a_place[0] > a_place[1], (small, wide)


def test_a_dearer_bit_is_spent_less() -> None:
    images = torch.tensor(CamVidSmall().load("sample").images[::10]).float() / 255
    spent = []
    for price in (0.1, 0.4, 1.6):
        codec = Rlasc(Rlasc.Params(agent="rlasc_agent/street", price=price))
        spent.append(sum(map(len, codec.encode(images))))
    assert spent == sorted(spent, reverse=True) and spent[0] > 1.1 * spent[-1]
