"""Exact and max-log soft demapping of Gray PAM for the CPU, in float32 SIMD lanes.

Each real dimension of a QAM symbol is a PAM of its own. A lane does the same operations wherever it stands, so an LLR
is a function of its sample alone, not of the array's shape.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from simnet.phy.lanes import I64, Float32Lanes

WIDTH = 16
"""Samples per row."""


def _log_sums(row: Float32Lanes, metrics: list[Any], max_log: bool) -> Any:
    """ln Σ exp(metric), or the largest metric."""
    largest = metrics[0]
    for metric in metrics[1:]:
        largest = row.larger(largest, metric)
    if max_log or len(metrics) == 1:
        return largest
    total = None
    for metric in metrics:
        term = row.exp_of_negative(row.difference(metric, largest))
        total = term if total is None else row.sum(total, term)
    return row.sum(largest, row.log(total))


@cache
def demapper(levels: tuple[float, ...], max_log: bool) -> Any:
    """The compiled demapper of one PAM.

    Args:
        levels: amplitudes, indexed by their bits, first bit highest.
        max_log: keep only the largest terms.

    Returns:
        f(samples [N] float32, scale [N] float32, out [bits, N] float32): writes ln P(0)/P(1) of each bit of each
        sample, with metrics −scale·(sample − level)². N is a multiple of :data:`WIDTH`.
    """
    n_bit = len(levels).bit_length() - 1

    @intrinsic
    def demap_row(typing_context, samples, scale, out, start, stride):  # type: ignore[no-untyped-def]
        signature = types.void(samples, scale, out, types.intp, types.intp)

        def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            row = Float32Lanes(builder, WIDTH)
            sample_data, scale_data, out_data = (
                context.make_array(kind)(context, builder, array).data
                for kind, array in zip(signature.args[:3], arguments[:3], strict=True)
            )
            first, step = arguments[3], arguments[4]

            def place(data: Any, index: Any) -> Any:
                return builder.bitcast(builder.gep(data, [index]), row.type.as_pointer())

            sample = builder.load(place(sample_data, first), align=4)
            minus_scale = builder.fneg(builder.load(place(scale_data, first), align=4))
            metrics = []
            for level in levels:
                distance = row.difference(sample, row.constant(float(np.float32(level))))
                metrics.append(row.product(row.product(distance, distance), minus_scale))
            for bit in range(n_bit):
                ones = [metric for label, metric in enumerate(metrics) if label >> (n_bit - 1 - bit) & 1]
                zeros = [metric for label, metric in enumerate(metrics) if not label >> (n_bit - 1 - bit) & 1]
                llr = row.difference(_log_sums(row, zeros, max_log), _log_sums(row, ones, max_log))
                index = builder.add(first, builder.mul(step, ir.Constant(I64, bit)))
                builder.store(llr, place(out_data, index), align=4)
            return context.get_dummy_value()

        return signature, generate

    @njit(error_model="numpy")
    def demap(samples, scale, out):  # type: ignore[no-untyped-def]
        for start in range(0, len(samples), WIDTH):
            demap_row(samples, scale, out, np.int64(start), np.int64(len(samples)))  # type: ignore[call-arg]

    return demap


def demap_pam(
    samples: NDArray[np.float32], scale: NDArray[np.float32], levels: tuple[float, ...], max_log: bool
) -> NDArray[np.float32]:
    """LLRs [bits, N] of samples [N] with metrics −scale·(sample − level)²."""
    n = len(samples)
    filled = -(-n // WIDTH) * WIDTH
    if filled != n:
        samples, scale = (np.concatenate((each, np.zeros(filled - n, np.float32))) for each in (samples, scale))
    out = np.empty((len(levels).bit_length() - 1, filled), np.float32)
    demapper(levels, max_log)(samples, scale, out)
    return out[:, :n]
