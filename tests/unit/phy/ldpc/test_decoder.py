"""The code of IEEE 802.16e, its encoder, and the decoder."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from simnet.core.errors import SimnetError
from simnet.core.streams import generator
from simnet.phy import lanes
from simnet.phy.ldpc import int8, kernel, simd
from simnet.phy.ldpc.decoder import DecoderSettings, LdpcDecoder
from simnet.phy.ldpc.ieee80216e import CODEWORD_LENGTHS, ieee80216e
from simnet.phy.ldpc.parity_check import ParityCheck
from simnet.phy.llr import hard_decision


def random_bits(n_codewords: int, k: int, name: str) -> torch.Tensor:
    return torch.from_numpy(generator(1, name).integers(0, 2, (n_codewords, k), dtype=np.uint8))


def noisy_llr(codewords: torch.Tensor, esno_per_bit: float, name: str) -> torch.Tensor:
    """LLRs of BPSK at amplitude 1 with noise variance 1/(2·esno) per real dimension."""
    variance = 1 / (2 * esno_per_bit)
    noise = generator(2, name).standard_normal(tuple(codewords.shape)) * np.sqrt(variance)
    return ((1 - 2 * codewords.double() + torch.from_numpy(noise)) * 2 / variance).float()


def irregular_matrix() -> np.ndarray:
    matrix = (generator(3, "irregular").random((40, 90)) < 0.06).astype(np.uint8)
    matrix[:, :80] |= np.tile(np.eye(40, dtype=np.uint8), 2)
    return matrix


def test_the_standard_has_nineteen_lengths() -> None:
    assert len(CODEWORD_LENGTHS) == 19
    assert CODEWORD_LENGTHS[0] == 576
    assert CODEWORD_LENGTHS[-1] == 2304


@pytest.mark.parametrize("n", CODEWORD_LENGTHS)
def test_every_codeword_is_systematic_and_satisfies_every_check(n: int) -> None:
    code = ieee80216e(n)
    bits = random_bits(8, code.k, f"encode {n}")
    codewords = code.encode(bits)
    assert codewords.shape == (8, n)
    assert torch.equal(codewords[:, : code.k], bits)
    parity = code.parity.to_matrix()
    assert parity.shape == (n // 2, n)
    assert not (parity.astype(np.int64) @ codewords.numpy().T % 2).any()


def test_an_unknown_length_is_refused() -> None:
    with pytest.raises(SimnetError, match=r"got 600 bit; allowed 576, 672, \.\.\. 2304"):
        ieee80216e(600)


def test_layers_hold_the_matrix_and_share_no_bit() -> None:
    matrix = irregular_matrix()
    parity = ParityCheck.from_matrix(matrix)
    assert sorted(map(tuple, parity.to_matrix().toarray())) == sorted(map(tuple, matrix))
    for layer in parity.layers:
        bits = layer[layer < parity.n]
        assert len(set(bits.tolist())) == len(bits)


def test_a_matrix_that_is_not_binary_is_refused() -> None:
    with pytest.raises(SimnetError, match="entries other than 0 and 1"):
        ParityCheck.from_matrix(np.array([[0, 2], [1, 1]]))
    with pytest.raises(SimnetError, match="every check needs two or more bits"):
        ParityCheck.from_matrix(np.array([[0, 1], [1, 1]]))


def test_positive_llr_is_bit_0() -> None:
    assert hard_decision(torch.tensor([3.0, -3.0, 0.0])).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("rule", "arithmetic"), [("min_sum", "float32"), ("min_sum", "int8"), ("sum_product", "float32")]
)
@pytest.mark.parametrize("schedule", ["layered", "flooding"])
def test_decoders_correct_what_the_channel_broke(rule: str, arithmetic: str, schedule: str) -> None:
    code = ieee80216e(576)
    codewords = code.encode(random_bits(20, code.k, "correct"))
    llr = noisy_llr(codewords, 1.0, "correct")
    assert (hard_decision(llr) != codewords).any(1).all()
    settings = DecoderSettings(rule, schedule, max_iterations=50, arithmetic=arithmetic)  # type: ignore[arg-type]
    decoded = LdpcDecoder(code.parity, settings).decode(llr)
    assert decoded.converged.all()
    assert torch.equal(decoded.bits, codewords)


def test_noiseless_words_take_one_iteration() -> None:
    code = ieee80216e(1152)
    codewords = code.encode(random_bits(3, code.k, "noiseless"))
    decoded = LdpcDecoder(code.parity).decode(4 * (1 - 2 * codewords.float()))
    assert torch.equal(decoded.bits, codewords)
    assert decoded.iterations.tolist() == [1, 1, 1]


COMPILED = [
    DecoderSettings(),
    DecoderSettings(alpha=1.0, beta=0.3),
    DecoderSettings(early_stopping=False, max_iterations=7),
    DecoderSettings(arithmetic="int8"),
    DecoderSettings(arithmetic="int8", alpha=0.95, beta=0.25),
]


@pytest.mark.parametrize("settings", COMPILED, ids=str)
@pytest.mark.parametrize("n_codewords", [1, 16, 17, 150])
def test_compiled_and_torch_decoders_agree_bit_for_bit(n_codewords: int, settings: DecoderSettings) -> None:
    code = ieee80216e(576)
    codewords = code.encode(random_bits(n_codewords, code.k, "agree"))
    llr = noisy_llr(codewords, 0.6, "agree")
    llr[:, :5] = torch.tensor([0.0, -0.0, 0.0, -0.0, 1e-30])  # what was not sent, and what fading wiped out
    assert_same_decisions(code.parity, llr, settings)


@pytest.mark.parametrize("settings", COMPILED, ids=str)
def test_compiled_and_torch_decoders_agree_on_an_irregular_matrix(settings: DecoderSettings) -> None:
    parity = ParityCheck.from_matrix(irregular_matrix())
    llr = noisy_llr(torch.zeros((100, parity.n), dtype=torch.uint8), 0.8, "irregular")
    assert_same_decisions(parity, llr, settings)


def assert_same_decisions(parity: ParityCheck, llr: torch.Tensor, settings: DecoderSettings) -> None:
    compiled = LdpcDecoder(parity, settings).decode(llr, soft=True)
    plain = LdpcDecoder(parity, settings, compiled=False).decode(llr, soft=True)
    assert torch.equal(compiled.bits, plain.bits)
    assert torch.equal(compiled.unsatisfied, plain.unsatisfied)
    assert torch.equal(compiled.iterations, plain.iterations)
    assert compiled.llr is not None and plain.llr is not None
    assert torch.equal(compiled.llr, plain.llr)
    if len(llr) >= 100:
        assert 0 < int(plain.converged.sum()) < len(llr)


def test_soft_decisions_are_llrs_of_the_hard_ones() -> None:
    code = ieee80216e(576)
    codewords = code.encode(random_bits(50, code.k, "soft"))
    llr = noisy_llr(codewords, 0.75, "soft")
    for settings in COMPILED[::3]:
        decoded = LdpcDecoder(code.parity, settings).decode(llr, soft=True)
        assert decoded.llr is not None
        assert torch.equal(hard_decision(decoded.llr), decoded.bits)
        done = decoded.converged
        assert int(done.sum()) > 10
        # The code has told more about each bit than the channel had.
        assert (decoded.llr.abs().mean(1)[done] > 2 * llr.abs().mean(1)[done]).all()
        assert LdpcDecoder(code.parity, settings).decode(llr).llr is None


def test_integers_lose_hardly_more_words_than_floats() -> None:
    code = ieee80216e(576)
    codewords = code.encode(random_bits(4000, code.k, "integers"))
    llr = noisy_llr(codewords, 0.68, "integers")
    lost = [
        (LdpcDecoder(code.parity, DecoderSettings(arithmetic=each)).decode(llr).bits != codewords).any(1)
        for each in ("float32", "int8")
    ]
    rates = [float(each.double().mean()) for each in lost]
    assert 0.1 < rates[0] < 0.5
    assert rates[1] < 1.1 * rates[0]


def test_large_llrs_saturate_and_do_not_wrap() -> None:
    code = ieee80216e(576)
    codewords = code.encode(random_bits(5, code.k, "large"))
    settings = DecoderSettings(arithmetic="int8")
    for size in (40.0, 1e6, 1e30):
        decoded = LdpcDecoder(code.parity, settings).decode(size * (1 - 2 * codewords.float()))
        assert torch.equal(decoded.bits, codewords)


def test_all_iterations_are_run_without_early_stopping() -> None:
    code = ieee80216e(576)
    codewords = code.encode(random_bits(5, code.k, "all"))
    decoder = LdpcDecoder(code.parity, DecoderSettings(early_stopping=False, max_iterations=9))
    decoded = decoder.decode(4 * (1 - 2 * codewords.float()))
    assert decoded.iterations.tolist() == [9] * 5
    assert torch.equal(decoded.bits, codewords)


@pytest.mark.parametrize("arithmetic", ["float32", "int8"])
@pytest.mark.parametrize("alpha", [0.8, 1.0])
def test_a_word_that_was_found_is_not_lost_by_going_on(arithmetic: str, alpha: float) -> None:
    """Integers saturate: their messages must stay so small that this does no harm."""
    code = ieee80216e(2304)
    codewords = code.encode(random_bits(64, code.k, "going on"))
    llr = noisy_llr(codewords, 0.9, "going on")
    settings = DecoderSettings(early_stopping=False, max_iterations=100, arithmetic=arithmetic, alpha=alpha)  # type: ignore[arg-type]
    stopping = LdpcDecoder(code.parity, replace(settings, early_stopping=True)).decode(llr)
    assert stopping.converged.all() and int(stopping.iterations.max()) < 30
    assert torch.equal(LdpcDecoder(code.parity, settings).decode(llr).bits, codewords)


def test_converged_means_that_every_check_holds() -> None:
    code = ieee80216e(576)
    llr = noisy_llr(code.encode(random_bits(100, code.k, "syndrome")), 0.6, "syndrome")
    decoded = LdpcDecoder(code.parity).decode(llr)
    syndrome = code.parity.to_matrix().astype(np.int64) @ decoded.bits.numpy().T % 2
    assert decoded.unsatisfied.tolist() == syndrome.sum(0).tolist()
    assert decoded.converged.tolist() == (~syndrome.any(0)).tolist()
    assert (decoded.iterations[~decoded.converged] == DecoderSettings().max_iterations).all()


def test_more_iterations_change_no_word_that_was_done() -> None:
    code = ieee80216e(576)
    llr = noisy_llr(code.encode(random_bits(60, code.k, "more")), 0.65, "more")
    few, many = (LdpcDecoder(code.parity, DecoderSettings(max_iterations=i)).decode(llr) for i in (8, 40))
    assert few.converged.any()
    assert torch.equal(few.bits[few.converged], many.bits[few.converged])
    assert int(many.converged.sum()) > int(few.converged.sum())


def test_the_kernel_changes_whenever_what_is_compiled_into_it_does() -> None:
    sources = b"".join(Path(module.__file__ or "").read_bytes() for module in (lanes, simd, int8))
    digest = hashlib.blake2b(sources, digest_size=6).hexdigest()
    assert digest == kernel.BUILT_FROM, f"put BUILT_FROM = {digest!r} into {kernel.__file__}"


def test_wrong_shapes_and_limits_are_refused() -> None:
    with pytest.raises(SimnetError, match=r"shape \(2, 500\); need \[B, 576\]"):
        LdpcDecoder(ieee80216e(576).parity).decode(torch.zeros(2, 500))
    with pytest.raises(SimnetError, match="max_iterations: got 0; allowed 1 or more"):
        DecoderSettings(max_iterations=0)
    with pytest.raises(SimnetError, match=r"alpha: got 1\.2; allowed above 0, at most 1"):
        DecoderSettings(alpha=1.2)
    with pytest.raises(SimnetError, match="beta: got nan; allowed 0 or more"):
        DecoderSettings(beta=float("nan"))
    with pytest.raises(SimnetError, match="'int8' with rule 'sum_product': allowed 'min_sum'"):
        DecoderSettings("sum_product", arithmetic="int8")
