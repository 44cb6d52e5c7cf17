"""Layered min-sum for the CPU: codewords side by side in SIMD lanes, one compiled loop, in float32 or int8.

Each lane holds one codeword and, once that one is done, takes the next from the queue, so that no lane waits for a
slow neighbour. Lanes never mix, and the operations are those of the torch decoder in the same order: the two agree
bit for bit.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simnet.phy.ldpc import int8
from simnet.phy.ldpc.parity_check import ParityCheck
from simnet.phy.ldpc.simd import ALIGNMENT, note_failures, update_check

BUILT_FROM = "a0ec92fc49f7"
"""Digest of the modules whose code is compiled into this one's. numba takes its cached machine code for valid while
this file's time and size are the same, and knows nothing of others; a test keeps the digest up to date."""


def flat_checks(parity: ParityCheck) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Compressed rows of H in the order of the layers: (first entry of each check [checks + 1], bits [ones])."""
    matrix = parity.to_matrix()
    return matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)


@njit(cache=True)
def _rows(n_row, like, lanes):  # type: ignore[no-untyped-def]
    """Zeros [n_row, lanes] of the dtype of ``like``, each row aligned for SIMD."""
    n_byte = n_row * len(lanes) * like.itemsize
    raw = np.zeros(n_byte + ALIGNMENT, np.uint8)
    skipped = -raw.ctypes.data % ALIGNMENT
    return raw[skipped : skipped + n_byte].view(like.dtype).reshape(n_row, len(lanes))


@njit(cache=True, error_model="numpy")
def decode_min_sum(  # type: ignore[no-untyped-def]  # compiled; types in the docstring
    llr, start, bits, alpha, beta, max_iterations, stop_early, lanes, like, mask, decided, soft, iterations, unsatisfied
):
    """Decodes every row of ``llr``; writes ``decided``, ``soft``, ``iterations`` and ``unsatisfied``.

    Args:
        llr: [B, n] float32.
        start, bits: the checks, as from :func:`flat_checks`.
        alpha: factor on the check messages, float32; for int8 messages int16 in sixteenths.
        beta: what they lose after that, of the type of ``like``.
        max_iterations: iterations after which a codeword is given up.
        stop_early: a codeword is done once all its checks hold.
        lanes: tuple as long as codewords stand side by side, 64 at most; changes the speed only.
        like: [1] of the type of messages, float32 or int8.
        mask: [1] of the type of a lane's mask: int32 beside float32, int8 beside int8.
        decided: [B, n] uint8, out.
        soft: [B, n] float32, out: posterior LLRs; with no rows, none are written.
        iterations: [B] int32, out: iterations run, 1 … max_iterations.
        unsatisfied: [B] int32, out: checks that the decision breaks.
    """
    n_codewords, n = llr.shape
    n_checks = len(start) - 1
    n_lanes = len(lanes)
    posterior = _rows(n, like, lanes)
    message = _rows(len(bits), like, lanes)
    extrinsic = _rows(np.max(start[1:] - start[:-1]), like, lanes)
    failed = _rows(1, mask, lanes)[0]
    keep = _rows(1, mask, lanes)[0]
    every_lane = np.int64(-1) if n_lanes == 64 else (np.int64(1) << n_lanes) - 1
    codeword = np.full(n_lanes, -1, np.int64)
    age = np.zeros(n_lanes, np.int32)
    following = 0
    for lane in range(min(n_lanes, n_codewords)):
        codeword[lane] = following
        _begin(posterior, lane, llr[following])
        following += 1
    busy = following

    while busy > 0:
        for check in range(n_checks):
            degree = np.int64(start[check + 1] - start[check])
            update_check(  # type: ignore[call-arg]  # numba supplies the typing context
                posterior, message, extrinsic, bits, np.int64(start[check]), degree, keep, alpha, beta, lanes
            )
        keep[:] = -1
        failed[:] = 0
        for check in range(n_checks):
            degree = np.int64(start[check + 1] - start[check])
            first = np.int64(start[check])
            n_failed: np.int64 = note_failures(posterior, bits, first, degree, failed, lanes)  # type: ignore[call-arg]
            if n_failed == every_lane:
                break

        for lane in range(n_lanes):
            age[lane] += 1
            done = codeword[lane]
            if done < 0 or (age[lane] < max_iterations and (failed[lane] < 0 or not stop_early)):
                continue
            for bit in range(n):
                decided[done, bit] = posterior[bit, lane] < 0
            if len(soft) > 0:
                step = np.float32(int8.LLR_STEP) if like.itemsize == 1 else np.float32(1.0)
                for bit in range(n):
                    soft[done, bit] = posterior[bit, lane] * step
            iterations[done] = age[lane]
            unsatisfied[done] = _broken_checks(decided[done], start, bits) if failed[lane] < 0 else 0
            keep[lane] = 0
            age[lane] = 0
            if following < n_codewords:
                codeword[lane] = following
                _begin(posterior, lane, llr[following])
                following += 1
            else:
                codeword[lane] = -1
                posterior[:, lane] = 0
                busy -= 1


@njit(cache=True)
def _begin(posterior, lane, llr):  # type: ignore[no-untyped-def]
    """A lane takes a codeword."""
    if posterior.itemsize == 1:
        largest = np.float32(int8.LARGEST)
        for bit in range(len(llr)):
            rounded = np.rint(llr[bit] * np.float32(1 / int8.LLR_STEP))
            posterior[bit, lane] = np.int8(min(max(rounded, -largest), largest))
    else:
        for bit in range(len(llr)):
            posterior[bit, lane] = llr[bit] + np.float32(0.0)  # −0.0 becomes +0.0: the sign bit counts


@njit(cache=True)
def _broken_checks(word, start, bits):  # type: ignore[no-untyped-def]
    broken = 0
    for check in range(len(start) - 1):
        parity = 0
        for edge in range(start[check], start[check + 1]):
            parity ^= word[bits[edge]]
        broken += parity
    return broken
