"""Our decoder against pyldpc's on pyldpc's own regular code, and our chain against the reference chain."""

from __future__ import annotations

import cmath
import warnings
from collections.abc import Iterator
from math import sqrt

import numpy as np
import pytest
import torch

from simnet.core.mcs import MCS_TABLE, Mcs
from simnet.core.streams import generator
from simnet.core.units import db_to_linear
from simnet.phy.blocks import BlockFormat
from simnet.phy.chain import BlockJob, DigitalChain, Reception
from simnet.phy.ldpc.decoder import DecoderSettings, LdpcDecoder
from simnet.phy.native import NativeBackend
from simnet.phy.reference import regular_block_code, regular_code

pyldpc = pytest.importorskip("pyldpc")
pytest.importorskip("commpy")

N = 576
N_WORDS = 40
ITERATIONS = 20
RATE_1_2 = [mcs for mcs in MCS_TABLE if mcs.name.endswith("1/2")]


@pytest.fixture(autouse=True)
def no_convergence_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Decoding stopped before convergence")
        yield


@pytest.fixture(scope="module")
def words() -> tuple[torch.Tensor, torch.Tensor]:
    """Codewords [B, n] and their LLRs [B, n] float64 in noise where about a third fail."""
    code = regular_code(N)
    bits = torch.from_numpy(generator(1, "pyldpc bits").integers(0, 2, (N_WORDS, code.k), dtype=np.uint8))
    codewords = code.encode(bits)
    variance = 1 / (2 * db_to_linear(-1.5))
    noise = generator(1, "pyldpc noise").standard_normal((N_WORDS, N)) * sqrt(variance)
    return codewords, (1 - 2 * codewords.double() + torch.from_numpy(noise)) * 2 / variance


@pytest.fixture(scope="module")
def pyldpc_decisions(words: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """pyldpc's, word by word: LLR = 2y/σ², and snr = 0 dB is σ² = 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        decided = [pyldpc.decode(regular_code(N).matrix, llr.numpy() / 2, 0.0, ITERATIONS) for llr in words[1]]
    return torch.from_numpy(np.stack(decided).astype(np.uint8))


def test_the_regular_code_is_regular_and_its_words_satisfy_every_check(
    words: tuple[torch.Tensor, torch.Tensor],
) -> None:
    code = regular_code(N)
    assert set(code.matrix.sum(0)) == {3}
    assert set(code.matrix.sum(1)) == {6}
    assert not (code.matrix @ words[0].numpy().astype(np.int64).T % 2).any()


def test_sum_product_decides_as_pyldpc_does(
    words: tuple[torch.Tensor, torch.Tensor], pyldpc_decisions: torch.Tensor
) -> None:
    codewords, llr = words
    settings = DecoderSettings("sum_product", "flooding", max_iterations=ITERATIONS)
    decoded = LdpcDecoder(regular_code(N).parity, settings).decode(llr)
    assert 10 < int(decoded.converged.sum()) < N_WORDS - 10
    assert torch.equal(decoded.bits[decoded.converged], pyldpc_decisions[decoded.converged])
    assert torch.equal((decoded.bits != codewords).any(1), (pyldpc_decisions != codewords).any(1))
    # Words that never settle swing with the last bits of the arithmetic; nearly all of them still agree.
    assert (decoded.bits == pyldpc_decisions).double().mean() > 0.99


def test_min_sum_loses_about_as_many_words_as_pyldpc(
    words: tuple[torch.Tensor, torch.Tensor], pyldpc_decisions: torch.Tensor
) -> None:
    codewords, llr = words
    decoded = LdpcDecoder(regular_code(N).parity, DecoderSettings(max_iterations=ITERATIONS)).decode(llr.float())
    ours = (decoded.bits != codewords).any(1)
    theirs = (pyldpc_decisions != codewords).any(1)
    # Paired: the words that only one of them loses are as a fair coin's throws.
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    assert abs(only_ours - only_theirs) <= 4 * sqrt(max(only_ours + only_theirs, 1))


def blocks(mcs: Mcs, esno_db: float, n_blocks: int) -> list[BlockJob]:
    block_format = BlockFormat(N // 2, mcs)
    return [
        BlockJob(
            generator(2, "reference payload", i).bytes(block_format.capacity_byte),
            block_format,
            (Reception(db_to_linear(esno_db), cmath.exp(1j * i), (2, "reference", mcs.name, i)),),
        )
        for i in range(n_blocks)
    ]


@pytest.mark.parametrize(("mcs", "esno_db"), list(zip(RATE_1_2, (1.8, 7.2, 11.9, 15.7), strict=True)))
def test_native_and_reference_chains_lose_as_many_blocks_of_one_code(mcs: Mcs, esno_db: float) -> None:
    """Same code, payloads and noise draws; modulators, demodulators and decoders share nothing."""
    n_blocks = 30
    jobs = blocks(mcs, esno_db, n_blocks)
    settings = DecoderSettings(max_iterations=20)
    native = DigitalChain(NativeBackend(settings=settings, code=regular_block_code)).transmit(jobs)
    reference = DigitalChain("reference", max_iterations=20).transmit(jobs)
    lost = [np.mean([not result.ok for result in results]) for results in (native, reference)]
    assert 0 < lost[1] < 1
    rate = np.mean(lost)
    assert abs(lost[0] - lost[1]) < 4 * sqrt(2 * rate * (1 - rate) / n_blocks)


@pytest.mark.parametrize("mcs", RATE_1_2)
def test_the_reference_chain_delivers_at_high_and_at_extreme_snr(mcs: Mcs) -> None:
    for esno_db in (25.0, 90.0):
        jobs = blocks(mcs, esno_db, 2)
        results = DigitalChain("reference", max_iterations=20).transmit(jobs)
        assert [result.payload for result in results] == [job.payload for job in jobs]
        assert all(result.ok and result.iterations is None for result in results)
