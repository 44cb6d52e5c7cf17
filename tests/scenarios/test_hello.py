"""``hello.yaml``, line by line: every time follows from bytes, codewords, symbol rate and FLOPs."""

from __future__ import annotations

from pathlib import Path

import pytest

from simnet.build import build, run_scenario
from simnet.net.timeline import Event
from simnet.scenario.load import load_scenario
from simnet.wire.ids import short_id
from simnet.wire.messages import Code, Request, SliceData, encode_message
from tests.support.tiny import Tiny
from tests.support.world import simulate, symbols

HELLO = Path(__file__).parents[2] / "scenarios" / "hello.yaml"
SYMBOL_RATE_HZ = 100_000


def airtime_s(frame: bytes) -> float:
    """Codewords of QPSK ½, one after the other, without preamble, ACK or error."""
    return symbols(len(frame)) / SYMBOL_RATE_HZ


def assert_same(got: list[Event], expected: list[tuple[float, str, str]]) -> None:
    assert [(e.node, e.text) for e in got] == [(node, text) for _, node, text in expected]
    assert [e.time_s for e in got] == pytest.approx([time_s for time_s, _, _ in expected], abs=1e-9, rel=0)


def test_the_timeline_of_hello(tmp_path: Path) -> None:
    scenario = load_scenario(HELLO)
    plane = build(scenario).plane
    codec, task_flop = plane.codecs["digits_z40"], plane.task_flop("digits")
    (decoder,) = codec.decoder_slices
    codes = [plane.result(plane.encode(item, "digits_z40")).data for item in (0, 1)]
    encode_s, decode_s = codec.encode_flop / 1e9, (codec.decode_flop + task_flop) / 1e8

    asked = 1.0 + airtime_s(encode_message(Request(0, 0, "classification", 0.9, 5.0, ())))
    spliced = asked + airtime_s(encode_message(SliceData(0, decoder.id, decoder.payload)))
    assert asked + encode_s < spliced  # the code is ready while the decoder is still on the air, and waits
    came = spliced + airtime_s(encode_message(Code(0, "digits_z40", codes[0])))
    decoded = came + decode_s

    asked_again = 5.0 + airtime_s(encode_message(Request(1, 1, "classification", 0.9, 5.0, (short_id(decoder.id),))))
    came_again = asked_again + encode_s + airtime_s(encode_message(Code(1, "digits_z40", codes[1])))
    decoded_again = came_again + decode_s

    run = run_scenario(scenario, out=tmp_path, quiet=True)
    assert_same(
        run.timeline["main"],
        [
            (1.0, "reader", "wishes item 0 of camera"),
            (asked, "camera", "received Request from reader"),
            (spliced, "reader", "received SliceData aesc/digits_z40/decoder from camera"),
            (came, "reader", "received Code digits_z40 from camera"),
            (decoded, "reader", "decoded item 0 with digits_z40"),
            (decoded, "reader", "request 0 ended: satisfied"),
            (5.0, "reader", "wishes item 1 of camera"),
            (asked_again, "camera", "received Request from reader"),
            (came_again, "reader", "received Code digits_z40 from camera"),
            (decoded_again, "reader", "decoded item 1 with digits_z40"),
            (decoded_again, "reader", "request 1 ended: satisfied"),
        ],
    )
    trace = (run.path / "trace.csv").read_text(encoding="utf-8").splitlines()
    assert len(trace) == 1 + 11 and trace[0] == "arm,time_s,node,event"
    assert trace[1] == "main,1.0,reader,wishes item 0 of camera"


def test_the_same_story_with_a_codec_of_round_numbers() -> None:
    """43 + 40-byte payloads are codewords of 576 bits (33 bytes), 1152 (69) and 2304 (141): counted here by hand."""
    tiny = Tiny(decoder_byte=400, code_byte=40, encode_flop=2_000_000, decode_flop=1_000_000)
    run = simulate([(0.0, "reader", 0), (1.0, "reader", 1)], codecs={"tiny": tiny})
    (decoder,) = tiny.decoder_slices
    sizes = {row.payload: row.payload_byte for row in run.transfers()}
    assert run.transfers("Request")[0].payload_byte == 45  # 2 + 1 + head of 38 + CRC of 4
    assert run.transfers("Request")[1].payload_byte == 45 + 8  # one hash more
    assert sizes["Code tiny"] == 54  # body of 40, codec's name of 4, 10 of framing
    assert 400 < decoder.n_byte < 430 and sizes["SliceData tiny/decoder0"] == 430
    asked = 1152 / 2 / 1e5
    spliced = asked + (3 * 2304 + 576) / 2 / 1e5  # 430 = 3 x 141 + 7 bytes
    came = spliced + 1152 / 2 / 1e5
    decoded = came + (1_000_000 + 1000) / 1e9
    again = 1.0 + 1152 / 2 / 1e5 + 2_000_000 / 1e9 + 1152 / 2 / 1e5
    assert_same(
        run.timelines["main"],
        [
            (0.0, "reader", "wishes item 0 of camera"),
            (asked, "camera", "received Request from reader"),
            (spliced, "reader", "received SliceData tiny/decoder0 from camera"),
            (came, "reader", "received Code tiny from camera"),
            (decoded, "reader", "decoded item 0 with tiny"),
            (decoded, "reader", "request 0 ended: satisfied"),
            (1.0, "reader", "wishes item 1 of camera"),
            (1.0 + asked, "camera", "received Request from reader"),
            (again, "reader", "received Code tiny from camera"),
            (again + 1_001_000 / 1e9, "reader", "decoded item 1 with tiny"),
            (again + 1_001_000 / 1e9, "reader", "request 1 ended: satisfied"),
        ],
    )
