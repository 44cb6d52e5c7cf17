"""HARQ with Chase combining on one wireless link, and what fading kinds make of its states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from simnet.core.mcs import Mcs, mcs_by_name
from simnet.core.units import db_to_linear
from simnet.net.air import Arrived, ExactAir, IdealAir, TableAir
from simnet.net.block import Block
from simnet.phy.chain import BlockJob
from simnet.phy.link_fading import Heard
from simnet.phy.tables.bler import Lookup
from simnet.signal.plane import SignalPlane
from tests.support.links import Ether, Sent

FADING = {"fading": "rayleigh", "coherence_time_s": 0.1, "max_burst_s": 0.1, "retry_delay_s": 0.1}


def plane() -> SignalPlane:
    return SignalPlane({}, {})


def ether(kind: type[TableAir] | type[ExactAir], **radio: Any) -> Ether:
    made = Ether(**{"mean_esno_db": 4.0, "mcs": "QPSK 1/2", "fidelity": "table", **FADING, **radio})
    made.link.air = kind(made.radio, 1, plane())
    return made


def attempts(rows: Sequence[Any]) -> list[tuple[str, int]]:
    return [(row.outcome, row.attempt_count) for row in rows]


@pytest.mark.parametrize("kind", [TableAir, ExactAir])
def test_combining_saves_attempts_and_payloads(kind: type[TableAir] | type[ExactAir]) -> None:
    """At 0 dB a lone reception in Rayleigh fading is lost three times out of four; two or three make up for it."""
    payloads = [Sent(float(i), n_byte=141) for i in range(150)]
    plain, combined = (
        ether(kind, protection=protection, mean_esno_db=0.0, max_attempts=4).send_all(payloads)
        for protection in ("arq", "harq")
    )
    lost = [sum(row.outcome == "lost" for row in rows) for rows in (plain, combined)]
    assert lost[1] < lost[0] / 3
    assert sum(row.attempt_count for row in combined) < sum(row.attempt_count for row in plain)
    for row in [*plain, *combined]:
        assert row.first_byte + row.retry_byte == row.delivered_byte + row.lost_byte


def test_tables_and_the_exact_chain_tell_the_same_of_harq() -> None:
    payloads = [Sent(float(i), n_byte=141) for i in range(300)]
    table, exact = (
        ether(kind, protection="harq", mean_esno_db=-1.0, max_attempts=6).send_all(payloads)
        for kind in (TableAir, ExactAir)
    )
    mean = [np.mean([row.attempt_count for row in rows]) for rows in (table, exact)]
    spread = np.std([row.attempt_count for row in table], ddof=1) * np.sqrt(2 / len(payloads))
    assert abs(mean[0] - mean[1]) < 4 * spread
    assert 2 < mean[0] < 4


@pytest.mark.parametrize(("fading", "mean_esno_db"), [("tdl_c", -1.0), ("rayleigh_fast", -0.8)])
def test_receptions_over_selective_channels_add_up_symbol_by_symbol(fading: str, mean_esno_db: float) -> None:
    """Where one reception fades on some symbols the other helps: more than the sum of both effective Es/N0."""
    radio = {"fading": fading, "mean_esno_db": mean_esno_db, "bandwidth_hz": 1e6, "max_burst_s": 0.1}
    payloads = [Sent(0.5 * i, n_byte=141) for i in range(400)]
    rows = [ether(kind, protection="harq", max_attempts=2, **radio).send_all(payloads) for kind in (TableAir, ExactAir)]
    lost = [sum(row.outcome == "lost" for row in each) / len(payloads) for each in rows]
    rate = np.mean(lost)
    assert 0.05 < rate < 0.95
    assert abs(lost[0] - lost[1]) < 4 * np.sqrt(2 * rate * (1 - rate) / len(payloads))


def test_a_repeated_block_keeps_its_scheme_and_its_receptions_are_those_of_its_attempts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[list[BlockJob]] = []

    def transmit(self: SignalPlane, jobs: list[BlockJob], backend: str) -> list[BlockJob]:
        seen.append(list(jobs))
        return list(jobs)

    def end(self: ExactAir, burst: Any) -> list[Arrived]:
        return [Arrived(len(job.receptions) == 3, job.payload) for job in burst.ticket]

    monkeypatch.setattr(SignalPlane, "transmit", transmit)
    monkeypatch.setattr(ExactAir, "end", end)
    made = ether(ExactAir, protection="harq", mcs="adaptive", mean_esno_db=12.0)
    (row,) = made.send_all([Sent(0.0, n_byte=141)])
    assert row.attempt_count == 3
    assert [len(jobs[0].receptions) for jobs in seen] == [1, 2, 3]
    assert len({jobs[0].format for jobs in seen}) == 1
    keys = [reception.noise_key for reception in seen[-1][0].receptions]
    assert len(set(keys)) == 3 and keys[:2] == [r.noise_key for r in seen[1][0].receptions]
    assert [r.gain for r in seen[-1][0].receptions] == [made.link.state(0.1 * i + 0.001 * i) for i in range(3)]
    assert [r.esno for r in seen[-1][0].receptions] == [jobs[0].receptions[-1].esno for jobs in seen]


@pytest.mark.parametrize("kind", [TableAir, ExactAir])
def test_what_was_heard_was_heard_at_the_mean_esno_of_then(
    kind: type[TableAir | ExactAir], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the mean swings, receptions differ in it: the exact chain and the tables see Σ |h|² Es/N0."""
    seen: list[list[float]] = []

    def transmit(self: SignalPlane, jobs: list[BlockJob], backend: str) -> list[BlockJob]:
        seen.append([reception.esno for reception in jobs[0].receptions])
        return list(jobs)

    def lookup(self: TableAir, block_format: Any, esno: float) -> Lookup:
        looked_up.append(esno)
        return Lookup(1.0, "measured")

    looked_up: list[float] = []
    monkeypatch.setattr(SignalPlane, "transmit", transmit)
    monkeypatch.setattr(ExactAir, "end", lambda self, burst: [Arrived(False) for _ in burst.ticket])
    monkeypatch.setattr(TableAir, "lookup", lookup)
    swing = {"esno_swing_db": 10.0, "swing_period_s": 1.0, "retry_delay_s": 0.11}
    made = ether(kind, protection="harq", fading="none", mcs="QPSK 1/2", max_attempts=4, max_burst_s=0.1, **swing)
    (row,) = made.send_all([Sent(0.0, n_byte=30)])
    assert row.attempt_count == 4
    if kind is ExactAir:
        assert [esnos[:-1] for esnos in seen[1:]] == seen[:-1] and len(set(seen[-1])) == 4
    else:
        alone = [looked_up[0], *looked_up[3::3]]  # of a repeated block: all, those before, the new one alone
        assert len(set(alone)) == 4
        assert looked_up[1::3] == pytest.approx(np.cumsum(alone)[1:])
        assert looked_up[2::3] == pytest.approx(np.cumsum(alone)[:-1])


def test_a_burst_has_one_scheme() -> None:
    """New blocks wait where a repeated one goes at its old MCS."""
    bursts: list[tuple[Mcs, int]] = []

    class Noting(IdealAir):
        def begin(self, transfer: Any, blocks: Any, mcs: Mcs, state: Any) -> Any:
            bursts.append((mcs, len(blocks)))
            assert {block.mcs for block in blocks} <= {None, mcs}
            return [Arrived(block.attempt > 0 or block.index % 2 == 0) for block in blocks]

    made = Ether(**{"mcs": "QPSK 1/2", "protection": "harq", "max_burst_s": 0.025})
    made.link.air = Noting(made.radio, 1)
    (row,) = made.send_all([Sent(0.0, n_byte=141 * 5)])
    assert row.outcome == "delivered" and len(bursts) > 2


def test_behind_a_repetition_new_blocks_are_sent_only_at_the_scheme_that_suits_them_now() -> None:
    attempts: list[list[int]] = []

    class Turning(IdealAir):
        def mcs(self, state: Any, mean_esno: float, k: int) -> Mcs:
            return mcs_by_name("16-QAM 1/2" if len(attempts) % 2 else "QPSK 1/2")

        def begin(self, transfer: Any, blocks: Any, mcs: Mcs, state: Any) -> Any:
            assert mcs == self.mcs(state, 1.0, 288) or all(block.attempt for block in blocks)
            attempts.append([block.attempt for block in blocks])
            return [Arrived(block.attempt > 0 or block.index % 2 == 0) for block in blocks]

    made = Ether(**{"mcs": "adaptive", "protection": "harq", "max_burst_s": 0.025})
    made.link.air = Turning(made.radio, 1)
    (row,) = made.send_all([Sent(0.0, n_byte=141 * 12)])
    assert row.outcome == "delivered" and attempts[:2] == [[0] * len(attempts[0]), [1] * (len(attempts[0]) // 2)]


@pytest.mark.parametrize("fading", ["rician", "clarke", "rayleigh_fast", "rician_fast", "tdl_a", "tdl_b", "tdl_c"])
def test_tables_and_the_exact_chain_agree_in_every_fading(fading: str) -> None:
    """Of the same blocks over the same gains, as many are lost, within four standard errors."""
    radio = {
        "fading": fading, "max_attempts": 1, "mean_esno_db": {"rician": 3.0, "clarke": 6.0}.get(fading, 3.2),
        "bandwidth_hz": 1e6, "coherence_time_s": 0.1, "max_burst_s": 0.01,
    }  # fmt: skip
    if fading.endswith("_fast"):
        radio["mean_esno_db"] = 2.75 if fading == "rayleigh_fast" else 1.6
    payloads = [Sent(0.11 * i, n_byte=141) for i in range(400)]
    lost = [
        sum(row.outcome == "lost" for row in ether(kind, **radio).send_all(payloads)) / len(payloads)
        for kind in (TableAir, ExactAir)
    ]
    rate = np.mean(lost)
    assert 0.05 < rate < 0.95
    assert abs(lost[0] - lost[1]) < 4 * np.sqrt(2 * rate * (1 - rate) / len(payloads))


def test_5g_codes_by_table_and_exactly() -> None:
    payloads = [Sent(float(i), n_byte=141) for i in range(300)]
    radio = {"code": "nr", "fading": "none", "mean_esno_db": 1.35, "max_attempts": 1}
    lost = [
        sum(row.outcome == "lost" for row in ether(kind, **radio).send_all(payloads)) / len(payloads)
        for kind in (TableAir, ExactAir)
    ]
    rate = np.mean(lost)
    assert 0.02 < rate < 0.9
    assert abs(lost[0] - lost[1]) < 4 * np.sqrt(2 * rate * (1 - rate) / len(payloads))


def test_ofdm_pays_for_its_prefixes_and_for_the_rest_of_its_last_symbol() -> None:
    """TDL-A reaches 9.6586 times its RMS delay spread: 1 µs at 1 MHz is a prefix of 10 samples to 64 subcarriers."""
    made = Ether(fading="tdl_a", bandwidth_hz=1e6, rms_delay_spread_s=1e-6, max_burst_s=0.1, mcs="QPSK 1/2")
    (row,) = made.send_all([Sent(0.0, n_byte=141)])
    assert row.first_channel_use == 1152
    assert row.overhead_channel_use == 18 * (64 + 10) - 1152
    assert row.air_s == pytest.approx(18 * 74 / 1e6)


def test_aged_knowledge_of_a_clarke_channel_is_worth_something() -> None:
    """|h|² a tenth of the coherence time ago says much, ten coherence times ago nothing."""
    link = Ether(fading="clarke", coherence_time_s=0.1, max_burst_s=0.01).link
    times_s = np.arange(3000) * 1.7
    power = np.array([[abs(link.state(t - age)) ** 2 for age in (0.0, 0.01, 1.0)] for t in times_s])
    correlation = np.corrcoef(power.T)
    assert correlation[0, 1] > 0.9
    assert abs(correlation[0, 2]) < 0.1
    assert abs(power.mean() - 1) < 0.1


@pytest.mark.parametrize("esno_db", [1.9, 10.0])
def test_where_tables_end_a_repeated_block_arrives(esno_db: float) -> None:
    """Rates below 1e-6 are not known; a block that was lost all the same fares no worse than a new one."""
    air, mcs, esno = ether(TableAir, protection="harq").link.air, mcs_by_name("QPSK 1/2"), db_to_linear(esno_db)
    assert isinstance(air, TableAir)
    block, blers = Block(0, 1152, 0, 141, True), []
    for _ in range(6):
        blers.append(air._found(block, mcs, Heard(1 + 0j, esno)).bler)
        block = block.combined(mcs, Heard(1 + 0j, esno))
    assert max(blers[1:]) <= blers[0] < 1e-3


def test_expected_failures_are_of_the_rates_that_were_drawn_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of n receptions half of the blocks are lost that were lost of n − 1."""
    made = ether(TableAir, protection="harq", fading="none")
    once = db_to_linear(4.0)
    monkeypatch.setattr(
        TableAir, "lookup", lambda self, block_format, esno: Lookup(0.5 ** round(esno / once), "above")
    )  # fmt: skip
    rows = made.send_all([Sent(float(i), n_byte=141) for i in range(40)])
    n_attempt = sum(row.attempt_count for row in rows)
    assert n_attempt > 60
    report = made.link.air.plane.lookup_report()  # type: ignore[attr-defined]
    assert report["failures_expected_above"] == pytest.approx(0.5 * n_attempt)


def test_what_the_tables_did_not_measure_is_counted() -> None:
    made = ether(TableAir, fading="none", mean_esno_db=40.0, max_attempts=1)
    made.send_all([Sent(float(i)) for i in range(5)])
    weak = ether(TableAir, fading="none", mean_esno_db=-9.0, max_attempts=1)
    weak.send_all([Sent(float(i)) for i in range(4)])
    assert made.link.air.plane.lookup_report() == {  # type: ignore[attr-defined]
        "below": 0, "measured": 0, "above": 5, "failures_expected_above": pytest.approx(5e-6),
    }  # fmt: skip
    assert weak.link.air.plane.lookup_report()["below"] == 4  # type: ignore[attr-defined]


@pytest.mark.parametrize("fading", ["rayleigh", "tdl_a"])
def test_blocks_that_were_heard_over_different_channels_are_looked_up_apart(
    fading: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the blocks of a burst one is looked up for all that are alike: the same fates as one by one."""
    payloads = [Sent(2.0 * i, n_byte=6_000) for i in range(6)]
    settings = {"protection": "harq", "mean_esno_db": 0.5, "fading": fading, "max_attempts": 8, "max_burst_s": 0.05}
    rows = ether(TableAir, **settings).send_all(payloads)
    monkeypatch.setattr("simnet.net.air.groupby", lambda blocks, key: [(None, [block]) for block in blocks])
    assert rows == ether(TableAir, **settings).send_all(payloads)
    assert max(row.attempt_count for row in rows) > 2
