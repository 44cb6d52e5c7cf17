"""Layered normalised min-sum for the CPU: codewords side by side in SIMD lanes, one compiled loop.

Each lane holds one codeword and, once that one is done, takes the next from the queue, so that no lane waits for a
slow neighbour. Lanes never mix, and the operations are those of the torch decoder in the same order: the two agree
bit for bit.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simnet.phy.ldpc.parity_check import ParityCheck


def flat_checks(parity: ParityCheck) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Compressed rows of H in the order of the layers: (first entry of each check [checks + 1], bits [ones])."""
    matrix = parity.to_matrix()
    return matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)


@njit(cache=True)
def decode_min_sum(  # type: ignore[no-untyped-def]  # compiled; types in the docstring
    llr, start, bits, alpha, max_iterations, lanes, decided, iterations, converged
):
    """Decodes every row of ``llr``; writes ``decided``, ``iterations`` and ``converged``.

    Args:
        llr: [B, n] float32.
        start, bits: the checks, as from :func:`flat_checks`.
        alpha: float32 factor on the check messages.
        max_iterations: iterations after which a codeword is given up.
        lanes: codewords side by side; changes the speed only.
        decided: [B, n] uint8, out.
        iterations: [B] int32, out: iterations run, 1 … max_iterations.
        converged: [B] bool, out: every check holds.
    """
    n_codewords, n = llr.shape
    n_checks = len(start) - 1
    posterior = np.zeros((n, lanes), np.float32)
    message = np.zeros((len(bits), lanes), np.float32)
    extrinsic = np.zeros((np.max(start[1:] - start[:-1]), lanes), np.float32)
    smallest = np.zeros(lanes, np.float32)
    second = np.zeros(lanes, np.float32)
    sign = np.zeros(lanes, np.int32)
    failed = np.zeros(lanes, np.int32)
    codeword = np.full(lanes, -1, np.int64)
    age = np.zeros(lanes, np.int32)
    following = 0
    busy = 0
    for lane in range(lanes):
        if following < n_codewords:
            codeword[lane] = following
            posterior[:, lane] = llr[following]
            following += 1
            busy += 1

    while busy > 0:
        for check in range(n_checks):
            first = start[check]
            degree = start[check + 1] - first
            sign[:] = 0
            smallest[:] = np.inf
            second[:] = np.inf
            for edge in range(degree):
                before = posterior[bits[first + edge]]
                sent = message[first + edge]
                for lane in range(lanes):
                    value = before[lane] - sent[lane]
                    extrinsic[edge, lane] = value
                    sign[lane] ^= np.int32(value < 0)
                    size = abs(value)
                    larger = size if size > smallest[lane] else smallest[lane]
                    second[lane] = larger if larger < second[lane] else second[lane]
                    smallest[lane] = size if size < smallest[lane] else smallest[lane]
            for lane in range(lanes):
                smallest[lane] *= alpha
                second[lane] *= alpha
            for edge in range(degree):
                after = posterior[bits[first + edge]]
                sent = message[first + edge]
                for lane in range(lanes):
                    value = extrinsic[edge, lane]
                    size = second[lane] if abs(value) * alpha == smallest[lane] else smallest[lane]
                    reply = -size if sign[lane] ^ np.int32(value < 0) else size
                    sent[lane] = reply
                    after[lane] = value + reply

        failed[:] = 0
        for check in range(n_checks):
            sign[:] = 0
            for edge in range(start[check], start[check + 1]):
                value_row = posterior[bits[edge]]
                for lane in range(lanes):
                    sign[lane] ^= np.int32(value_row[lane] < 0)
            n_failed = 0
            for lane in range(lanes):
                failed[lane] |= sign[lane]
                n_failed += failed[lane]
            if n_failed == lanes:
                break

        for lane in range(lanes):
            age[lane] += 1
            done = codeword[lane]
            if done < 0 or (failed[lane] == 1 and age[lane] < max_iterations):
                continue
            for bit in range(n):
                decided[done, bit] = posterior[bit, lane] < 0
            iterations[done] = age[lane]
            converged[done] = failed[lane] == 0
            message[:, lane] = 0
            age[lane] = 0
            if following < n_codewords:
                codeword[lane] = following
                posterior[:, lane] = llr[following]
                following += 1
            else:
                codeword[lane] = -1
                posterior[:, lane] = 0
                busy -= 1
