"""The independent backend: pyldpc's regular code and decoder, CommPy's modulator and demodulator. Slow.

pyldpc cannot decode the irregular codes of IEEE 802.16e, so here a codeword of the same length belongs to its own
regular (3, 6) code, of rate a little above 1/2; the surplus information bits are zero. Habits that matter:

- pyldpc's ``encode`` adds noise, so its generator matrix is used alone; ``decode`` takes y = LLR·σ²/2 of ±1 signals,
  decodes single words rightly but batches wrongly, and does not tell its iterations.
- CommPy's demodulator gives ln P(1)/P(0), the opposite of :mod:`simnet.phy.llr`; its constellations are not of unit
  energy; its plain exponentials vanish when N0 is small.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from simnet.core.errors import SimnetError
from simnet.core.streams import generator
from simnet.phy.backend import Backend
from simnet.phy.blocks import BlockFormat
from simnet.phy.ldpc.parity_check import ParityCheck

_BIT_DEGREE, _CHECK_DEGREE = 3, 6
_LARGEST_EXPONENT = 600.0
"""exp(−600) is still a float64."""


def _library(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise SimnetError(
            f"PHY backend 'reference' needs pyldpc and scikit-commpy; {name} cannot be imported ({error}). "
            "Install them with 'pip install scikit-commpy && pip install --no-build-isolation pyldpc', "
            "or choose backend 'native'"
        ) from error


class RegularCode:
    """pyldpc's regular (3, 6) code of n bits, brought to systematic form.

    Args:
        n: codeword length in bits, a multiple of 6.
    """

    def __init__(self, n: int) -> None:
        seed = int(generator(0, "pyldpc regular code", n).integers(2**31))
        matrix, generator_matrix = _library("pyldpc").make_ldpc(
            n, _BIT_DEGREE, _CHECK_DEGREE, systematic=True, sparse=True, seed=seed
        )
        self.n = n
        self.k = n // 2
        self.matrix = np.asarray(matrix, dtype=np.int64)
        self.parity = ParityCheck.from_matrix(self.matrix)
        # The first k columns: the surplus information bits beyond n/2 stay zero.
        self._generator = sparse.csr_array(np.asarray(generator_matrix, dtype=np.int64)[:, : self.k])

    @property
    def mother(self) -> RegularCode:
        """Itself: all its bits are sent."""
        return self

    def recover(self, llr: Tensor) -> Tensor:
        """LLRs [B, n] as they are."""
        return llr

    def encode(self, bits: Tensor) -> Tensor:
        """Codewords [B, n] uint8 of information bits [B, k] uint8."""
        codewords = self._generator @ bits.cpu().numpy().astype(np.int64).T % 2
        return torch.from_numpy(codewords.T.astype(np.uint8))


@cache
def regular_code(n: int) -> RegularCode:
    """The code of length n, built once (seconds at 2304)."""
    return RegularCode(n)


def regular_block_code(block_format: BlockFormat) -> RegularCode:
    """The regular code in place of a block format's own.

    Raises:
        SimnetError: the format is not of rate 1/2.
    """
    if 2 * block_format.k != block_format.coded_bits:
        raise SimnetError(f"PHY backend 'reference' with {block_format}: allowed rate 1/2; choose backend 'native'")
    return regular_code(block_format.coded_bits)


class ReferenceBackend(Backend):
    """The chain through pyldpc and CommPy, word by word.

    Args:
        max_iterations: of pyldpc's flooding sum-product.

    Raises:
        SimnetError: pyldpc or CommPy is missing; the message says how to install them.
    """

    device = "cpu"
    chunk = 1

    def __init__(self, max_iterations: int = 40) -> None:
        self.max_iterations = max_iterations
        self._pyldpc = _library("pyldpc")
        self._modulation = _library("commpy.modulation")

    def _modem(self, bits_per_symbol: int) -> tuple[Any, float]:
        """CommPy's modem and the factor from its amplitudes to unit mean energy."""
        modem = self._modulation.QAMModem(2**bits_per_symbol)
        return modem, float(1 / np.sqrt(np.mean(np.abs(modem.constellation) ** 2)))

    def encode(self, bits: Tensor, block_format: BlockFormat) -> Tensor:
        return regular_block_code(block_format).encode(bits)

    def modulate(self, bits: Tensor, bits_per_symbol: int) -> Tensor:
        modem, scale = self._modem(bits_per_symbol)
        symbols = modem.modulate(bits.numpy().ravel()) * scale
        return torch.from_numpy(symbols.astype(np.complex64)).reshape(len(bits), -1)

    def demodulate(self, symbols: Tensor, noise_variance: Tensor, bits_per_symbol: int) -> Tensor:
        modem, scale = self._modem(bits_per_symbol)
        rows = []
        if noise_variance.shape[1] != 1:
            raise SimnetError("PHY backend 'reference': allowed one gain per block; choose backend 'native' for more")
        variances = noise_variance.numpy().ravel() / scale**2
        for received, variance in zip(symbols.numpy() / scale, variances, strict=True):
            # Where the exponentials would vanish, a larger N0 keeps the signs and shrinks LLRs that are huge anyway.
            farthest = np.max(np.abs(received[:, None] - modem.constellation)) ** 2
            rows.append(-modem.demodulate(received, "soft", max(float(variance), farthest / _LARGEST_EXPONENT)))
        return torch.from_numpy(np.stack(rows).astype(np.float32))

    def decode(self, llr: Tensor, block_format: BlockFormat) -> tuple[Tensor, list[int | None]]:
        code = regular_block_code(block_format)
        words = []
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Decoding stopped before convergence")
            for word in llr.numpy().astype(np.float64):
                # snr = 0 dB is σ² = 1
                words.append(self._pyldpc.decode(code.matrix, word / 2, 0.0, self.max_iterations))
        return torch.from_numpy(np.stack(words)[:, : code.k].astype(np.uint8)), [None] * len(words)
