"""``protocol.protect`` on links without protection: what is protected arrives whole, costs its bytes, and only that."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import pytest

from simnet.core.errors import SimnetError
from simnet.net.protect import check_protect
from simnet.scenario.schema import Protect
from simnet.wire.messages import SliceData, encode_message
from simnet.wire.slices import split_raw
from tests.support.links import Ether, Sent
from tests.support.tiny import Tiny
from tests.support.world import Run, simulate, symbols

NOISY = {"radios.radio.protection": "none", "radios.radio.bit_error_rate": 0.05}
WISHES = [(0.0, "reader", 0), (1.0, "reader", 1), (2.0, "reader", 2)]


def noisy(**protect: Any) -> Run:
    return simulate(WISHES, {**NOISY, "protocol.protect": protect})


def test_the_bit_error_rate_is_the_one_that_was_set() -> None:
    rate, n_byte, n_payload = 0.01, 1000, 60
    rows = Ether(protection="none", bit_error_rate=rate).send_all(
        [Sent(float(i), n_byte=100, body=bytes(n_byte)) for i in range(n_payload)]
    )
    n_bit = 8 * n_byte * n_payload
    assert abs(sum(row.bit_errors for row in rows) / n_bit - rate) < 4 * math.sqrt(rate * (1 - rate) / n_bit)
    assert all(row.outcome == "delivered" and row.attempt_count == 1 for row in rows)
    assert len({row.bit_errors for row in rows}) > 5  # every delivery draws its own


def test_codes_and_models_are_hit_apart() -> None:
    both, code_only, model_only = noisy(), noisy(model="all"), noisy(code="all")
    for run, code_hit, model_hit in ((both, True, True), (code_only, True, False), (model_only, False, True)):
        assert any(row.bit_errors for row in run.transfers("Code")) == code_hit
        assert any(row.bit_errors for row in run.transfers("SliceData")) == model_hit
        assert [row.damaged for row in run.deliveries()] == [True] * 3
    # a damaged decoder is used once, so that every request brings it again; a whole one is kept
    assert [row.slices_missed for row in both.requests()] == [1, 1, 1]
    assert [row.slices_missed for row in code_only.requests()] == [1, 0, 0]
    assert len({row.slices for row in both.deliveries()}) == 3


def test_with_everything_protected_all_is_as_with_arq() -> None:
    protected, arq = noisy(code="all", model="all"), simulate(WISHES)
    for rows in ("requests", "deliveries", "transfers", "stores"):
        assert [asdict(r) for r in getattr(protected, rows)()] == [asdict(r) for r in getattr(arq, rows)()]
    assert not any(row.damaged for row in protected.deliveries())


@pytest.mark.parametrize("high_bits", [1, 3, 7, None])
def test_what_is_protected_is_counted_in_protected_blocks(high_bits: int | None) -> None:
    run = noisy(code="all", model="part", layers=["w"], high_bits=high_bits)
    (slice_,) = run.arm.decoders.values()
    header, body = split_raw(slice_, layers=["w"], high_bits=high_bits)
    assert len(body) == (0 if high_bits is None else (8 - high_bits) * 400 // 8)
    for index, row in enumerate(run.transfers("SliceData")):
        frame = encode_message(SliceData(index, slice_.id, header))
        assert row.payload_byte == len(frame) + len(body) == row.delivered_byte
        assert row.first_channel_use == symbols(len(frame)) + symbols(len(body))
        assert (row.bit_errors > 0) == (high_bits is not None)


def test_more_protected_bits_do_less_harm() -> None:
    """Of two's complement words with all bits wrong but the b highest, none is off by more than 2^(8 − b) − 1 steps."""
    psnrs = [noisy(code="all", model="part", high_bits=b).deliveries()[0].psnr_db for b in (1, 3, 5, 7)]
    assert psnrs == sorted(psnrs) and len(set(psnrs)) == 4


def test_the_planner_counts_on_what_protection_promises() -> None:
    assert noisy(code="all", model="all").requests()[0].predicted_ss == simulate(WISHES).requests()[0].predicted_ss


SLICES = Tiny(n_slice=2).decoder_slices


def test_layers_that_no_slice_has_are_said_with_those_that_it_has() -> None:
    with pytest.raises(SimnetError) as error:
        check_protect(Protect(model="part", layers=("w", "dec.0.*")), SLICES, "arms.a.protect")
    assert str(error.value) == (
        "arms.a.protect.layers: got 'dec.0.*', which fits no weight tensor; allowed: globs of "
        "tiny/decoder0: w; tiny/decoder1: w"
    )
    check_protect(Protect(model="part", layers=("[vw]",)), SLICES, "")
    check_protect(Protect(model="part", layers=("dec.0.*",)), [], "")  # an arm of classical codecs


def test_more_high_bits_than_weights_have_are_an_error() -> None:
    with pytest.raises(SimnetError, match=r"protocol\.protect\.high_bits: got 9; allowed 1\.\.8: .* int8"):
        check_protect(Protect(model="part", high_bits=9), SLICES, "protocol.protect")
