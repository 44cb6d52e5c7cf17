"""LDPC codes of 5G NR, 3GPP TS 38.212: encoder (5.3.2), rate matching (5.4.2.1), bit interleaver (5.4.2.2)."""

from __future__ import annotations

from functools import cache
from itertools import cycle

import torch
from torch import Tensor

from simnet.core.errors import SimnetError
from simnet.phy.ldpc.base_graph import (
    BASE_GRAPHS,
    N_CORE_ROWS,
    N_PUNCTURED_COLUMNS,
    BaseGraph,
    BaseGraphNumber,
    select_base_graph,
)
from simnet.phy.ldpc.code import Code
from simnet.phy.ldpc.quasi_cyclic import QuasiCyclicCode
from simnet.phy.ldpc.shortened import KNOWN_ZERO_LLR


class NrCode(QuasiCyclicCode):
    """The mother code: all its bits, the first 2Z and the fillers included.

    Args:
        graph: base graph.
        z: lifting size, one of :data:`simnet.phy.ldpc.base_graph.LIFTING_SIZES`.
        n_rows: use these first block rows only, 4 … graph.n_rows, and so as many parity blocks; None is all. Every row
            from the fifth on has a parity block of its own, so a code with fewer rows is the full one without the last
            parity blocks.

    Raises:
        SimnetError: the standard has no such lifting size, or the base graph has fewer rows.
    """

    def __init__(self, graph: BaseGraph, z: int, n_rows: int | None = None) -> None:
        n_rows = graph.n_rows if n_rows is None else n_rows
        if not N_CORE_ROWS <= n_rows <= graph.n_rows:
            raise SimnetError(
                f"5G NR base graph {graph.number}: got {n_rows} rows; allowed {N_CORE_ROWS} ... {graph.n_rows}"
            )
        super().__init__(graph.shifts(z)[:n_rows, : graph.n_info + n_rows], z, N_CORE_ROWS)


@cache
def nr_code(number: BaseGraphNumber, z: int, n_rows: int) -> NrCode:
    """The mother code of a base graph, built once."""
    return NrCode(BASE_GRAPHS[number], z, n_rows)


class NrRateMatched:
    """``k`` information bits in ``n`` sent bits, as one code block; the soft buffer is not limited.

    The mother code begins with the k bits and zeros that fill it up. Sent are, from the start of the redundancy version
    on and around: its bits without the first 2Z and without the fillers, some more than once if n is large. For
    redundancy version 0 the mother code lacks the rows whose parity blocks are not sent, which constrain nothing else,
    so that no decoder spends time on them; its codewords are the beginning of the full mother's. The other versions,
    which are sent to be combined, have the full mother; LLRs of version 0 fit it if zeros are appended.

    Args:
        k: information bits, CRC included: 1 … 8448 with base graph 1, 1 … 3840 with base graph 2.
        n: bits sent, k or more. The standard asks for k/n ≤ 948/1024.
        rv: redundancy version, 0 … 3.
        bits_per_symbol: of the modulation, for which the bits are interleaved; None is no interleaver.
        base_graph: 1 or 2; None chooses as :func:`simnet.phy.ldpc.base_graph.select_base_graph` does.

    Attributes:
        k: information bits.
        n: bits sent.
        graph: base graph.
        z: lifting size.
        mother: the code of encoder and decoder.

    Raises:
        SimnetError: k is too large for the base graph, n < k, there is no such redundancy version, or n is not a
            multiple of ``bits_per_symbol``.
    """

    def __init__(
        self,
        k: int,
        n: int,
        rv: int = 0,
        bits_per_symbol: int | None = None,
        base_graph: BaseGraphNumber | None = None,
    ) -> None:
        if n < k:
            raise SimnetError(f"5G NR code block: got {n} bit to send for {k} information bits; allowed {k} or more")
        if rv not in range(4):
            raise SimnetError(f"5G NR redundancy version: got {rv}; allowed 0, 1, 2, 3")
        if bits_per_symbol is not None and (bits_per_symbol < 1 or n % bits_per_symbol != 0):
            raise SimnetError(
                f"5G NR bit interleaver: got n = {n} bit at {bits_per_symbol} bit per symbol; allowed whole symbols"
            )
        if base_graph not in (None, *BASE_GRAPHS):
            raise SimnetError(f"5G NR base graph: got {base_graph}; allowed 1, 2, or None to choose by k and n")
        self.graph = graph = select_base_graph(k, n) if base_graph is None else BASE_GRAPHS[base_graph]
        self.z = z = graph.lifting_size(k)
        self.k = k
        self.n = n
        self.bits_per_symbol = bits_per_symbol
        self._sent = _sent(graph, z, k, n, rv)
        n_rows = graph.n_rows
        if rv == 0:
            n_columns = -(-max(part.stop for part in self._sent) // z)
            n_rows = max(N_CORE_ROWS, n_columns - graph.n_info)
        self.mother: Code = nr_code(graph.number, z, n_rows)

    def encode(self, bits: Tensor) -> Tensor:
        """Bits to send, [B, n] uint8, of information bits [B, k] uint8."""
        filled = torch.cat((bits, bits.new_zeros((len(bits), self.mother.k - self.k))), dim=1)
        codewords = self.mother.encode(filled)
        sent = torch.cat([codewords[:, part] for part in self._sent], dim=1)
        if self.bits_per_symbol is None:
            return sent
        return _transposed(sent, self.bits_per_symbol)

    def recover(self, llr: Tensor) -> Tensor:
        """LLRs [B, mother.n] of received LLRs [B, n].

        Those of a bit that was sent more than once are added up; of a bit that was not sent 0, of a filler
        :data:`simnet.phy.ldpc.shortened.KNOWN_ZERO_LLR`.
        """
        if self.bits_per_symbol is not None:
            llr = _transposed(llr, self.n // self.bits_per_symbol)
        recovered = llr.new_zeros((len(llr), self.mother.n))
        recovered[:, self.k : self.mother.k] = KNOWN_ZERO_LLR
        start = 0
        for part in self._sent:
            stop = start + part.stop - part.start
            recovered[:, part] += llr[:, start:stop]
            start = stop
        return recovered


def _transposed(rows: Tensor, n_rows: int) -> Tensor:
    """Each row of [B, n] written into a matrix of ``n_rows`` row by row, read column by column."""
    n_words, n = rows.shape
    return rows.reshape(n_words, n_rows, n // n_rows).transpose(1, 2).reshape(n_words, n)


def _sent(graph: BaseGraph, z: int, k: int, n: int, rv: int) -> list[slice]:
    """Which bits of the full mother code are sent, in order (TS 38.212, 5.4.2.1)."""
    first = N_PUNCTURED_COLUMNS * z
    start = first + graph.rv_starts[rv] * z
    n_info, n_mother = graph.n_info * z, (graph.n_info + graph.n_rows) * z
    buffer = ((first, k), (n_info, n_mother))
    ring = [(max(a, start), b) for a, b in buffer] + [(a, min(b, start)) for a, b in buffer]
    sent: list[slice] = []
    for a, b in cycle([(a, b) for a, b in ring if a < b]):
        sent.append(slice(a, min(b, a + n)))
        n -= sent[-1].stop - a
        if n == 0:
            break
    return sent
