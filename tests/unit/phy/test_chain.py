"""The digital chain: round trips, independence of batching, errors."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.mcs import CODE_FAMILIES, MCS_TABLE, UNCODED_TABLE, CodeFamily, Mcs, mcs_by_name
from simnet.core.streams import generator
from simnet.core.units import db_to_linear
from simnet.phy import reference
from simnet.phy.blocks import BLOCK_BITS, BlockFormat, split
from simnet.phy.chain import BlockJob, DigitalChain, Reception, UncodedJob
from simnet.phy.ldpc.decoder import DecoderSettings
from simnet.phy.native import NativeBackend

QUIET = db_to_linear(60.0)
RATE_1_2 = [mcs for mcs in MCS_TABLE if mcs.name.endswith("1/2")]
WATERFALL_DB = {2: 1.5, 4: 7.0, 6: 12.0, 8: 17.0}


def job(index: int, k: int, mcs: Mcs, esno: float, gain: complex = 1.0, code: CodeFamily = "ieee80216e") -> BlockJob:
    block_format = BlockFormat(k, mcs, code)
    payload = generator(5, "payload", index).bytes(block_format.capacity_byte - index % 7)
    return BlockJob(payload, block_format, (Reception(esno, gain, (5, "chain", index)),))


def heard(each: BlockJob, **changes: object) -> BlockJob:
    """The job with its one reception changed."""
    return replace(each, receptions=(replace(each.receptions[0], **changes),))  # type: ignore[arg-type]


def waterfall_jobs(n_jobs: int) -> list[BlockJob]:
    """Every length and scheme in turn, about half of them failing."""
    jobs = []
    for index in range(n_jobs):
        mcs = RATE_1_2[index % 4]
        gain = complex(*generator(5, "gain", index).normal(0.7, 0.15, 2))
        esno = db_to_linear(WATERFALL_DB[mcs.bits_per_symbol])
        jobs.append(job(index, BLOCK_BITS[index // 4 % 3], mcs, esno, gain))
    return jobs


@settings(max_examples=25, deadline=None)
@given(n_byte=st.integers(0, 10_000), mcs=st.sampled_from(MCS_TABLE), code=st.sampled_from(CODE_FAMILIES))
def test_noiseless_round_trip_of_any_length(n_byte: int, mcs: Mcs, code: CodeFamily) -> None:
    payload = generator(6, "round trip", n_byte).bytes(n_byte)
    jobs = [
        BlockJob(part, BlockFormat(k, mcs, code), (Reception(QUIET, 0.3 - 0.4j, (6, i)),))
        for i, (k, part) in enumerate(split(payload))
    ]
    results = DigitalChain().transmit(jobs)
    assert b"".join(result.payload for result in results) == payload
    assert all(result.ok for result in results)
    if code == "ieee80216e":  # 5G NR punctures bits: what they were takes iterations to find out
        assert all(result.iterations == 1 for result in results)


def test_results_do_not_depend_on_the_batch() -> None:
    jobs = waterfall_jobs(90)
    chain = DigitalChain()
    together = chain.transmit(jobs)
    assert 20 < sum(result.ok for result in together) < 70
    assert [chain.transmit([each])[0] for each in jobs] == together
    order = generator(5, "order").permutation(len(jobs))
    assert chain.transmit([jobs[i] for i in order]) == [together[i] for i in order]
    assert chain.transmit(jobs + [heard(each, noise_key=(5, "other")) for each in jobs])[: len(jobs)] == together


def test_noise_changes_with_the_key_and_failures_are_seen() -> None:
    jobs = [heard(job(0, 288, MCS_TABLE[0], db_to_linear(1.0)), noise_key=(5, "key", i)) for i in range(40)]
    results = DigitalChain().transmit(jobs)
    assert len({result.payload for result in results}) > 1
    for result in results:
        assert result.ok == (result.payload == jobs[0].payload)
        assert len(result.payload) == len(jobs[0].payload)


def test_payloads_of_zeros_meet_the_same_error_rate_as_random_ones() -> None:
    esno = db_to_linear(11.0)
    random = [job(7 * i, 288, RATE_1_2[2], esno) for i in range(600)]
    zeros = [heard(replace(each, payload=bytes(33)), noise_key=(5, "zeros", i)) for i, each in enumerate(random)]
    lost = [sum(not result.ok for result in DigitalChain().transmit(jobs)) / len(jobs) for jobs in (random, zeros)]
    assert 0.05 < lost[0] < 0.95
    assert abs(lost[0] - lost[1]) < 4 * np.sqrt(2 * 0.25 / len(random))


@pytest.mark.parametrize("arithmetic", ["float32", "int8"])
@pytest.mark.parametrize("code", CODE_FAMILIES)
@pytest.mark.parametrize("esno_db", [-20.0, -30.0, -33.0, -36.0, -40.0, -100.0, -200.0, -267.0, -600.0, -3000.0])
def test_nothing_is_decoded_far_below_the_noise(
    esno_db: float, code: CodeFamily, arithmetic: Literal["float32", "int8"]
) -> None:
    """Not even a word of zeros, whose CRC is zeros."""
    chain = DigitalChain(NativeBackend(settings=DecoderSettings(arithmetic=arithmetic)))
    jobs = [job(7 * i, 288, RATE_1_2[i % 4], db_to_linear(esno_db), code=code) for i in range(40)]
    assert not any(result.ok for result in chain.transmit(jobs))


def test_the_receiver_sees_the_gain_times_the_mean_esno() -> None:
    """A gain of 2 at a quarter of the Es/N0 is the same channel."""
    jobs = [job(i, 576, RATE_1_2[1], db_to_linear(6.6)) for i in range(40)]
    amplified = [heard(each, esno=each.receptions[0].esno / 4, gain=2.0) for each in jobs]
    results = DigitalChain().transmit(jobs)
    assert 0 < sum(result.ok for result in results) < 40
    assert DigitalChain().transmit(amplified) == results


def test_fewer_iterations_lose_more() -> None:
    jobs = [job(i, 288, MCS_TABLE[0], db_to_linear(1.5)) for i in range(200)]
    few, many = (sum(r.ok for r in DigitalChain(max_iterations=i).transmit(jobs)) for i in (3, 30))
    assert few < many


@pytest.mark.parametrize("mcs", UNCODED_TABLE)
def test_uncoded_payloads_arrive_and_break_bit_by_bit(mcs: Mcs) -> None:
    payload = generator(5, "uncoded").bytes(1001)
    chain = DigitalChain()
    noisy_esno = db_to_linear(3.5 * mcs.bits_per_symbol)
    quiet, noisy = chain.transmit_uncoded(
        [UncodedJob(payload, mcs, esno, 1j, (5, "uncoded")) for esno in (QUIET, noisy_esno)]
    )
    assert quiet == payload
    flipped = np.unpackbits(np.frombuffer(noisy, np.uint8) ^ np.frombuffer(payload, np.uint8)).mean()
    assert 0 < flipped < 0.1
    assert chain.transmit_uncoded([UncodedJob(b"", mcs, 1.0, 1.0, (5,))]) == [b""]


def test_no_jobs_no_results() -> None:
    assert DigitalChain().transmit([]) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": BlockFormat(1160, MCS_TABLE[0])}, "block of 1160 bit: .* holds 1152 at most"),
        ({"payload": bytes(34)}, r"got a payload of 34 byte; allowed 0 to 33; cut it with simnet\.phy\.blocks\.split"),
        ({"receptions": ()}, "got no reception; give one or more"),
        ({"esno": 0.0}, r"Es/N0 \(linear\): got 0\.0; allowed above 0, at most 1e\+38"),
        ({"esno": 1e39}, r"Es/N0 \(linear\): got 1e\+39; allowed above 0, at most 1e\+38"),
        ({"esno": float("nan")}, r"Es/N0 \(linear\): got nan"),
        ({"gain": complex("inf")}, "channel gain: got .*; allowed any finite complex number"),
        ({"gain": np.ones(7, np.complex64)}, r"got an array of shape \(7,\); allowed one number, or \(288,\)"),
    ],
)
def test_impossible_jobs_are_refused(change: dict[str, object], message: str) -> None:
    good = job(0, 288, MCS_TABLE[0], 1.0)
    change_job = replace if change.keys() & {"format", "payload", "receptions"} else heard
    with pytest.raises(SimnetError, match=message):
        DigitalChain().transmit([good, change_job(good, **change)])  # type: ignore[operator]


def test_a_gain_per_symbol_is_a_flat_one_if_all_are_equal_and_heeded_if_not() -> None:
    esno = db_to_linear(1.4)
    jobs = [job(i, 288, MCS_TABLE[0], esno, gain=1j) for i in range(60)]
    flat = DigitalChain().transmit(jobs)
    assert 0 < sum(result.ok for result in flat) < 60
    spread = [heard(each, gain=np.full(288, 1j, np.complex64)) for each in jobs]
    assert DigitalChain().transmit(spread) == flat
    half = np.where(np.arange(288) % 2, np.sqrt(2), 0).astype(np.complex64)  # the same energy, half of it on nothing
    assert not any(result.ok for result in DigitalChain().transmit([heard(each, gain=half) for each in jobs]))


def test_a_block_heard_twice_is_heard_at_the_sum_of_both() -> None:
    """Chase combining: alone both receptions are lost; together they are one of 1.4 + 1.4 dB (AWGN: +3 dB)."""
    esno = db_to_linear(-0.6)
    once = [job(i, 576, MCS_TABLE[0], esno) for i in range(60)]
    again = [(each, replace(each.receptions[0], noise_key=(5, "again", i))) for i, each in enumerate(once)]
    chain = DigitalChain()
    assert not any(result.ok for result in chain.transmit(once))
    twice = [replace(each, receptions=(*each.receptions, second)) for each, second in again]
    assert sum(result.ok for result in chain.transmit(twice)) > 55
    louder = [heard(each, esno=2 * esno) for each in once]
    assert sum(result.ok for result in chain.transmit(louder)) > 55
    unlike = [replace(each, receptions=(second, *each.receptions)) for each, second in again]
    assert [result.ok for result in chain.transmit(unlike)] == [result.ok for result in chain.transmit(twice)]


def test_rates_other_than_one_half_are_refused_by_the_reference() -> None:
    pytest.importorskip("pyldpc", reason="needs pyldpc and scikit-commpy")
    with pytest.raises(SimnetError, match=r"'reference' with .*QPSK 3/4: allowed rate 1/2"):
        DigitalChain("reference").transmit([job(0, 288, mcs_by_name("QPSK 3/4"), 1.0)])


def test_unknown_backends_and_devices_are_refused() -> None:
    with pytest.raises(UnknownName, match=r"unknown PHY backend: got 'refrence'; did you mean 'reference'\?"):
        DigitalChain("refrence")  # type: ignore[arg-type]
    with pytest.raises(SimnetError, match="PHY device: got 'gpu'; allowed 'cpu'"):
        DigitalChain(device="gpu")
    with pytest.raises(SimnetError, match="backend 'reference' on device 'cuda': allowed 'cpu'"):
        DigitalChain("reference", device="cuda")


def test_missing_libraries_of_the_reference_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(reference, "import_module", absent)
    with pytest.raises(SimnetError, match="pip install --no-build-isolation pyldpc"):
        DigitalChain("reference")


def test_the_chain_loads_no_oracle_and_the_tables_no_tensors() -> None:
    code = (
        "import sys, simnet.phy.tables.bler, simnet.phy.tables.effective_snr; assert 'torch' not in sys.modules;"
        "import simnet.phy.chain, simnet.phy.tables.calibration, simnet.phy.reference;"
        "assert not {'pyldpc', 'commpy', 'zstandard', 'simpy', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
