"""Tickets: the same work once, decisions when asked for, measurements by count; results don't depend on batching."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from simnet.codecs.networks.chunks import CHUNK, in_chunks
from simnet.core.errors import SimnetError
from simnet.core.mcs import MCS_TABLE
from simnet.phy.blocks import BlockFormat
from simnet.phy.chain import BlockJob, Reception
from simnet.signal.judge import Judge
from simnet.signal.plane import SignalPlane, SourceImages
from simnet.signal.ticket import TicketQueue
from tests.support.tiny import N_CLASS, BrightQuadrant, Tiny, images


def plane(
    n_item: int = 8, *, batch: int = 512, codecs: dict[str, Any] | None = None, labels: Any = None
) -> SignalPlane:
    labels = torch.arange(n_item) % N_CLASS if labels is None else labels
    source = SourceImages(images(labels.tolist()), labels, images(range(4)), torch.arange(4), BrightQuadrant(), 100)
    return SignalPlane(codecs or {"tiny": Tiny()}, {"shapes": source}, batch=batch)


class TestTicketQueue:
    def test_work_waits_until_somebody_asks_and_is_done_once(self) -> None:
        worked: list[list[int]] = []

        def square(inputs: list[int]) -> list[int]:
            worked.append(inputs)
            return [x * x for x in inputs]

        queue: TicketQueue[int] = TicketQueue(square)
        tickets = [queue.submit(x, x) for x in (1, 2, 1, 3)]
        assert worked == [] and not tickets[0].done
        assert tickets[0] is tickets[2]
        assert queue.result(tickets[1]) == 4 and worked == [[1, 2, 3]]
        assert [queue.result(ticket) for ticket in tickets] == [1, 4, 1, 9] and len(worked) == 1
        assert (queue.submitted, queue.worked) == (4, 3)

    def test_a_limit_has_it_done_by_count(self) -> None:
        queue: TicketQueue[int] = TicketQueue(lambda inputs: inputs, limit=2)
        first = queue.submit("a", 1)
        assert not first.done
        queue.submit("a", 1)
        assert not first.done  # the same work isn't counted twice
        queue.submit("b", 2)
        assert first.done

    def test_what_is_forgotten_is_done_again(self) -> None:
        queue: TicketQueue[int] = TicketQueue(lambda inputs: inputs)
        ticket = queue.submit("a", 1)
        assert queue.result(ticket) == 1
        queue.forget(ticket)
        assert queue.submit("a", 5) is not ticket and queue.result(ticket) == 1


def test_networks_see_batches_of_one_shape() -> None:
    shapes = []

    def network(batch: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(batch.shape))
        return batch * 2

    inputs = torch.arange(70.0)[:, None]
    assert torch.equal(in_chunks(network, inputs), inputs * 2)
    assert shapes == [(CHUNK, 1), (CHUNK, 1)]


def test_codes_are_the_same_one_by_one_and_all_at_once() -> None:
    alone, together = plane(CHUNK + 6), plane(CHUNK + 6)
    tickets = {i: together.encode(i, "tiny") for i in range(100, 100 + CHUNK + 6)}
    for item in (100, 100 + CHUNK + 5, 130):
        assert alone.result(alone.encode(item, "tiny")) == together.result(tickets[item])


@pytest.mark.parametrize("batch", [1, 3, 512])
def test_measurements_don_t_depend_on_the_batch(batch: int) -> None:
    signal = plane(batch=batch)
    slices = signal.codecs["tiny"].decoder_slices
    tickets = []
    for item in range(100, 108):
        code = signal.result(signal.encode(item, "tiny")).data
        tickets.append(signal.measure(item, "tiny", code, slices))
    assert tickets[0].done == (batch < 512)
    reference = plane()
    for item, ticket in zip(range(100, 108), tickets, strict=True):
        code = reference.result(reference.encode(item, "tiny")).data
        assert signal.result(ticket) == reference.result(reference.measure(item, "tiny", code, slices))


def test_the_same_work_is_measured_once_other_bytes_are_other_work() -> None:
    signal = plane()
    slices = signal.codecs["tiny"].decoder_slices
    code = signal.result(signal.encode(100, "tiny")).data
    first = signal.measure(100, "tiny", code, slices)
    assert signal.measure(100, "tiny", bytes(code), slices) is first
    assert signal.measure(100, "tiny", code[:-1] + b"?", slices) is not first
    assert signal.measure(101, "tiny", code, slices) is not first


def test_the_judge_s_measures_by_hand() -> None:
    """ST = probability of the true class; SS their ratio, open where the original's is below 1/2."""
    originals = images([0, 1, 2])
    judge = Judge(BrightQuadrant(), originals, torch.tensor([0, 1, 3]))  # the third label is wrong: the judge is unsure
    grey = torch.full((3, 1, 12, 12), 0.5)
    clear, unclear, wrong = judge.measure(torch.stack([originals[0], grey[1], originals[2]]), torch.arange(3))
    assert (clear.ss, clear.psnr_db, clear.judge_unsure) == (1.0, math.inf, False)
    assert clear.ssim == pytest.approx(1.0) and clear.provider_score == 1.0
    assert unclear.st_recovered == pytest.approx(0.25) and unclear.ss == pytest.approx(0.25 / unclear.st_original)
    mse = float((originals[1] - grey[1]).double().square().mean())
    assert unclear.psnr_db == pytest.approx(-10 * math.log10(mse))
    assert unclear.confidence == pytest.approx(0.25) and unclear.correct_original and not unclear.correct_recovered
    assert wrong.judge_unsure and wrong.ss is None and not wrong.correct_original
    assert wrong.provider_score == 1.0  # its own best guess survived, whatever the truth


def test_cards_are_measured_on_other_images() -> None:
    card = plane(codecs={"tiny": Tiny(quality=0.0, code_byte=77)}).codecs["tiny"].card("shapes")
    assert (card.code_byte, card.ss, card.n) == (77.0, 0.25, 4)  # grey is taken for class 0: one of four


def test_a_judge_that_recognises_nothing_is_the_user_s_error() -> None:
    labels = torch.zeros(4, dtype=torch.int64)
    source = SourceImages(images([1] * 4), labels, images([1] * 4), labels, BrightQuadrant(), 0)
    signal = SignalPlane({"tiny": Tiny()}, {"shapes": source})
    with pytest.raises(SimnetError, match="source type shapes: its judge recognises none of 4 calibration images"):
        signal.codecs["tiny"].card("shapes")


def test_bursts_are_sent_together_and_each_result_is_given_once() -> None:
    signal = plane()
    jobs = [
        BlockJob(bytes(33), BlockFormat(288, MCS_TABLE[0]), (Reception(1e3, 1.0 + 0j, (1, "noise", i)),))
        for i in range(3)
    ]
    first, second = signal.transmit(jobs[:2], "native"), signal.transmit(jobs[2:], "native")
    assert not first.done
    assert [result.ok for result in signal.result(first)] == [True, True]
    assert second.done and len(signal.result(second)) == 1
