"""The binary symmetric channel: each bit arrives wrong with one probability, whatever the others do."""

from __future__ import annotations

import numpy as np

from simnet.core import streams
from simnet.core.streams import Name


def flip(data: bytes, bit_error_rate: float, seed: int, *names: Name) -> bytes:
    """The bytes as they arrive; how many bits are wrong is binomial, which ones uniform among all sets of so many.

    Args:
        bit_error_rate: probability in [0, 1] of each bit.
        names: name the draw.
    """
    rng = streams.generator(seed, *names)
    n_bit = 8 * len(data)
    wrong = np.zeros(n_bit, bool)
    wrong[rng.choice(n_bit, rng.binomial(n_bit, bit_error_rate), replace=False)] = True
    return (np.frombuffer(data, np.uint8) ^ np.packbits(wrong)).tobytes()
