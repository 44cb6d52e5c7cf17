"""Our LDPC codes against Sionna's, CommPy's and pyldpc's."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from simnet.core.streams import generator
from simnet.phy.ldpc.alist import read_alist, write_alist
from simnet.phy.ldpc.base_graph import BASE_GRAPHS, BaseGraphNumber
from simnet.phy.ldpc.generic import GenericCode
from simnet.phy.ldpc.ieee80216e import Ieee80216eCode, base_matrix
from simnet.phy.ldpc.nr import NrRateMatched

NUMBERS: tuple[BaseGraphNumber, ...] = (1, 2)
LARGEST_OF_SET = (256, 384, 320, 224, 288, 352, 208, 240)


@pytest.fixture(scope="module")
def sionna() -> ModuleType:
    return pytest.importorskip("sionna.phy.fec.ldpc", reason="sionna-no-rt is an oracle only")


@pytest.fixture(scope="module")
def commpy_designs() -> Path:
    channelcoding = pytest.importorskip("commpy.channelcoding")
    return Path(channelcoding.__file__).parent / "designs" / "ldpc"


def random_bits(n_words: int, k: int, *names: str | int) -> torch.Tensor:
    return torch.from_numpy(generator(1, "oracle codes", *names).integers(0, 2, (n_words, k), dtype=np.uint8))


# 5G NR


@pytest.mark.parametrize("number", NUMBERS)
def test_the_base_graphs_are_sionnas(sionna: ModuleType, number: BaseGraphNumber) -> None:
    """At the largest lifting size of each set."""
    graph = BASE_GRAPHS[number]
    text = (Path(sionna.__file__).parent / "codes" / f"5G_bg{number}.csv").read_text(encoding="utf-8-sig")
    row, n_entries = 0, 0
    ours = [graph.shifts(z) for z in LARGEST_OF_SET]
    for line in text.splitlines()[2:]:
        first, *cells = line.split(";")
        if not any(cells):
            continue
        row = int(first) if first else row
        column, *shifts = map(int, cells[:9])
        assert [matrix[row, column] for matrix in ours] == [v % z for v, z in zip(shifts, LARGEST_OF_SET, strict=True)]
        n_entries += 1
    assert n_entries == {1: 316, 2: 197}[number]
    assert all((matrix >= 0).sum() == n_entries for matrix in ours)


def assert_encodes_as_sionna(sionna: ModuleType, k: int, n: int, bits_per_symbol: int | None) -> NrRateMatched:
    theirs = sionna.LDPC5GEncoder(k, n, num_bits_per_symbol=bits_per_symbol, device="cpu")
    bits = random_bits(2, k, k, n)
    versions = theirs(bits.float(), rv=[0, 1, 2, 3])
    for rv in range(4):
        code = NrRateMatched(k, n, rv, bits_per_symbol)
        assert torch.equal(code.encode(bits).float(), versions[:, rv]), (k, n, rv)
    assert torch.equal(NrRateMatched(k, n, 0, bits_per_symbol).encode(bits).float(), theirs(bits.float()))
    return code


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("largest", LARGEST_OF_SET)
def test_every_lifting_set_of_both_base_graphs_encodes_as_sionna(
    sionna: ModuleType, largest: int, number: BaseGraphNumber
) -> None:
    for z in (largest, largest // 2):
        k, n = (22 * z, 26 * z) if number == 1 else (10 * z, 30 * z)
        k, n = min(k, 3824) if number == 2 else k, n + n % 2
        code = assert_encodes_as_sionna(sionna, k, n, 2)
        assert (code.graph.number, code.z) == (number, z)


@pytest.mark.parametrize("bits_per_symbol", [None, 1, 2, 4, 6, 8])
def test_any_k_and_n_encode_as_sionna(sionna: ModuleType, bits_per_symbol: int | None) -> None:
    rng = generator(1, "oracle k and n", bits_per_symbol or 0)
    done: list[BaseGraphNumber] = []
    for _ in range(16):
        k = int(np.exp(rng.uniform(np.log(12), np.log(8448))))
        n = round(k / rng.uniform(0.21 if k <= 3824 else 0.34, 0.92))
        n += -n % (bits_per_symbol or 1)
        done.append(assert_encodes_as_sionna(sionna, k, n, bits_per_symbol).graph.number)
    assert set(done) == {1, 2}


# IEEE 802.16e


def designed_checks(path: Path) -> set[frozenset[int]]:
    """The checks of CommPy's design file, as sets of bits counted from 0."""
    lines = path.read_text().splitlines()
    n, n_checks = map(int, lines[0].split())
    return {frozenset(int(bit) - 1 for bit in line.split()) for line in lines[4 + n : 4 + n + n_checks]}


@pytest.mark.parametrize(("n", "rate", "name"), [(1440, "1/2", "1440.720.txt"), (960, "3/4A", "960.720.a.txt")])
def test_matrices_are_commpys(commpy_designs: Path, n: int, rate: str, name: str) -> None:
    code = Ieee80216eCode(n, rate)
    matrix = code.parity.to_matrix()
    ours = {frozenset(row.tolist()) for row in np.split(matrix.indices, matrix.indptr[1:-1])}
    assert len(ours) == n - code.k
    assert ours == designed_checks(commpy_designs / "wimax" / name)


# For n = 576, the rows, counted from 1, in which the first bit of each block column has its ones, up to the first
# parity block: from the alist files of AFF3CT (5/6) and of wimax_ldpc_lib (the others).
FIRST_BITS = {
    "2/3A": """
        22 101 158, 1 168 187, 48 61 78 115 135 187, 71 73 156, 23 37 141, 1 58 94 111 125 148, 73 116 189,
        22 39 57, 18 39 91 137 164 179, 70 117 187, 24 80 133, 24 31 58 107 145 190, 47 136 181, 71 107 165,
        46 60 89 124 149 179, 25 82 124, 24 97 192
    """,
    "2/3B": """
        1 71 116 161, 32 90 138 169, 21 52 114 145, 27 89 129 182, 14 58 118 166, 41 77 132 190, 13 66 114 155,
        25 91 142 178, 16 52 105 148, 45 75 121 172, 5 69 115 168, 40 96 138 180, 14 65 109 168, 39 83 127 174,
        22 55 106 156, 37 88 121 183, 2 145 170
    """,
    "3/4B": """
        39 81 126, 5 73 108, 46 68 106, 18 32 101, 41 82 142, 58 115 138, 22 64 103, 19 73 137, 21 56 85,
        32 57 127, 39 77 138, 4 47 64 94 100 128, 18 40 72 74 102 124, 12 39 55 95 97 124, 6 41 62 76 97 139,
        2 35 66 88 103 129, 20 40 58 94 106 143, 2 43 72 93 115 123, 1 53 121
    """,
    "5/6": """
        1 61 85, 19 48 53, 12 53 85, 40 72 94, 14 39 57, 24 38 88, 46 68 94, 3 30 95, 4 38 66 95, 23 67 92,
        4 39 51 84, 12 44 58 75, 5 46 53 90, 17 32 71 74, 24 46 52 83, 1 31 54 90, 16 25 58 76, 20 38 51 74,
        24 37 57 95, 6 25 70 81, 5 25 77
    """,
}


@pytest.mark.parametrize("rate", FIRST_BITS)
def test_first_bits_of_blocks_are_those_of_published_matrices(rate: str) -> None:
    matrix = Ieee80216eCode(576, rate).parity.to_matrix().tocsc()
    for block, rows in enumerate(FIRST_BITS[rate].split(",")):
        column = matrix.indices[matrix.indptr[24 * block] : matrix.indptr[24 * block + 1]]
        assert sorted((column + 1).tolist()) == [int(row) for row in rows.split()]


@pytest.mark.parametrize(
    ("rate", "sums"),
    [
        ("2/3A", [18, 104, 102, 116, 145, 177, 147, 114]),
        ("2/3B", [391, 334, 394, 354, 299, 267, 251, 474]),
        ("3/4A", [510, 667, 645, 628, 571, 545]),
        ("3/4B", [618, 508, 594, 536, 618, 684]),
        ("5/6", [790, 591, 998, 889]),
    ],
)
def test_shifts_at_z_96_add_up_to_those_of_published_matrices(rate: str, sums: list[int]) -> None:
    """Per block row, of the base matrices in two simulators: the Coded Modulation Library and a C++ one.

    Each has one entry that three other sources contradict (3/4B: 38 for 35; 5/6: 68 for 50), taken from those here.
    """
    shifts = base_matrix(96, rate)
    assert np.where(shifts > 0, shifts, 0).sum(1).tolist() == sums


# alist files and foreign matrices


def sorted_lines(path: Path) -> list[list[int]]:
    """Each line's numbers, sorted: CommPy's files do not keep to an order."""
    return [sorted(map(int, line.split())) for line in path.read_text().rstrip().splitlines()]


def test_commpys_alist_files_are_read_and_written(commpy_designs: Path, tmp_path: Path) -> None:
    paths = sorted(commpy_designs.glob("*/*.txt"))
    assert len(paths) == 4
    for path in paths:
        matrix = read_alist(path)
        rows = {frozenset(row.tolist()) for row in np.split(matrix.indices, matrix.indptr[1:-1])}
        assert rows == designed_checks(path)
        write_alist(tmp_path / "copy", matrix, padded=False)
        assert sorted_lines(tmp_path / "copy") == sorted_lines(path)


@pytest.mark.parametrize(("n", "bit_degree", "check_degree"), [(24, 3, 4), (576, 3, 6), (600, 2, 5)])
def test_words_of_an_imported_matrix_satisfy_pyldpcs(n: int, bit_degree: int, check_degree: int) -> None:
    pyldpc = pytest.importorskip("pyldpc")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix, generating = pyldpc.make_ldpc(n, bit_degree, check_degree, seed=1)
    code = GenericCode(matrix)
    assert code.k == generating.shape[1]
    bits = random_bits(50, code.k, "pyldpc", n)
    codewords = code.encode(bits)
    assert torch.equal(codewords[:, : code.k], bits)
    words = codewords.numpy()[:, np.argsort(code.permutation)]
    assert not (matrix.astype(np.int64) @ words.T % 2).any()
    # and pyldpc's own words, in our order, are words of the permuted matrix
    theirs = (generating.astype(np.int64) @ random_bits(50, code.k, "theirs", n).numpy().T % 2).T
    reordered = theirs[:, code.permutation]
    assert not (code.parity.to_matrix().astype(np.int64) @ reordered.T % 2).any()
    again = code.encode(torch.from_numpy(reordered[:, : code.k].astype(np.uint8)))
    np.testing.assert_array_equal(again.numpy(), reordered)
