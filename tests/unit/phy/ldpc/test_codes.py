"""LDPC codes: IEEE 802.16e at all rates, shortening, 5G NR, any matrix, alist files."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.streams import generator
from simnet.core.units import db_to_linear
from simnet.phy.blocks import coded_bits
from simnet.phy.ldpc.alist import read_alist, write_alist
from simnet.phy.ldpc.base_graph import BASE_GRAPHS, LIFTING_SIZES, BaseGraphNumber, select_base_graph
from simnet.phy.ldpc.code import Code
from simnet.phy.ldpc.decoder import DecoderSettings, LdpcDecoder
from simnet.phy.ldpc.generic import GenericCode
from simnet.phy.ldpc.ieee80216e import CODEWORD_LENGTHS, RATES, Ieee80216eCode, base_matrix, ieee80216e
from simnet.phy.ldpc.nr import NrCode, NrRateMatched, nr_code
from simnet.phy.ldpc.parity_check import ParityCheck
from simnet.phy.ldpc.shortened import KNOWN_ZERO_LLR, ShortenedCode, ieee80216e_shortened

NUMBERS: tuple[BaseGraphNumber, ...] = (1, 2)


def random_bits(n_words: int, k: int, *names: str | int) -> torch.Tensor:
    return torch.from_numpy(generator(1, "codes", *names).integers(0, 2, (n_words, k), dtype=np.uint8))


def sure_llr(bits: torch.Tensor) -> torch.Tensor:
    """LLRs of bits that came through a channel without noise: 0 is +1, 1 is −1."""
    return 1.0 - 2.0 * bits.float()


def assert_systematic_code(code: Code, n_words: int, *names: str | int) -> None:
    bits = random_bits(n_words, code.k, *names)
    codewords = code.encode(bits)
    assert codewords.shape == (n_words, code.n)
    assert codewords.dtype == torch.uint8
    assert torch.equal(codewords[:, : code.k], bits)
    parity = code.parity.to_matrix().astype(np.int64)
    assert parity.shape[1] == code.n
    assert not (parity @ codewords.numpy().T % 2).any()


def dense(shifts: np.ndarray, z: int) -> np.ndarray:
    """The matrix that a base matrix stands for, block by block."""
    identity, zeros = np.eye(z, dtype=int), np.zeros((z, z), dtype=int)
    return np.block([[np.roll(identity, shift, axis=1) if shift >= 0 else zeros for shift in row] for row in shifts])


def assert_dual_diagonal(core_parity: np.ndarray) -> None:
    """Parity part [c, c] of a core: what makes its encoder linear."""
    size = len(core_parity)
    first = core_parity[:, 0]
    middle = np.flatnonzero(first[1:-1] >= 0)
    assert len(middle) == 1
    assert first[0] == first[-1] >= 0
    diagonal = np.full((size, size - 1), -1)
    diagonal[np.arange(size - 1), np.arange(size - 1)] = 0
    diagonal[np.arange(1, size), np.arange(size - 1)] = 0
    np.testing.assert_array_equal(core_parity[:, 1:], diagonal)


# IEEE 802.16e


def test_a_base_matrix_stands_for_shifted_identities() -> None:
    shifts = np.array([[1, -1, 0, 2], [-1, 3, 1, -1]])
    np.testing.assert_array_equal(ParityCheck.from_base_matrix(shifts, 4).to_matrix().toarray(), dense(shifts, 4))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("n", CODEWORD_LENGTHS)
def test_every_length_at_every_rate_is_a_systematic_code(n: int, rate: str) -> None:
    code = ieee80216e(n, rate)
    assert code.n == n
    assert code.k == n * Fraction(rate.rstrip("AB"))
    assert_systematic_code(code, 3, "802.16e", rate, n)


@pytest.mark.parametrize("rate", RATES)
def test_the_parity_part_is_dual_diagonal_at_every_length(rate: str) -> None:
    for n in CODEWORD_LENGTHS:
        shifts = base_matrix(n // 24, rate)
        assert shifts.max() < n // 24
        assert_dual_diagonal(shifts[:, 24 - len(shifts) :])


def test_shifts_shrink_with_z_by_the_two_rules_of_the_standard() -> None:
    assert base_matrix(96, "2/3A")[1, 4] == 36
    assert base_matrix(28, "2/3A")[1, 4] == 8  # 36 mod 28
    assert base_matrix(96, "3/4B")[5, 7] == 35
    assert base_matrix(28, "3/4B")[5, 7] == 10  # floor(35·28/96)
    assert base_matrix(24, "5/6")[3, 0] == 12  # floor(50·24/96)
    assert base_matrix(96, "1/2")[0, 0] == base_matrix(24, "1/2")[0, 0] == -1


def test_rates_and_lengths_outside_the_standard_are_refused() -> None:
    with pytest.raises(UnknownName, match=r"IEEE 802.16e code rate: got '2/3'.*1/2, 2/3A, 2/3B, 3/4A, 3/4B, 5/6"):
        ieee80216e(576, "2/3")
    with pytest.raises(SimnetError, match=r"got 2305 bit; allowed 576, 672, \.\.\. 2304"):
        Ieee80216eCode(2305, "5/6")


def test_each_code_is_built_once() -> None:
    assert ieee80216e(576) is ieee80216e(576, "1/2") is ieee80216e(n=576, rate="1/2")


def test_an_empty_batch_is_encoded() -> None:
    assert ieee80216e(576).encode(torch.zeros((0, 288), dtype=torch.uint8)).shape == (0, 576)


# Shortening


@pytest.mark.parametrize("rate", RATES)
def test_the_shortest_code_that_holds_k_is_shortened(rate: str) -> None:
    lengths = [ieee80216e(n, rate).k for n in CODEWORD_LENGTHS]
    for k in (1, 8, lengths[0], lengths[0] + 1, lengths[7] - 1, lengths[7], lengths[-1] - 7, lengths[-1]):
        code = ieee80216e_shortened(k, rate)
        assert code.mother.k == min(length for length in lengths if length >= k)
        assert code.n - code.k == code.mother.n - code.mother.k
        assert code.n == coded_bits("ieee80216e", k, Fraction(rate.rstrip("AB")))


def test_a_shortened_word_is_the_mothers_without_its_zeros() -> None:
    code = ieee80216e_shortened(500, "2/3A")
    bits = random_bits(4, 500, "shortened")
    sent = code.encode(bits)
    recovered = code.recover(sure_llr(sent))
    whole = code.mother.encode(torch.cat((bits, torch.zeros((4, code.mother.k - 500), dtype=torch.uint8)), dim=1))
    assert sent.shape == (4, code.n)
    assert torch.equal(recovered < 0, whole.bool())
    assert (recovered[:, 500 : code.mother.k] == KNOWN_ZERO_LLR).all()
    assert (recovered.abs() == 1).sum() == 4 * code.n


def test_shortening_to_all_bits_changes_nothing() -> None:
    mother = ieee80216e(672, "3/4B")
    code = ShortenedCode(mother, mother.k)
    bits = random_bits(2, mother.k, "unshortened")
    assert torch.equal(code.encode(bits), mother.encode(bits))
    assert torch.equal(code.recover(sure_llr(mother.encode(bits))), sure_llr(mother.encode(bits)))


def test_more_bits_than_the_mother_has_are_refused() -> None:
    with pytest.raises(SimnetError, match=r"got k = 289 bit; allowed 1 \.\.\. 288"):
        ShortenedCode(ieee80216e(576), 289)
    with pytest.raises(SimnetError, match=r"got k = 0 bit"):
        ieee80216e_shortened(0)
    with pytest.raises(SimnetError, match=r"block of 1537 bit: IEEE 802.16e at rate 2/3B holds 1536 at most"):
        ieee80216e_shortened(1537, "2/3B")


# 5G NR


def test_there_are_51_lifting_sizes() -> None:
    assert len(LIFTING_SIZES) == 51
    assert LIFTING_SIZES[:8] == (2, 3, 4, 5, 6, 7, 8, 9)
    assert LIFTING_SIZES[-3:] == (320, 352, 384)


@pytest.mark.parametrize("z", LIFTING_SIZES)
@pytest.mark.parametrize("number", NUMBERS)
def test_every_lifting_of_both_base_graphs_is_a_systematic_code(number: BaseGraphNumber, z: int) -> None:
    graph = BASE_GRAPHS[number]
    code = NrCode(graph, z)
    assert (code.n, code.k) == ((68 * z, 22 * z) if number == 1 else (52 * z, 10 * z))
    assert_systematic_code(code, 2, "nr", number, z)
    shifts = graph.shifts(z)
    assert shifts.max() < z
    assert_dual_diagonal(shifts[:4, graph.n_info : graph.n_info + 4])
    own = np.full((graph.n_rows - 4, graph.n_rows - 4), -1)
    np.fill_diagonal(own, 0)
    np.testing.assert_array_equal(shifts[4:, graph.n_info + 4 :], own)
    assert (shifts[:4, graph.n_info + 4 :] == -1).all()


def test_fewer_rows_give_the_beginning_of_the_full_code() -> None:
    full, cut = NrCode(BASE_GRAPHS[2], 20), nr_code(2, 20, 11)
    assert (cut.n, cut.k) == (21 * 20, 10 * 20)
    bits = random_bits(3, cut.k, "cut")
    assert torch.equal(cut.encode(bits), full.encode(bits)[:, : cut.n])
    kept = full.parity.to_matrix()[: 11 * 20]
    assert kept[:, cut.n :].nnz == 0
    assert (kept[:, : cut.n] != cut.parity.to_matrix()).nnz == 0


def test_base_graph_is_chosen_by_size_and_rate() -> None:
    assert select_base_graph(292, 300).number == 2
    assert select_base_graph(293, 300).number == 1
    assert select_base_graph(670, 1000).number == 2
    assert select_base_graph(671, 1000).number == 1
    assert select_base_graph(3824, 3824 * 2).number == 2
    assert select_base_graph(3825, 3825 * 2).number == 1
    assert select_base_graph(3825, 3825 * 4).number == 2


@pytest.mark.parametrize(
    ("number", "k", "z"),
    [
        (1, 8448, 384),
        (1, 8447, 384),
        (1, 7744, 352),
        (1, 44, 2),
        (1, 45, 3),
        (2, 3840, 384),
        (2, 641, 72),
        (2, 640, 72),
        (2, 576, 64),
        (2, 560, 72),
        (2, 193, 26),
        (2, 192, 32),
        (2, 12, 2),
    ],
)
def test_lifting_size_is_the_smallest_that_holds_k(number: BaseGraphNumber, k: int, z: int) -> None:
    """Few bits use 9, 8 or 6 of base graph 2's 10 columns (TS 38.212, 5.2.2)."""
    assert BASE_GRAPHS[number].lifting_size(k) == z


def sent_by_the_standard(code: NrRateMatched, rv: int, bits: torch.Tensor) -> list[list[int]]:
    """TS 38.212, 5.4.2.1 and 5.4.2.2, step by step, on the full mother code's words."""
    z, number, k, n = code.z, code.graph.number, code.k, code.n
    full = NrCode(BASE_GRAPHS[number], z)
    words = full.encode(torch.cat((bits, torch.zeros((len(bits), full.k - k), dtype=torch.uint8)), dim=1)).tolist()
    n_cb = (66 if number == 1 else 50) * z
    numerator = {1: (0, 17, 33, 56), 2: (0, 13, 25, 43)}[number][rv]
    k0 = numerator * n_cb // n_cb * z
    sent = []
    for word in words:
        d = [None if k <= place < full.k else bit for place, bit in enumerate(word)][2 * z :]
        e: list[int] = []
        j = 0
        while len(e) < n:
            bit = d[(k0 + j) % n_cb]
            if bit is not None:
                e.append(bit)
            j += 1
        m = code.bits_per_symbol or 1
        f = [0] * n
        for row, i in product(range(n // m), range(m)):
            f[i + row * m] = e[i * n // m + row]
        sent.append(f)
    return sent


@pytest.mark.parametrize("rv", range(4))
@pytest.mark.parametrize(
    ("k", "n", "bits_per_symbol"),
    [(40, 60, None), (40, 2000, 4), (100, 200, 2), (301, 400, 8), (500, 600, 6), (1000, 5000, None), (3, 900, 1)],
)
def test_sent_bits_are_those_of_the_standard(k: int, n: int, bits_per_symbol: int | None, rv: int) -> None:
    code = NrRateMatched(k, n, rv, bits_per_symbol)
    bits = random_bits(2, k, "standard", k, n)
    assert code.encode(bits).tolist() == sent_by_the_standard(code, rv, bits)


@settings(max_examples=60)
@given(
    k=st.integers(1, 8448),
    rate=st.floats(0.05, 1.0),
    rv=st.integers(0, 3),
    bits_per_symbol=st.sampled_from([None, 1, 2, 4, 6, 8]),
)
def test_recovery_undoes_rate_matching(k: int, rate: float, rv: int, bits_per_symbol: int | None) -> None:
    n = max(k, round(k / rate))
    n += -n % (bits_per_symbol or 1)
    assume(k <= select_base_graph(k, n).largest_k)
    code = NrRateMatched(k, n, rv, bits_per_symbol)
    bits = random_bits(2, k, "recovery", k, n)
    sent = code.encode(bits)
    assert sent.shape == (2, n)
    assert code.mother.k >= k

    times = code.recover(torch.ones((1, n)))[0]
    filler = slice(k, code.mother.k)
    assert (times[filler] == KNOWN_ZERO_LLR).all()
    times[filler] = 0
    assert times.sum() == n
    assert (times[: 2 * code.z] == 0).all()

    mother = code.mother.encode(torch.cat((bits, torch.zeros((2, code.mother.k - k), dtype=torch.uint8)), dim=1))
    recovered = code.recover(sure_llr(sent))
    recovered[:, filler] = 0
    assert torch.equal(recovered, sure_llr(mother) * times)
    sendable = torch.cat((times[2 * code.z : k], times[code.mother.k :]))
    if n > len(sendable):
        assert sendable.max() - sendable.min() <= 1


def test_version_0_is_decoded_with_the_rows_it_needs_and_no_more() -> None:
    code = NrRateMatched(1000, 2000)
    z = code.z
    times = code.recover(torch.ones((1, 2000)))[0]
    assert (times[-z:] > 0).any()
    assert code.mother.n < 52 * z
    assert NrRateMatched(1000, 2000, rv=1).mother.n == 52 * z
    assert NrRateMatched(1000, 50 * z).mother.n == 52 * z
    assert NrRateMatched(300, 300).mother.n == 26 * NrRateMatched(300, 300).z


def test_two_versions_together_decode_what_one_cannot() -> None:
    k, n = 400, 480
    first, second = NrRateMatched(k, n), NrRateMatched(k, n, rv=2)
    bits = random_bits(20, k, "combining")
    noise = generator(1, "codes", "combining noise")
    variance = 0.6

    def received(code: NrRateMatched) -> torch.Tensor:
        noisy = sure_llr(code.encode(bits)) + torch.from_numpy(noise.standard_normal((20, n))).float() * variance**0.5
        return code.recover(noisy * 2 / variance)

    alone, more = received(first), received(second)
    combined = more + torch.nn.functional.pad(alone, (0, second.mother.n - first.mother.n))
    wrong = [
        int((LdpcDecoder(code.mother.parity, compiled=False).decode(llr).bits[:, :k] != bits).any(1).sum())
        for code, llr in ((first, alone), (second, combined))
    ]
    assert wrong == [20, 0]


@pytest.mark.parametrize("arithmetic", ["float32", "int8"])
@pytest.mark.parametrize(
    ("code", "ebno_db"),
    [
        (ieee80216e_shortened(600, "2/3A"), 4.0),
        (ieee80216e_shortened(400, "5/6"), 4.7),
        (NrRateMatched(100, 400), 4.0),
        (NrRateMatched(600, 1000, bits_per_symbol=4), 4.0),
        (NrRateMatched(100, 1500), 4.0),
        (NrRateMatched(1000, 1200), 5.0),
    ],
    ids=["802.16e 2/3A", "802.16e 5/6", "NR 1/4", "NR 0.6", "NR repeated", "NR 5/6"],
)
def test_recovered_llrs_are_what_the_decoder_needs(
    code: ShortenedCode | NrRateMatched, ebno_db: float, arithmetic: str
) -> None:
    """Some 3 dB above the limit of BPSK at the code's rate every word arrives with errors and none is lost."""
    bits = random_bits(20, code.k, "decoder", code.n)
    sent = code.encode(bits)
    variance = 1 / (2 * code.k / code.n * db_to_linear(ebno_db))
    noise = torch.from_numpy(generator(1, "codes", "noise", code.n).standard_normal((20, code.n))).float()
    llr = (sure_llr(sent) + noise * variance**0.5) * 2 / variance
    assert ((llr < 0) != sent.bool()).any(1).all()
    decoder_settings = DecoderSettings(max_iterations=50, arithmetic=arithmetic)  # type: ignore[arg-type]
    decoded = LdpcDecoder(code.mother.parity, decoder_settings, compiled=False).decode(code.recover(llr))
    assert decoded.converged.all()
    assert torch.equal(decoded.bits[:, : code.k], bits)


def test_what_a_code_block_cannot_be_is_refused() -> None:
    with pytest.raises(SimnetError, match=r"of 8449 bit: base graph 1 holds 1 \.\.\. 8448; cut it"):
        NrRateMatched(8449, 16000)
    with pytest.raises(SimnetError, match=r"of 4000 bit: base graph 2 holds 1 \.\.\. 3840; cut it"):
        NrRateMatched(4000, 16000)
    assert NrRateMatched(4000, 16000, base_graph=1).graph.number == 1
    with pytest.raises(SimnetError, match="of 0 bit"):
        NrRateMatched(0, 10)
    with pytest.raises(SimnetError, match="got 99 bit to send for 100 information bits; allowed 100 or more"):
        NrRateMatched(100, 99)
    with pytest.raises(SimnetError, match="redundancy version: got 4; allowed 0, 1, 2, 3"):
        NrRateMatched(100, 200, rv=4)
    with pytest.raises(SimnetError, match="n = 200 bit at 6 bit per symbol; allowed whole symbols"):
        NrRateMatched(100, 200, bits_per_symbol=6)
    with pytest.raises(SimnetError, match="base graph: got 3; allowed 1, 2"):
        NrRateMatched(100, 200, base_graph=3)  # type: ignore[arg-type]
    with pytest.raises(SimnetError, match=r"lifting size: got 17; allowed 2, 3, .*, 384"):
        NrCode(BASE_GRAPHS[1], 17)
    with pytest.raises(SimnetError, match=r"base graph 2: got 43 rows; allowed 4 \.\.\. 42"):
        NrCode(BASE_GRAPHS[2], 8, 43)


# Any matrix


@pytest.mark.parametrize(("n", "rate"), [(576, "1/2"), (1440, "2/3A"), (2304, "5/6")])
def test_elimination_finds_the_encoder_of_802_16e(n: int, rate: str) -> None:
    """Its last columns are invertible, so they stay where they are and the codewords are the same."""
    code = ieee80216e(n, rate)
    generic = GenericCode(code.parity.to_matrix())
    bits = random_bits(20, code.k, "generic", rate)
    assert (generic.n, generic.k) == (code.n, code.k)
    assert generic.permutation.tolist() == list(range(n))
    assert torch.equal(generic.encode(bits), code.encode(bits))


def all_words(n: int) -> np.ndarray:
    return np.arange(2**n)[:, None] >> np.arange(n) & 1


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array, sparse.coo_matrix], ids=["dense", "csr", "coo"])
@pytest.mark.parametrize("seed", range(6))
def test_its_codewords_are_all_words_that_satisfy_the_matrix(seed: int, convert: type) -> None:
    n = 11
    matrix = (generator(seed, "any matrix").random((6, n)) < 0.4).astype(np.int64)
    matrix[:, :2] = 1
    matrix = np.vstack((matrix, matrix[0], (matrix[2] + matrix[3]) % 2 | np.eye(1, n, dtype=np.int64)[0], matrix[4]))
    allowed = {tuple(word) for word in all_words(n).tolist() if not (matrix @ word % 2).any()}
    code = GenericCode(convert(matrix))
    assert 2**code.k == len(allowed)
    codewords = code.encode(torch.from_numpy(all_words(code.k).astype(np.uint8)))
    back = codewords.numpy()[:, np.argsort(code.permutation)]
    assert {tuple(word) for word in back.tolist()} == allowed
    assert_systematic_code(code, 8, "any matrix", seed)
    assert len(code.parity.to_matrix().toarray()) == len(matrix)


def test_a_matrix_without_information_bits_is_refused() -> None:
    with pytest.raises(SimnetError, match="got rank 3 of 3 bits"):
        GenericCode(np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1]]))
    with pytest.raises(SimnetError, match="entries other than 0 and 1"):
        GenericCode(np.array([[1, 2, 1]]))
    with pytest.raises(SimnetError, match="two or more bits"):
        GenericCode(np.array([[1, 1, 0], [0, 0, 0]]))


def test_a_matrix_is_left_as_it_was_given() -> None:
    matrix = sparse.csr_array(([1, 0, 1, 1], [2, 1, 0, 1], [0, 3, 4]), shape=(2, 3))
    ParityCheck.from_matrix(sparse.vstack((matrix[:1], matrix[:1])))
    with pytest.raises(SimnetError, match="two or more bits"):
        ParityCheck.from_matrix(matrix)
    assert matrix.indices.tolist() == [2, 1, 0, 1]
    with pytest.raises(SimnetError, match="entries other than 0 and 1"):
        ParityCheck.from_matrix(sparse.csr_array(([1, 1, 1], [0, 1, 1], [0, 3]), shape=(1, 2)))


# alist files

SAMPLE = """\
4 3
2 3
2 1 2 1
2 3 1
1 2
2 0
1 2
3 0
1 3 0
1 2 3
4 0 0
"""
SAMPLE_MATRIX = [[1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 1]]


def unpadded(text: str) -> str:
    lines = text.splitlines()
    return "\n".join(lines[:4] + [line.replace(" 0", "") for line in lines[4:]])


@pytest.mark.parametrize("text", [SAMPLE, unpadded(SAMPLE), SAMPLE + "\n  \n", SAMPLE.replace("\n", " \r\n")])
def test_padded_and_unpadded_files_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sample.alist"
    path.write_text(text)
    assert read_alist(path).toarray().tolist() == SAMPLE_MATRIX


def test_a_written_file_is_laid_out_as_mackays(tmp_path: Path) -> None:
    write_alist(tmp_path / "a", np.array(SAMPLE_MATRIX))
    assert (tmp_path / "a").read_text() == SAMPLE
    write_alist(tmp_path / "b", sparse.coo_array(np.array(SAMPLE_MATRIX)), padded=False)
    assert (tmp_path / "b").read_text().strip() == unpadded(SAMPLE)


@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 20)),
    density=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    seed=st.integers(0, 100),
    padded=st.booleans(),
)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, int], density: float, seed: int, padded: bool
) -> None:
    matrix = (generator(seed, "alist").random(shape) < density).astype(np.uint8)
    path = tmp_path_factory.mktemp("alist") / "any.alist"
    write_alist(path, matrix, padded=padded)
    np.testing.assert_array_equal(read_alist(path).toarray(), matrix)


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (1, "4 3 1", r":1: got 3 numbers; need 2: columns, rows"),
        (1, "0 3", r":1: got 0 columns and 3 rows"),
        (1, "4 x", r":1: got 'x' among the columns, rows; allowed whole numbers"),
        (3, "2 1 2", r":3: got 3 numbers; need 4: weights of the columns"),
        (3, "2 1 1 1", r":7: got 1, 2; need 1 rows"),
        (3, "2 -1 2 1", r":3: got column weights -1 \.\.\. 2; allowed 0 \.\.\. 3"),
        (4, "2 2 1", r":4: got row weights up to 2; line 2 says 3"),
        (5, "1 4", r":5: got row 4; allowed 1 \.\.\. 3"),
        (5, "1 1", r":5: got 1, 1; allowed each row once"),
        (5, "1", r":5: got 1; need 2 rows"),
        (6, "2 0 0", r":6: got 2, 0, 0; need 1 rows, then zeros up to 2 numbers or nothing"),
        (6, "2.5 0", r":6: got '2.5' among the lists of rows"),
        (9, "1 2 0", r":9: got ones in columns 1, 2; the columns' own lists say 1, 3"),
        (11, "4 0 0\n1 2 3", r":12: got more lines than the matrix has lists"),
        (11, "", r":11: got nothing; need 1 columns"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, line: int, text: str, message: str) -> None:
    lines = SAMPLE.splitlines()
    lines[line - 1] = text
    path = tmp_path / "broken.alist"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(SimnetError, match=r"broken\.alist" + message):
        read_alist(path)


def test_files_that_end_early_or_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.alist"
    path.write_text("".join(SAMPLE.splitlines(keepends=True)[:6]))
    with pytest.raises(SimnetError, match=r"short\.alist:7: the file ends before the lists of rows"):
        read_alist(path)
    path.write_bytes(bytes(range(128, 256)))
    with pytest.raises(SimnetError, match=r"short\.alist: got bytes that are no text"):
        read_alist(path)
    with pytest.raises(SimnetError, match=r"none\.alist: cannot be read \(No such file"):
        read_alist(tmp_path / "none.alist")
    with pytest.raises(SimnetError, match="entries other than 0 and 1"):
        write_alist(path, np.array([[2, 1]]))
    with pytest.raises(SimnetError, match=r"shape \(0, 3\)"):
        write_alist(path, np.zeros((0, 3)))
