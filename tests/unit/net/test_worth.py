"""What SS a slice adds, and that stores which ask are told."""

from __future__ import annotations

import pytest

from simnet.net.worth import SliceWorth
from simnet.signal.plane import CodecCard
from simnet.wire.slices import Slice
from tests.support.tiny import Tiny
from tests.support.world import simulate


class Profile:
    """As much of a codec as its slices' worth depends on."""

    def __init__(self, name: str, n_slice: int, **ss: float) -> None:
        self.decoder_slices: tuple[Slice, ...] = Tiny(name=name, n_slice=n_slice).decoder_slices
        self._ss = ss

    def card(self, source_type: str) -> CodecCard:
        return CodecCard(10, self._ss[source_type], 100)


def test_worth_is_the_most_that_a_slice_adds_to_what_needs_none() -> None:
    good, poor = Profile("good", 2, digits=0.9, clothes=0.8), Profile("poor", 1, digits=0.5)
    jpeg, thumbnail = Profile("jpeg", 0, digits=0.6), Profile("thumbnail", 0, digits=0.2)
    worth = SliceWorth({"digits": [good, poor, jpeg, thumbnail], "clothes": [good]})  # type: ignore[list-item]
    assert [worth.of(slice_.id) for slice_ in good.decoder_slices] == [0.8, 0.8]  # clothes have nothing else
    assert worth.of(poor.decoder_slices[0].id) == 0.0  # JPEG gives more
    assert worth.of("0" * 32) == 0.0
    only_digits = SliceWorth({"digits": [good, jpeg]})  # type: ignore[list-item]
    assert only_digits.of(good.decoder_slices[1].id) == pytest.approx(0.3)


@pytest.mark.parametrize("policy", ["ss_aware", "lru"])
def test_only_a_store_that_asks_is_told(policy: str) -> None:
    """Tiny's images are all right, grey ones in one class of four: 0.75 is what the decoder adds."""
    codecs = {"tiny": Tiny(), "grey": Tiny(name="grey", n_slice=0, quality=0.0, code_byte=2000)}
    changes = {
        "protocol.codecs": {"shapes": ["tiny", "grey"]},
        "protocol.store": {"policy": policy},
        "protocol.propagation": {"kind": "preload"},
    }
    run = simulate([(0.0, "reader", 0)], changes, codecs=codecs)
    (decoder,) = codecs["tiny"].decoder_slices
    held = run.arm.network.nodes["reader"].store.get(decoder.id, run.arm.clock.now)
    assert held is not None and held.worth == (0.75 if policy == "ss_aware" else 1.0)
