"""Analog codes: symbols cross one radio link, noisy, counted as channel uses; all else of them travels as bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from torch import Tensor

from simnet.core.errors import SimnetError
from simnet.core.units import db_to_linear
from simnet.phy.learned.on_air import Analog, OnAir
from simnet.wire.slices import Slice
from tests.support.tiny import Tiny, TinyAnalog
from tests.support.world import Run, node, radio_link, simulate, wire

AIRTIME = {"protocol.planner.cost": "airtime", "radios.radio.mean_esno_db": 20.0}
TWICE = [(0.0, "reader", 0), (1.0, "reader", 1)]


def run_analog(changes: dict[str, object] | None = None, requests: list[tuple[float, str, int]] | None = None) -> Run:
    codecs = {"tiny": TinyAnalog(name="analog")}
    return simulate(requests or TWICE, {**AIRTIME, **(changes or {})}, codecs=codecs)


def test_symbols_are_counted_as_channel_uses_and_not_as_bytes() -> None:
    run = run_analog({"radios.radio.turnaround_s": 0.001})
    codes = run.transfers("Code")
    assert [row.outcome for row in codes] == ["delivered"] * 2
    for row in codes:
        assert row.first_byte == row.payload_byte < 40  # the header alone
        assert row.first_channel_use == 288 + 2  # one codeword of 576 bits, and the symbols
        assert row.overhead_channel_use == 1  # sent back by the receiver
        assert row.air_s == pytest.approx((288 + 2 + 1) / 1e5 + 2 * 0.001)  # two turns for what goes back
    assert [row.code_byte for row in run.deliveries()] == [0, 0]
    assert not any(row.damaged for row in run.deliveries())
    assert [row.slices_missed for row in run.requests()] == [1, 0]


class Sided(TinyAnalog):
    """Seven bytes before the symbols, as a mask that says which features come."""

    @property
    def analog(self) -> Analog:
        return replace(super().analog, side_byte=7)

    def encode(self, images: Tensor) -> list[bytes]:
        return [b"<which>" + code for code in super().encode(images)]

    def over_air(self, codes: Sequence[bytes], each: Sequence[OnAir]) -> list[bytes]:
        return [b"<which>" + code for code in super().over_air([code[7:] for code in codes], each)]

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        assert {code[:7] for code in codes} == {b"<which>"}
        return super().decode([code[7:] for code in codes], slices)


def test_what_goes_as_bits_before_the_symbols_is_counted() -> None:
    plain = run_analog()
    sided = simulate(TWICE, AIRTIME, codecs={"tiny": Sided(name="analog")})
    pairs = list(zip(plain.transfers("Code"), sided.transfers("Code"), strict=True))
    assert [b.payload_byte - a.payload_byte for a, b in pairs] == [7, 7]
    assert [row.code_byte for row in sided.deliveries()] == [7, 7]
    assert [a.psnr_db for a in plain.deliveries()] == [b.psnr_db for b in sided.deliveries()]
    assert sided.arm.plane.codecs["tiny"].card("shapes").code_byte == 7


def test_what_arrives_is_noisy_as_the_link_says_and_the_same_in_every_arm() -> None:
    arms = {"arms": {"one": {}, "two": {"store": {"policy": {"kind": "fifo"}}}}}
    means = []
    for esno_db in (30.0, 0.0):
        run = run_analog({**arms, "radios.radio.mean_esno_db": esno_db, "sources.shapes.wish": {"ss": 0.0}})
        one, two = (run.deliveries(arm) for arm in ("one", "two"))
        psnr_db = [row.psnr_db or 0.0 for row in one]
        assert psnr_db == [row.psnr_db for row in two]
        assert psnr_db[0] != psnr_db[1]
        means.append(sum(psnr_db) / 2)
    assert means[0] > means[1] + 2


def test_energy_is_spent_at_both_ends() -> None:
    alone, fed_back = run_analog(), run_analog({"radios.radio.ack_symbol": 0})
    (first, _), end = alone.transfers("Code"), alone.arm.network.links
    link = next(iter(end.values()))
    forward_s, back_s = 290 / 1e5, 1 / 1e5
    radio = link.radio  # type: ignore[union-attr]
    sender, receiver = link.ends["camera"], link.ends["reader"]  # type: ignore[union-attr]
    eta, circuit_w = radio.amplifier_efficiency, radio.circuit_power_w
    expected_j = forward_s * (sender.power_w / eta + circuit_w) + back_s * (receiver.power_w / eta + circuit_w)
    assert first.tx_j == pytest.approx(expected_j)
    assert first.rx_j == pytest.approx((forward_s + back_s) * radio.receive_power_w)
    assert [row.tx_j for row in fed_back.transfers("Code")] == [row.tx_j for row in alone.transfers("Code")]


def test_symbols_take_one_radio_hop_and_no_more() -> None:
    topology = {
        "kind": "explicit",
        "nodes": [node("camera", "edge"), node("mast", "gateway"), node("reader", "device")],
        "links": [radio_link("reader", "mast"), wire("mast", "camera")],
    }
    codecs = {"tiny": TinyAnalog(name="analog"), "bits": Tiny(name="bits")}
    changes = {**AIRTIME, "topology": topology, "sources.shapes.owners": "edge"}
    (row,) = simulate(TWICE[:1], changes, codecs={"tiny": codecs["tiny"]}).requests()
    assert row.outcome == "no_decoder"
    both = {**changes, "protocol.codecs": {"shapes": ["tiny", "bits"]}}
    (delivery,) = simulate(TWICE[:1], both, codecs=codecs).deliveries()
    assert delivery.codec == "bits"


def test_the_planner_knows_what_symbols_cost_and_what_they_are_worth_at_this_esno() -> None:
    """64QAM needs fewer symbols for 14 bytes than the header in QPSK; where only QPSK holds, symbols are cheaper."""
    codecs = {"tiny": TinyAnalog(name="analog", n_slice=0), "bits": Tiny(name="bits", code_byte=400, n_slice=0)}
    changes = {**AIRTIME, "protocol.codecs": {"shapes": ["tiny", "bits"]}, "sources.shapes.wish.ss": 0.7}
    cheap = simulate(TWICE, {**changes, "radios.radio.mean_esno_db": 20.0}, codecs=codecs)
    assert {row.codec for row in cheap.deliveries()} == {"tiny"}
    noisy = simulate(TWICE, {**changes, "radios.radio.mean_esno_db": -9.0}, codecs=codecs)
    assert {row.codec for row in noisy.deliveries()} == {"bits"}  # an ideal link repairs bits at any Es/N0
    card = cheap.arm.plane.codecs["tiny"].card("shapes")
    assert card.ss_at(20.0) > 0.95 > card.ss_at(0.0) > card.ss_at(-9.0)


def test_the_mean_esno_swings_by_what_the_radio_says() -> None:
    many = [(0.5 * i, "reader", i % 8) for i in range(60)]
    swing = {"radios.radio.esno_swing_db": 6.0, "radios.radio.swing_period_s": 20.0, "duration_s": 40.0}
    run = run_analog(swing, many)
    seen = [row.esno_db for row in run.transfers("Code")]
    values = [value for value in seen if value is not None]
    assert min(values) == pytest.approx(14.0, abs=0.2) and max(values) == pytest.approx(26.0, abs=0.2)
    (link,) = run.arm.network.links.values()
    end = link.ends["reader"]  # type: ignore[union-attr]
    half = link.end(end, 3.0).esno * link.end(end, 13.0).esno  # type: ignore[union-attr]
    assert half == pytest.approx(db_to_linear(40.0))  # half a period later it lies as much on the other side


def test_what_cannot_be_carried_is_refused_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from simnet.build import _check_analog

    def refused(changes: dict[str, object]) -> str:
        run = run_analog()
        document = run.scenario.model_dump(mode="json")
        for path, value in changes.items():
            *parents, last = path.split(".")
            place = document
            for key in parents:
                place = place[key]
            place[last] = value
        scenario = type(run.scenario).model_validate(document)
        with pytest.raises(SimnetError) as caught:
            _check_analog(scenario, run.arm.plane)
        return str(caught.value)

    assert "planner.cost: got bytes; allowed airtime, energy" in refused({"protocol.planner.cost": "bytes"})
    assert "for fading none: got radio: rayleigh" in refused({"radios.radio.fading": "rayleigh"})
    assert "max_burst_s: got 1e-05" in refused({"radios.radio.max_burst_s": 1e-5})
