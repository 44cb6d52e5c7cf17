"""Versions: released and retired in time, sent as deltas to who holds another one, never mixed unless allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from simnet.core.errors import SimnetError
from simnet.scenario.load import load_scenario
from simnet.wire.delta import make_delta
from simnet.wire.messages import SliceData, SliceDelta, encode_message
from simnet.wire.slices import Slice
from tests.support.tiny import BrightQuadrant, Tiny, images
from tests.support.world import Run, node, radio_link, simulate, wire

V1 = Tiny(name="tiny")
V2 = Tiny(name="tiny", version=2, drift=0.05)
(OLD,), (NEW,) = V1.decoder_slices, V2.decoder_slices
WHOLE_BYTE = len(encode_message(SliceData(0, NEW.id, NEW.payload)))
DELTA_BYTE = len(encode_message(SliceDelta(0, make_delta(OLD, NEW))))
CODECS = {"v1": V1, "v2": V2}
CHANGE = {
    "protocol.codecs": {"shapes": ["v1", "v2"]},
    "protocol.releases": {"v2": 4.0},
    "protocol.retires": {"v1": 4.0},
}
TIMES = [(0.0, "reader", 0), (2.0, "reader", 1), (5.0, "reader", 2), (7.0, "reader", 3)]


def labels(run: Run, request_id: int, arm: str = "main") -> list[str]:
    return [row.payload for row in run.transfers(arm=arm) if row.request_id == request_id]


def test_the_two_versions_are_what_the_tests_need() -> None:
    assert OLD.name == NEW.name and OLD.id != NEW.id and (OLD.version, NEW.version) == (1, 2)
    assert DELTA_BYTE < 0.8 * WHOLE_BYTE


@pytest.mark.parametrize(
    ("propagation", "questions"),
    [("with_code", []), ("on_path", []), ("nearest_copy", ["SliceRef tiny/decoder0", "UpdateRequest tiny/decoder0"])],
)
def test_a_new_version_comes_as_a_delta_to_who_holds_the_old_one(propagation: str, questions: list[str]) -> None:
    arms = {"arms": {"on": {}, "off": {"deltas": False}}, "protocol.propagation": {"kind": propagation}}
    run = simulate(TIMES, {**CHANGE, **arms}, codecs=CODECS)
    for arm, update, n_byte in (("on", "SliceDelta", DELTA_BYTE), ("off", "SliceData", WHOLE_BYTE)):
        rows = run.requests(arm)
        assert [row.outcome for row in rows] == ["satisfied"] * 4
        assert [row.codec for row in rows] == ["v1", "v1", "v2", "v2"]
        assert [row.model_byte for row in rows] == [430, 0, n_byte, 0]
        (sent,) = (row for row in run.transfers(arm=arm) if row.request_id == 2 and row.payload_class == "model")
        assert (sent.payload, sent.payload_byte, sent.delivered_byte) == (f"{update} tiny/decoder0", n_byte, n_byte)
        assert [row.slices for row in run.deliveries(arm)] == [OLD.id, OLD.id, NEW.id, NEW.id]
        assert {row.mixed_with for row in run.deliveries(arm)} == {None}
        # both stay until the store's policy evicts one
        held = [row.slice_id for row in run.stores("insert", arm)]
        assert held == [OLD.id, NEW.id] and not run.stores("evict", arm)
    at_camera = [label for label in labels(run, 2, "on") if not label.startswith(("Request", "Code", "SliceDelta"))]
    assert at_camera == questions


def test_the_old_version_is_evicted_like_any_slice() -> None:
    run = simulate(TIMES, {**CHANGE, "tiers.device.store_byte": 500}, codecs=CODECS)
    assert [(row.event, row.slice_id) for row in run.stores() if row.event in ("insert", "evict")] == [
        ("insert", OLD.id), ("evict", OLD.id), ("insert", NEW.id),
    ]  # fmt: skip
    assert "SliceDelta tiny/decoder0" in labels(run, 2)


def test_who_has_lost_the_old_version_when_the_delta_arrives_asks_for_the_whole() -> None:
    """The old decoder came at 2.0432 s and expires 3 s later, 11 ms before the delta is there."""
    changes = {**CHANGE, "protocol.store": {"ttl_s": 3.0, "ttl_from": "from_fetch"}}
    run = simulate([(2.0, "reader", 1), (5.02, "reader", 2)], changes, codecs=CODECS)
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 2
    assert sorted(labels(run, 1)) == [
        "Code v2", "Request", "SliceData tiny/decoder0", "SliceDelta tiny/decoder0", "SliceRequest tiny/decoder0",
    ]  # fmt: skip
    assert run.requests()[1].model_byte == DELTA_BYTE + WHOLE_BYTE
    assert run.deliveries()[1].slices == NEW.id


def test_links_without_protection_bring_the_whole_slice() -> None:
    raw = {"radios.radio.protection": "none"}
    run = simulate(TIMES, {**CHANGE, **raw}, codecs=CODECS)
    assert not run.transfers("SliceDelta")
    assert len(run.transfers("SliceData")) == 2
    protected = simulate(TIMES, {**CHANGE, **raw, "protocol.protect": {"model": "all"}}, codecs=CODECS)
    assert [row.payload_byte for row in protected.transfers("SliceDelta")] == [DELTA_BYTE]


@pytest.mark.parametrize("radio", [{"fidelity": "exact"}, {"fidelity": "table"}])
def test_deltas_travel_over_real_channels(radio: dict[str, Any]) -> None:
    changes = {f"radios.radio.{key}": value for key, value in radio.items()}
    run = simulate(TIMES, {**CHANGE, **changes, "radios.radio.mean_esno_db": 20.0}, codecs=CODECS)
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 4
    assert [row.payload_byte for row in run.transfers("SliceDelta")] == [DELTA_BYTE]


def test_planners_count_the_delta() -> None:
    between = (40 + len(make_delta(OLD, NEW)) + 40 + NEW.n_byte) // 2  # dearer than the delta, cheaper than the whole
    codecs = {**CODECS, "plain": Tiny(name="plain", n_slice=0, code_byte=between)}
    arms = {"arms": {"on": {}, "off": {"deltas": False}}}
    late = {
        **CHANGE,
        **arms,
        "protocol.codecs": {"shapes": ["v1", "v2", "plain"]},
        "protocol.releases": {"v2": 4.0, "plain": 4.0},
    }
    run = simulate(TIMES[1:3], late, codecs=codecs)
    assert [row.codec for row in run.requests("on")] == ["v1", "v2"]
    assert [row.codec for row in run.requests("off")] == ["v1", "plain"]


CHAIN = {
    "topology.nodes": [
        node("camera", "gateway"), node("hub", "edge"), node("mast", "gateway"), node("reader", "device"),
        node("other", "device"),
    ],
    "topology.links": [
        wire("camera", "hub"), wire("hub", "mast"), radio_link("reader", "mast"), radio_link("other", "mast"),
    ],
    "tiers": {"device": {"store_byte": 1000}, "gateway": {"store_byte": 1000}, "edge": {"store_byte": 0}},
    "protocol.propagation": {"kind": "on_path"},
}  # fmt: skip


def test_nodes_on_the_way_keep_what_they_can_put_together() -> None:
    """The mast holds the old version and so keeps the new one; the hub has no room for either."""
    run = simulate([(0.0, "reader", 0), (5.0, "reader", 1), (6.0, "other", 2)], {**CHANGE, **CHAIN}, codecs=CODECS)
    assert [(row.node, row.slice_id) for row in run.stores("insert")] == [
        ("mast", OLD.id), ("reader", OLD.id), ("mast", NEW.id), ("reader", NEW.id), ("other", NEW.id),
    ]  # fmt: skip
    kinds = [
        (row.request_id, row.sender, row.payload.split()[0]) for row in run.transfers() if row.payload_class == "model"
    ]
    assert kinds[3:] == [
        (1, "camera", "SliceDelta"), (1, "hub", "SliceDelta"), (1, "mast", "SliceDelta"), (2, "mast", "SliceData"),
    ]  # fmt: skip


def test_a_node_without_the_old_version_sends_the_whole() -> None:
    """Only the mast has the new version for the other reader, and it has lost the old one by then."""
    tight = {**CHAIN, "tiers": {"device": {"store_byte": 1000}, "gateway": {"store_byte": 500}}}
    wishes = [(0.0, "reader", 0), (1.0, "other", 0), (5.0, "reader", 1), (6.0, "other", 2)]
    run = simulate(wishes, {**CHANGE, **tight}, codecs=CODECS)
    sent = [(row.request_id, row.sender, row.payload.split()[0]) for row in run.transfers("Slice")]
    assert sent[-2:] == [(2, "mast", "SliceDelta"), (3, "mast", "SliceData")]


def test_wishes_for_the_decoder_itself_follow_the_releases() -> None:
    wish = {"sources.shapes.wish": {"task": "decoder", "deadline_s": 8.0}}
    run = simulate(TIMES, {**CHANGE, **wish}, codecs=CODECS)
    assert [row.outcome for row in run.requests()] == ["satisfied"] * 4
    assert [row.model_byte for row in run.requests()] == [430, 0, DELTA_BYTE, 0]
    assert labels(run, 2) == ["UpdateRequest tiny/decoder0", "SliceDelta tiny/decoder0"]


def test_before_the_release_and_after_the_end_nobody_encodes() -> None:
    changes = {"protocol.codecs": {"shapes": ["v2"]}, "protocol.releases": {"v2": 1.0}, "protocol.retires": {"v2": 6.0}}
    run = simulate(TIMES, changes, codecs=CODECS)
    assert [row.outcome for row in run.requests()] == ["no_provider", "satisfied", "satisfied", "no_provider"]


def test_preloading_takes_what_is_in_use_at_the_start() -> None:
    run = simulate(TIMES, {**CHANGE, "protocol.propagation": {"kind": "preload"}}, codecs=CODECS)
    assert [row.slice_id for row in run.stores("provision") if row.node == "reader"] == [OLD.id]
    assert [row.outcome for row in run.requests()] == ["satisfied", "satisfied", "no_decoder", "no_decoder"]


# ---------------------------------------------------------------------- mixed versions


def mixed_ss(encoder: Tiny, decoder: Tiny) -> float:
    """Population SS on the calibration images, from nothing but encoding, decoding and judging."""
    labels_ = torch.tensor([i % 4 for i in range(64)])
    recovered = encoder.decode(encoder.encode(images(labels_.tolist())), decoder.decoder_slices)
    return float((BrightQuadrant().infer(recovered).argmax(dim=1) == labels_).float().mean())


def test_another_version_decodes_only_where_allowed_and_says_so() -> None:
    arms = {"arms": {"refuse": {}, "decode": {"mixed_versions": "decode"}}}
    run = simulate(TIMES, {**CHANGE, **arms}, codecs=CODECS)
    assert [row.mixed_with for row in run.deliveries("refuse")] == [None] * 4
    assert [row.slices for row in run.deliveries("decode")] == [OLD.id] * 4
    assert [(row.codec, row.mixed_with) for row in run.deliveries("decode")] == [("v1", None)] * 2 + [("v2", "v1")] * 2
    rows = run.requests("decode")
    assert [row.model_byte for row in rows] == [430, 0, 0, 0]
    assert [row.predicted_ss for row in rows] == [1.0, 1.0, mixed_ss(V2, V1), mixed_ss(V2, V1)]
    assert "Code v2+v1" in labels(run, 2, "decode")
    # it was decoded with the old numbers, not with the encoder's own
    mixed, own = run.deliveries("decode")[2], run.deliveries("refuse")[2]
    assert mixed.st_recovered is not None and own.st_recovered is not None
    assert mixed.st_recovered < own.st_recovered


def test_the_reverse_an_old_encoder_and_a_new_decoder() -> None:
    back = {"protocol.releases": {"v1": 4.0}, "protocol.retires": {"v2": 4.0}, "protocol.mixed_versions": "decode"}
    run = simulate(TIMES, {**CHANGE, **back}, codecs=CODECS)
    assert [(row.codec, row.mixed_with) for row in run.deliveries()] == [("v2", None)] * 2 + [("v1", "v2")] * 2


class Apart(Tiny):
    """Another version's decoder makes half of its codes grey."""

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> torch.Tensor:
        grey = [bytes([128] * 4) + code[4:] if code[-1] % 2 else code for code in codes]
        own = [s.id for s in slices] == [s.id for s in self.decoder_slices]
        return super().decode(codes if own else grey, slices)


def test_mixing_that_promises_too_little_is_not_chosen() -> None:
    far = Apart(name="tiny", version=2, drift=0.05)
    promised = mixed_ss(far, V1)
    assert 0.5 < promised < 0.9
    changes = {**CHANGE, "protocol.mixed_versions": "decode"}
    run = simulate(TIMES, changes, codecs={"v1": V1, "v2": far})
    assert [(row.codec, row.mixed_with) for row in run.deliveries()] == [("v1", None)] * 2 + [("v2", None)] * 2
    low = simulate(TIMES, {**changes, "protocol.wish_ss": promised / 2}, codecs={"v1": V1, "v2": far})
    assert [row.mixed_with for row in low.deliveries()] == [None, None, "v1", "v1"]
    assert [row.predicted_ss for row in low.requests()] == [1.0, 1.0, promised, promised]


def test_mixing_serves_where_nothing_can_be_fetched() -> None:
    changes = {**CHANGE, "protocol.propagation": {"kind": "preload"}, "protocol.mixed_versions": "decode"}
    run = simulate(TIMES, changes, codecs=CODECS)
    assert [(row.outcome, row.codec) for row in run.requests()] == [("satisfied", "v1")] * 2 + [("satisfied", "v2")] * 2
    assert [row.mixed_with for row in run.deliveries()] == [None, None, "v1", "v1"]


def test_variants_of_one_version_are_not_mixed() -> None:
    other = Tiny(name="tiny", drift=0.05)  # same version
    run = simulate(TIMES, {**CHANGE, "protocol.mixed_versions": "decode"}, codecs={"v1": V1, "v2": other})
    assert [row.mixed_with for row in run.deliveries()] == [None] * 4


# ---------------------------------------------------------------------- scenarios


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("releases: {jepg: 5}", r"protocol.releases.jepg: unknown codec: got 'jepg'; did you mean 'jpeg'"),
        ("retires: {jepg: 5}", r"protocol.retires.jepg: unknown codec: got 'jepg'"),
        ("retires: {jpeg: 0}", "protocol.retires.jpeg: got 0.*> 0"),
        ("releases: {jpeg: 5}, retires: {jpeg: 5}", "codec jpeg retires at 5 s, not after its release at 5 s"),
        ("mixed_versions: maybe", "protocol.mixed_versions: got 'maybe'.*refuse"),
    ],
)
def test_wrong_times_are_said(tmp_path: Any, line: str, message: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        f"""
name: s
duration_s: 1
topology: {{kind: explicit, nodes: [{{name: camera, tier: gateway}}, {{name: reader, tier: device}}], links: []}}
sources: {{digits: {{dataset: mnist, items: 2, owners: gateway, judge: classifier/digits_judge}}}}
codecs: {{jpeg: {{kind: jpeg, quality: 5, image_shape: [1, 28, 28]}}}}
traffic: {{kind: poisson, rate_per_s: 1}}
protocol: {{codecs: {{digits: [jpeg]}}, {line}}}
""",
        encoding="utf-8",
    )
    with pytest.raises(SimnetError, match=message):
        load_scenario(file)
