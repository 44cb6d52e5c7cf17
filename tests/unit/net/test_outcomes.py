"""Each request ends with exactly one outcome, at the right time, for the right reason."""

from __future__ import annotations

import numpy as np
import pytest

from simnet.net.air import TableAir
from simnet.phy.tables.bler import Lookup
from tests.support.tiny import Tiny
from tests.support.world import node, radio_link, simulate, symbols

ONE = [(0.0, "reader", 0)]


def test_satisfied_and_the_latency_is_the_sum_of_its_parts() -> None:
    run = simulate(ONE)
    (row,) = run.requests()
    assert row.outcome == "satisfied" and row.ended_s is not None
    parts = row.queue_s + row.air_s + row.propagation_s + row.compute_s + row.model_fetch_s
    assert parts == pytest.approx(row.ended_s, abs=1e-12)
    assert (row.slices_needed, row.slices_missed, row.attempts) == (1, 1, 1)


def test_below_wish_is_what_arrived_in_time_but_is_worth_less() -> None:
    (row,) = simulate(ONE, codecs={"tiny": Tiny(quality=0.0)}, n_calibration=4).requests()
    assert row.outcome == "below_wish"
    assert row.ss is not None and row.ss == pytest.approx(0.25, abs=0.01)  # all four quadrants look alike


def test_an_unsure_judge_leaves_ss_open() -> None:
    run = simulate(ONE, unsure=True)
    (row,), (delivery,) = run.requests(), run.deliveries()
    assert delivery.judge_unsure and delivery.ss is None
    assert (row.outcome, row.ss) == ("satisfied", None)


def test_no_decoder_is_refused_before_any_code_is_sent() -> None:
    run = simulate(ONE, {"protocol.propagation": {"kind": "none"}})
    (row,) = run.requests()
    assert (row.outcome, row.ss, row.codec) == ("no_decoder", 0.0, None)
    assert row.code_byte == row.model_byte == 0
    assert [t.payload for t in run.transfers()] == ["Request", "Nack"]
    assert row.control_byte == sum(t.payload_byte for t in run.transfers())


def test_a_store_too_small_for_preloading_means_no_decoder() -> None:
    preload = {"protocol.propagation": {"kind": "preload"}}
    assert simulate(ONE, preload).requests()[0].outcome == "satisfied"
    small = simulate(ONE, {**preload, "tiers.device.store_byte": 100})
    assert small.requests()[0].outcome == "no_decoder"
    assert small.stores("reject") == []  # what doesn't fit isn't even tried


def test_preloading_leaves_out_what_does_not_fit_and_goes_on() -> None:
    codecs = {"big": Tiny(name="big", decoder_byte=5000), "small": Tiny(name="small", decoder_byte=200)}
    changes = {
        "protocol.propagation": {"kind": "preload"},
        "protocol.codecs": {"shapes": ["big", "small"]},
        "tiers.device.store_byte": 1000,
    }
    run = simulate(ONE, changes, codecs=codecs)
    given = [row for row in run.stores("provision") if row.node == "reader"]
    assert [(row.slice, row.occupancy_byte) for row in given] == [("small/decoder0", given[0].slice_byte)]
    assert run.requests()[0].codec == "small"
    assert run.transfers("SliceData") == []


def test_no_provider_if_the_owner_holds_no_encoder() -> None:
    run = simulate(ONE, before=lambda arm: arm.network.nodes["camera"].provisioned.clear())
    (row,) = run.requests()
    assert row.outcome == "no_provider"
    assert [t.payload for t in run.transfers()] == ["Request", "Nack"]


def test_no_provider_if_no_route_leads_to_the_owner() -> None:
    nodes = [node("camera", "gateway"), node("reader", "device"), node("other", "gateway")]
    (row,) = simulate(ONE, {"topology.nodes": nodes, "topology.links": [radio_link("reader", "other")]}).requests()
    assert (row.outcome, row.ended_s, row.link_byte) == ("no_provider", 0.0, 0)


def test_timeout_ends_at_the_deadline_and_what_was_set_in_motion_goes_on() -> None:
    changes = {"sources.shapes.wish.deadline_s": 0.02}  # the REQUEST takes 5.76 ms, the decoder 37.44 ms
    run = simulate(ONE, changes)
    (row,) = run.requests()
    assert (row.outcome, row.ended_s, row.ss) == ("timeout", 0.02, 0.0)
    assert run.deliveries() == []
    assert run.transfers("SliceData")[0].outcome == "delivered"
    assert [e.slice for e in run.stores("insert")] == ["tiny/decoder0"]


def test_a_failure_after_the_deadline_is_a_timeout() -> None:
    changes = {"protocol.propagation": {"kind": "none"}, "sources.shapes.wish.deadline_s": 0.006}
    (row,) = simulate(ONE, changes).requests()  # the NACK would come at 11.52 ms
    assert (row.outcome, row.ended_s) == ("timeout", 0.006)


def test_timeout_in_the_middle_of_a_transfer_at_the_run_s_end() -> None:
    changes = {"duration_s": 0.01, "drain_s": 0.01, "sources.shapes.wish.deadline_s": 0.015}
    (row,) = simulate(ONE, changes).requests()
    assert (row.outcome, row.ended_s) == ("timeout", 0.015)


def test_unfinished_is_open_at_the_run_s_end_within_its_deadline() -> None:
    run = simulate(ONE, {"duration_s": 0.01, "drain_s": 0.01})
    (row,) = run.requests()
    assert (row.outcome, row.ended_s, row.ss) == ("unfinished", None, 0.0)


def test_what_is_on_the_air_at_the_run_s_end_is_in_flight() -> None:
    """At 20 ms the REQUEST has arrived and the decoder's first burst (four codewords: 430 bytes) is on the air."""
    run = simulate(ONE, {"duration_s": 0.01, "drain_s": 0.01})
    request, decoder, code = run.transfers()
    assert (request.outcome, decoder.outcome, code.outcome) == ("delivered", "in_flight", "in_flight")
    assert decoder.in_flight_byte == decoder.first_byte == decoder.payload_byte == 430
    assert decoder.in_flight_channel_use == symbols(430)
    assert code.first_byte == code.in_flight_byte == 0  # it waits behind the decoder
    assert run.accounts["main"]["bytes_and_channel_uses"]["model"]["in_flight_byte"] == 430
    assert run.requests()[0].link_byte == request.payload_byte + 430


def test_bursts_bound_what_is_in_flight() -> None:
    """A burst of 15 ms holds one codeword of 1152 symbols (11.52 ms), not two."""
    run = simulate(ONE, {"duration_s": 0.01, "drain_s": 0.01, "radios.radio.max_burst_s": 0.015})
    decoder = run.transfers("SliceData")[0]
    assert decoder.burst_count == 2  # 5.76 to 17.28 ms, and the one that is cut at 20 ms
    assert (decoder.delivered_byte, decoder.in_flight_byte, decoder.first_byte) == (141, 141, 282)


def test_nothing_is_recorded_after_the_run_s_end() -> None:
    """Processes that are cut short let go of their pins when they are collected: no event must come of it."""
    import gc

    changes = {
        "duration_s": 0.2,
        "drain_s": 0.1,
        "protocol.store": {"ttl_s": 0.1},
        "tiers.device.compute_flop_per_s": 100,
    }
    run = simulate(ONE, changes)
    assert run.requests()[0].outcome == "unfinished"  # computing, the decoder pinned beyond its time
    n_row = {name: len(rows) for name, rows in run.recorder.rows.items()}
    assert run.stores("expire") == []
    run.arms.clear()
    gc.collect()
    assert {name: len(rows) for name, rows in run.recorder.rows.items()} == n_row


def test_link_failed_after_max_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TableAir, "lookup", lambda self, block_format, esno: Lookup(0.999, "measured"))
    changes = {"radios.radio.fidelity": "table", "radios.radio.max_attempts": 3}
    run = simulate(ONE, changes)
    (row,), (transfer,) = run.requests(), run.transfers()
    assert row.outcome == transfer.outcome.replace("lost", "link_failed") == "link_failed"
    assert transfer.attempt_count == transfer.burst_count == 3
    assert transfer.lost_byte == transfer.first_byte + transfer.retry_byte == 3 * transfer.payload_byte
    assert row.ended_s == pytest.approx(3 * 0.00576)


@pytest.mark.parametrize("others", [[], ["other"]])
def test_a_link_over_which_nothing_can_pass_is_tried(others: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is the network's only link or one of several."""
    monkeypatch.setattr(TableAir, "lookup", lambda self, block_format, esno: Lookup(1.0, "measured"))
    changes = {
        "radios.radio.fidelity": "table",
        "topology.nodes": [node("camera", "gateway"), *(node(name, "device") for name in ("reader", *others))],
        "topology.links": [radio_link(name, "camera") for name in ("reader", *others)],
    }
    run = simulate(ONE, changes)
    (row,), (transfer,) = run.requests(), run.transfers()
    assert (row.outcome, transfer.outcome) == ("link_failed", "lost")
    assert row.link_byte == transfer.lost_byte > 0


@pytest.mark.parametrize("first_s", [0.0, 40.0])
def test_a_route_stays_though_it_was_first_asked_for_when_nothing_passed(first_s: float) -> None:
    """The mean Es/N0 goes 25 dB up and down in 80 s."""
    radio = {"fidelity": "table", "mean_esno_db": 5.0, "esno_swing_db": 25.0, "swing_period_s": 80.0}
    changes = {"duration_s": 100.0, **{f"radios.radio.{name}": value for name, value in radio.items()}}
    run = simulate([(t, "reader", 0) for t in np.arange(first_s, 100.0, 10.0).tolist()], changes)
    outcomes = {row.created_s: row.outcome for row in run.requests()}
    assert outcomes[40.0] == "link_failed"
    assert {outcomes[t] for t in (70.0, 80.0, 90.0)} == {"satisfied"}


def test_rejected_full() -> None:
    """Three at once on a carrier that lets one wait: one is served, one waits, one is turned away."""
    nodes = [node("camera", "gateway"), *(node(f"reader-{i}", "device") for i in range(3))]
    changes = {
        "topology.nodes": nodes,
        "topology.links": [radio_link(f"reader-{i}", "camera") for i in range(3)],
        "radios.radio.queue_limit": 1,
        "radios.radio.scheduler": "priority",
    }
    run = simulate([(0.0, f"reader-{i}", 0) for i in range(3)], changes)
    outcomes = [row.outcome for row in run.requests()]
    assert outcomes[2] == "rejected_full"
    lost = [row for row in run.transfers() if row.outcome == "lost"]
    assert lost[0].sender == "reader-2" and lost[0].first_byte == 0 and lost[0].ended_s == 0.0


def test_two_wishes_at_a_time_that_sums_of_floats_miss() -> None:
    """0.2536… + (1.4717… − 0.2536…) is an ulp later than 1.4717…, when the third wish is due too."""
    first_s, later_s = 0.25364015565817455, 1.4717825039405044
    assert first_s + (later_s - first_s) > later_s
    run = simulate([(first_s, "reader", 0), (later_s, "reader", 0), (later_s, "reader", 1)])
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 3
