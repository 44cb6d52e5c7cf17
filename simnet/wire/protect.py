"""Unequal protection: which bits of a slice's weights travel in its header, which arrives whole, and which in its body.

Every weight tensor has a number of protected bits, counted from the highest (sign) bit of its words. The bits stay in
the order of :func:`simnet.wire.precision.to_planes`: plane after plane, and of each plane the protected words' bits go
into one part, the other words' into the other, padded to a byte in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from simnet.wire.errors import EncodeError, WireError
from simnet.wire.layout import Head
from simnet.wire.precision import n_bit

Counts = NDArray[np.uint8]
"""Protected bits, per weight tensor in the head's order, or [n_word] per word that stays."""


def protected_bits(head: Head, layers: Sequence[str], high_bits: int | None) -> Counts:
    """Protected bits per weight tensor.

    Args:
        layers: globs of the names of weight tensors, e.g. ``"6.*"``.
        high_bits: how many of their bits; None: all.

    Raises:
        EncodeError: the precision has fewer bits.
    """
    most = n_bit(head.precision)
    if high_bits is not None and not 0 <= high_bits <= most:
        raise EncodeError(f"slice {head.name!r}: high bits to protect: got {high_bits}; {head.precision} has 0..{most}")
    count = most if high_bits is None else high_bits
    fits = [any(fnmatchcase(name, layer) for layer in layers) for name in head.weight_names]
    return np.where(fits, count, 0).astype(np.uint8)


def split_planes(planes: bytes, per_word: Counts) -> tuple[bytes, bytes]:
    """The protected and the unprotected part of words in the raw layout."""
    parts: tuple[list[bytes], list[bytes]] = ([], [])
    for row, protected in _rows(planes, per_word):
        bits = np.unpackbits(row, count=len(per_word))
        for part, chosen in zip(parts, (protected, ~protected), strict=True):
            part.append(np.packbits(bits[chosen]).tobytes())
    return b"".join(parts[0]), b"".join(parts[1])


def join_planes(protected: bytes, unprotected: bytes, per_word: Counts, n_plane: int) -> bytes:
    """The inverse of :func:`split_planes`.

    Raises:
        WireError: a part is not exactly as long as its bits take.
    """
    n_word = len(per_word)
    wanted = part_n_byte(per_word, n_plane)
    if (len(protected), len(unprotected)) != wanted:
        raise WireError(
            f"slice: got {len(protected)} protected and {len(unprotected)} unprotected bytes of weights; "
            f"{n_word} words of {n_plane} bits, protected like this, take {wanted[0]} and {wanted[1]}"
        )
    parts = (np.frombuffer(protected, np.uint8), np.frombuffer(unprotected, np.uint8))
    at = [0, 0]
    planes = np.empty(n_plane * ((n_word + 7) // 8), np.uint8)
    for row, mask in _rows(planes, per_word):
        bits = np.empty(n_word, np.uint8)
        for index, chosen in enumerate((mask, ~mask)):
            count = int(np.count_nonzero(chosen))
            end = at[index] + (count + 7) // 8
            bits[chosen] = np.unpackbits(parts[index][at[index] : end], count=count)
            at[index] = end
        row[:] = np.packbits(bits)
    return planes.tobytes()


def part_n_byte(per_word: Counts, n_plane: int) -> tuple[int, int]:
    """Bytes of the protected and of the unprotected part."""
    inside = [int(np.count_nonzero(per_word > plane)) for plane in range(n_plane)]
    return sum((count + 7) // 8 for count in inside), sum((len(per_word) - count + 7) // 8 for count in inside)


def _rows(planes: bytes | NDArray[np.uint8], per_word: Counts) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.bool_]]]:
    """Each plane's bytes, highest first, with the mask of the words whose bit in it is protected."""
    flat = np.frombuffer(planes, np.uint8) if isinstance(planes, bytes) else planes
    plane_byte = (len(per_word) + 7) // 8
    for plane in range(len(flat) // plane_byte if plane_byte else 0):
        yield flat[plane * plane_byte : (plane + 1) * plane_byte], per_word > plane
