"""Codewords per second of our LDPC decoder against pyldpc's and CommPy's, measured in one run on one thread.

    python benchmarks/phy_decoder.py [--n 2304] [--ebno-db 2.0] [--iterations 20] [--seconds 10]

BPSK in Gaussian noise at rate 1/2. pyldpc cannot decode irregular codes, so there both decode pyldpc's own regular
(3, 6) code; CommPy and ours decode IEEE 802.16e. All stop early; pyldpc is fed word by word, as its batches come out
wrong. Times are processor times. Prints a table and writes benchmarks/results/phy_decoder.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyldpc
import torch
from commpy.channelcoding import ldpc_bp_decode
from numpy.typing import NDArray
from scipy import sparse

from simnet.core.streams import generator
from simnet.core.units import db_to_linear
from simnet.phy.ldpc.code import Code
from simnet.phy.ldpc.decoder import DecoderSettings, LdpcDecoder
from simnet.phy.ldpc.ieee80216e import ieee80216e
from simnet.phy.reference import RegularCode, regular_code
from simnet.phy.tables.bler import wilson_interval

RESULTS = Path(__file__).parent / "results" / "phy_decoder.json"
OUR_BATCH = 2048
_CODE_RATE = 0.5

Decode = Callable[[NDArray[np.float64]], NDArray[np.uint8]]


def noisy_words(code: Code, ebno_db: float, n_words: int, start: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Codewords [B, n] and their LLRs [B, n]: BPSK of amplitude 1 and noise variance 1/(2·rate·Eb/N0)."""
    rng = generator(1, "benchmark", code.n, start)
    codewords = code.encode(torch.from_numpy(rng.integers(0, 2, (n_words, code.k), dtype=np.uint8))).numpy()
    variance = 1 / (2 * _CODE_RATE * db_to_linear(ebno_db))
    received = 1 - 2.0 * codewords + rng.standard_normal(codewords.shape) * variance**0.5
    return codewords, 2 * received / variance


def measure(decode: Decode, code: Code, ebno_db: float, batch: int, seconds: float) -> dict[str, float]:
    """Decodes fresh batches for at least ``seconds`` of processor time, after one that is not counted."""
    decode(noisy_words(code, ebno_db, batch, start=-1)[1])
    words = lost = 0
    spent_s = 0.0
    while spent_s < seconds:
        codewords, llr = noisy_words(code, ebno_db, batch, start=words)
        begin = time.process_time()
        decided = decode(llr)
        spent_s += time.process_time() - begin
        words += batch
        lost += int((decided != codewords).any(1).sum())
    low, high = wilson_interval(lost, words)
    return {
        "codewords_per_s": words / spent_s,
        "information_mbit_per_s": words / spent_s * code.k / 1e6,
        "words": words,
        "lost": lost,
        "bler": lost / words,
        "bler_low": low,
        "bler_high": high,
    }


def ours(code: Code, iterations: int) -> Decode:
    decoder = LdpcDecoder(code.parity, DecoderSettings(max_iterations=iterations))
    return lambda llr: decoder.decode(torch.from_numpy(llr).float()).bits.numpy()


def pyldpc_decoder(code: RegularCode, iterations: int) -> Decode:
    def decode(llr: NDArray[np.float64]) -> NDArray[np.uint8]:
        return np.stack([pyldpc.decode(code.matrix, word / 2, 0.0, iterations) for word in llr]).astype(np.uint8)

    return decode


def commpy_decoder(code: Code, iterations: int) -> Decode:
    matrix = sparse.csc_matrix(code.parity.to_matrix().astype(np.int8))
    parameters = {"n_vnodes": code.n, "parity_check_matrix": matrix}

    def decode(llr: NDArray[np.float64]) -> NDArray[np.uint8]:
        decided, _ = ldpc_bp_decode(llr.ravel().copy(), parameters, "SPA", iterations)
        words: NDArray[np.uint8] = decided.reshape(code.n, -1).T.astype(np.uint8)
        return words

    return decode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=2304, help="codeword length in bits (default 2304)")
    parser.add_argument("--ebno-db", type=float, default=2.0, help="Eb/N0 in dB (default 2.0)")
    parser.add_argument("--iterations", type=int, default=20, help="iterations at most (default 20)")
    parser.add_argument("--seconds", type=float, default=10.0, help="processor time per decoder (default 10)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="Decoding stopped before convergence")

    regular, standard, limit = regular_code(options.n), ieee80216e(options.n), options.iterations
    runs: list[tuple[str, str, Decode, Code, int]] = [
        ("simnet", "regular (3, 6)", ours(regular, limit), regular, OUR_BATCH),
        ("pyldpc", "regular (3, 6)", pyldpc_decoder(regular, limit), regular, 2),
        ("simnet", "IEEE 802.16e", ours(standard, limit), standard, OUR_BATCH),
        ("CommPy", "IEEE 802.16e", commpy_decoder(standard, limit), standard, 8),
    ]
    rows = [
        {"decoder": name, "code": code_name} | measure(decode, code, options.ebno_db, batch, options.seconds)
        for name, code_name, decode, code, batch in runs
    ]
    speed = [float(row["codewords_per_s"]) for row in rows]
    summary = {
        "ratio_pyldpc": speed[0] / speed[1],
        "ratio_commpy": speed[2] / speed[3],
        "codewords_per_s": speed[2],
        "info_mbit_per_s_per_core": rows[2]["information_mbit_per_s"],
    }

    print(f"n = {options.n}, Eb/N0 = {options.ebno_db} dB, at most {limit} iterations, one thread")
    print(f"{'decoder':8} {'code':15} {'codewords/s':>12} {'Mbit/s':>8}  {'words lost':>13}  BLER, 95 % interval")
    for row in rows:
        print(
            f"{row['decoder']:8} {row['code']:15} {row['codewords_per_s']:12.1f} {row['information_mbit_per_s']:8.3f}"
            f"  {row['lost']:>5}/{row['words']:<7}  {row['bler']:.4f} [{row['bler_low']:.4f}, {row['bler_high']:.4f}]"
        )
    print(f"ours / pyldpc: {summary['ratio_pyldpc']:.0f}    ours / CommPy: {summary['ratio_commpy']:.0f}")
    RESULTS.parent.mkdir(exist_ok=True)
    document = {"settings": vars(options), "machine": platform.processor() or platform.machine(), "rows": rows}
    RESULTS.write_text(json.dumps(document | {"summary": summary}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
