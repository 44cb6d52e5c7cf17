"""``protection: none``: bit errors land in codes and decoders, add up over hops, and never pass for clean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simnet.net.air import Arrived, IdealAir
from simnet.net.fetch import Fetch
from simnet.wire.ids import is_id
from tests.support.tiny import Tiny
from tests.support.world import Run, node, radio_link, simulate, wire

Flip = Callable[[str, int], bool]
"""(flow, block index) -> whether the block's first bit arrives wrong."""


@pytest.fixture
def flips(monkeypatch: pytest.MonkeyPatch) -> list[Flip]:
    """Rules by which unprotected blocks are damaged; append to it."""
    rules: list[Flip] = []
    begin = IdealAir.begin

    def damaged(self: IdealAir, transfer: Any, blocks: Any, mcs: Any, state: complex) -> Any:
        result = []
        for block, arrived in zip(blocks, begin(self, transfer, blocks, mcs, state), strict=True):
            data = arrived.data
            if data is not None and any(rule(transfer.flow, block.index) for rule in rules):
                data = bytes([data[0] ^ 0x80]) + data[1:]
            result.append(Arrived(arrived.ok, data))
        return result

    monkeypatch.setattr(IdealAir, "begin", damaged)
    return rules


RAW = {"radios.radio.protection": "none"}
TWICE = [(0.0, "reader", 0), (1.0, "reader", 1)]


def test_without_a_wrong_bit_all_is_as_if_protected(flips: list[Flip]) -> None:
    run = simulate(TWICE, RAW)
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 2
    assert not any(row.damaged for row in run.deliveries())
    assert [row.slices_missed for row in run.requests()] == [1, 0]
    assert all(is_id(row.slices) for row in run.deliveries())
    assert {row.bit_errors for row in run.transfers()} == {0}


def nearest_holders(run: Run) -> set[str]:
    """Who would be sent for the decoders, were the reader to ask again."""
    return {run.arm.network.holders.nearest(slice_id, "reader") for slice_id in run.arm.decoders}


def test_a_damaged_decoder_is_used_once_under_a_name_of_its_own(flips: list[Flip]) -> None:
    flips.append(lambda flow, index: True)
    run = simulate(TWICE, RAW)
    for row in run.deliveries():
        assert row.damaged and not is_id(row.slices)
        assert row.ss is not None and row.ss < 1.0
    assert len({row.slices for row in run.deliveries()}) == 2
    assert run.stores("insert") == []
    assert nearest_holders(run) == {"camera"}
    bits = {row.payload: row.bit_errors for row in run.transfers()}
    assert bits["Code tiny"] == 1  # one block of the body
    assert bits["SliceData tiny/decoder0"] == 3  # 401 bytes of ballast are three blocks


def test_keep_damaged_keeps_it_for_later_but_never_offers_it(flips: list[Flip]) -> None:
    flips.append(lambda flow, index: flow == "camera>reader" and index > 1)  # the decoder's later blocks, not codes
    run = simulate(TWICE, {**RAW, "protocol.keep_damaged": True})
    first, second = run.deliveries()
    assert first.damaged and first.slices == second.slices and not is_id(first.slices)
    (slice_id,) = run.arm.decoders
    reader = run.arm.network.nodes["reader"]
    assert reader.holds(slice_id) and not reader.offers(slice_id)
    assert nearest_holders(run) == {"camera"}


def test_a_kept_one_gives_way_to_a_clean_one_and_never_takes_its_place(flips: list[Flip]) -> None:
    flips.append(lambda flow, index: flow == "camera>reader" and index > 1)
    run = simulate(TWICE, {**RAW, "protocol.keep_damaged": True})
    network, reader = run.arm.network, run.arm.network.nodes["reader"]
    ((slice_id, clean),) = run.arm.decoders.items()
    damaged = reader.damaged[slice_id]
    assert network.install(reader, clean, clean, 1.0) and reader.offers(slice_id) and not reader.damaged
    assert not network.install(reader, clean, damaged, 1.0) and reader.offers(slice_id)


def test_a_kept_one_that_is_evicted_makes_room_for_a_clean_one(flips: list[Flip]) -> None:
    flips.append(lambda flow, index: len(fetched) == 0 and index > 1)
    fetched: list[int] = []
    wishes = [(0.0, "reader", 0), (1.5, "reader", 1), (3.0, "reader", 2)]
    install = Fetch._install

    def note(self: Fetch, arrived: Any) -> None:
        fetched.append(1)
        install(self, arrived)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fetch, "_install", note)
        run = simulate(wishes, {**RAW, "protocol.keep_damaged": True, "protocol.store": {"ttl_s": 1.0}})
    assert [row.damaged for row in run.deliveries()] == [True, False, False]
    assert run.arm.network.nodes["reader"].damaged == {}


def test_the_same_name_with_other_bits_is_other_work(flips: list[Flip]) -> None:
    """A damaged decoder has one name in both arms: the plane must not take one for the other."""
    arms: dict[str, Any] = {"a": {}, "b": {}}
    seen = []

    def more_in_b(flow: str, index: int) -> bool:
        seen.append(index)
        return index == 2 or (index > 1 and len(seen) > 5)

    flips.append(more_in_b)
    run = simulate(TWICE[:1], {**RAW, "arms": arms})
    (a,), (b,) = run.deliveries("a"), run.deliveries("b")
    assert a.slices == b.slices and a.psnr_db != b.psnr_db


CHAIN = {
    **RAW,
    "topology.nodes": [node("camera", "device"), node("mast", "gateway"), node("reader", "device")],
    "topology.links": [radio_link("camera", "mast"), radio_link("reader", "mast")],
    "sources.shapes.owners": "device",
    "tiers": {"device": {"store_byte": 1000}, "gateway": {"store_byte": 1000}},
}


def chain(**changes: Any) -> Run:
    return simulate([(0.0, "reader", 0)], {**CHAIN, **changes}, owners=["camera"])


def test_errors_add_up_over_hops(flips: list[Flip]) -> None:
    flips.append(lambda flow, index: flow == "camera>mast" and index == 3)
    flips.append(lambda flow, index: flow == "mast>reader" and index == 2)
    run = chain()
    first, second = run.transfers("SliceData")
    assert (first.bit_errors, second.bit_errors) == (1, 1)
    assert run.deliveries()[0].damaged
    (arrived,) = run.deliveries()
    assert not is_id(arrived.slices)


def test_the_same_bit_wrong_twice_is_right_again(flips: list[Flip]) -> None:
    flips.append(lambda flow, index: index == 2)
    run = chain()
    assert [row.bit_errors for row in run.transfers("SliceData")] == [1, 1]
    assert not run.deliveries()[0].damaged
    assert run.stores("insert")


def test_a_node_on_the_path_keeps_only_what_arrived_there_clean(flips: list[Flip]) -> None:
    kept: dict[str, Any] = {"protocol.propagation": {"kind": "on_path"}}
    flips.append(lambda flow, index: flow == "mast>reader" and index == 2)
    assert [row.node for row in chain(**kept).stores("insert")] == ["mast"]  # clean there, damaged at the reader
    flips[:] = [lambda flow, index: flow == "camera>mast" and index == 2]
    assert chain(**kept).stores("insert") == []
    run = chain(**kept, **{"protocol.keep_damaged": True})
    mast = run.arm.network.nodes["mast"]
    (slice_id,) = run.arm.decoders
    assert mast.holds(slice_id) and not mast.offers(slice_id)
    assert list(run.arm.propagation.passing(mast)) == []


def test_bodies_are_protected_on_the_links_that_protect(flips: list[Flip]) -> None:
    """A route with one unprotected link uses the raw layout on all; the wire doesn't harm it."""
    flips.append(lambda flow, index: flow == "mast>reader" and index == 2)
    changes = {"topology.links": [wire("camera", "mast"), radio_link("reader", "mast")]}
    run = chain(**changes)
    wired, radio = run.transfers("SliceData")
    assert wired.payload_byte == radio.payload_byte
    assert (wired.bit_errors, radio.bit_errors) == (0, 1)


def test_waiting_requests_share_the_damaged_slice(flips: list[Flip]) -> None:
    flips.append(lambda flow, index: index > 1)
    run = simulate([(0.0, "reader", 0), (0.0, "reader", 1)], RAW, codecs={"tiny": Tiny()})
    first, second = run.deliveries()
    assert first.slices == second.slices and first.damaged and second.damaged
    assert len(run.transfers("SliceData")) == 1


def test_the_planner_knows_the_esno_as_it_is_now() -> None:
    radio = {"protection": "none", "mean_esno_db": 5.0, "esno_swing_db": 10.0, "swing_period_s": 1000.0}
    run = simulate([(5.0, "reader", 0)], {f"radios.radio.{name}": value for name, value in radio.items()})
    told = run.arm.network.unprotected_esno_db("camera", "reader")
    (link,) = run.arm.network.links.values()
    assert told == link.esno_db("reader")  # type: ignore[union-attr]
    assert told is not None and abs(told - 5.0) > 1.0
