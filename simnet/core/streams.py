"""Random streams named by what they serve (DESIGN §6).

A draw is a function of the seed and of names, never of how many draws came before it elsewhere. So two arms of one
comparison see the same channel at the same time, and adding a node changes no other node's draws.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache

import numpy as np

Name = str | int | bytes


def _digest(seed: int, names: tuple[Name, ...], size: int) -> bytes:
    """BLAKE2b of the seed and of the names, each with its type and length, so that ("ab", "c") ≠ ("a", "bc")."""
    return hashlib.blake2b(_named(b"%d" % seed, names), digest_size=size).digest()


def _named(begun: bytes, names: tuple[Name, ...]) -> bytes:
    """What is hashed, from what has begun on."""
    return b"|".join((begun, *map(_part, names)))


@lru_cache(maxsize=4096)
def _ended(names: tuple[Name, ...]) -> bytes:
    """What is hashed after what has begun. Many streams end in the same few, such as the first draws of each node."""
    return _named(b"", names)


@lru_cache(maxsize=4096)
def _part(name: Name) -> bytes:
    """A name with its type and length. The same few, such as small indices, come again and again."""
    if isinstance(name, str):
        kind, raw = b"s", name.encode()
    elif isinstance(name, bytes):
        kind, raw = b"b", name
    else:
        kind, raw = b"i", b"%d" % name
    return b"%s%d:%s" % (kind, len(raw), raw)


_UNIT = 2.0**-53
_BELOW_ONE = 1.0 - _UNIT


def _open_unit(word: int) -> float:
    """A 64-bit word as a number in (0, 1), by its upper 53 bits."""
    u = ((word >> 11) + 0.5) * _UNIT
    return u if u < 1.0 else _BELOW_ONE  # half a unit below 1 is no float: the largest word would be rounded to 1


class Draws:
    """Draws whose names begin alike: the common part is hashed once.

    ``Draws(seed, "item", consumer).uniform(index)`` is ``uniform(seed, "item", consumer, index)``.
    """

    __slots__ = ("_begun",)

    def __init__(self, seed: int, *names: Name) -> None:
        self._begun = hashlib.blake2b(_named(b"%d" % seed, names), digest_size=8)

    def uniform(self, *names: Name) -> float:
        """One draw from (0, 1), 53 bits."""
        digest = self._begun.copy()
        digest.update(_ended(names))
        return _open_unit(int.from_bytes(digest.digest(), "little"))

    def exponential(self, *names: Name) -> float:
        """One draw from the exponential distribution of mean 1."""
        return -math.log(self.uniform(*names))


def generator(seed: int, *names: Name) -> np.random.Generator:
    """A numpy generator (Philox, counter based) that depends on the seed and the names only."""
    key = np.frombuffer(_digest(seed, names, 16), dtype="<u8")
    return np.random.Generator(np.random.Philox(key=key))


def uniform(seed: int, *names: Name) -> float:
    """One draw from (0, 1), 53 bits, without the cost of a generator."""
    return _open_unit(int.from_bytes(_digest(seed, names, 8), "little"))


def exponential(seed: int, *names: Name) -> float:
    """One draw from the exponential distribution of mean 1."""
    return -math.log(uniform(seed, *names))


LARGEST_NORMAL = math.sqrt(-2.0 * math.log(0.5 * _UNIT))
"""No standard normal draw is larger: of Box and Muller's uniform draws none is nearer to 0 than half a unit."""


def normal(seed: int, *names: Name) -> float:
    """One standard normal draw; at most :data:`LARGEST_NORMAL` in size."""
    radius, phase = _polar(seed, names)
    return radius * math.cos(phase) * math.sqrt(2.0)


def complex_normal(seed: int, *names: Name) -> complex:
    """One draw from CN(0, 1): E|z|² = 1, circularly symmetric (Box–Muller)."""
    radius, phase = _polar(seed, names)
    return complex(radius * math.cos(phase), radius * math.sin(phase))


def _polar(seed: int, names: tuple[Name, ...]) -> tuple[float, float]:
    """Radius and phase of a draw from CN(0, 1)."""
    digest = _digest(seed, names, 16)
    u = _open_unit(int.from_bytes(digest[:8], "little"))
    phase = 2.0 * math.pi * (int.from_bytes(digest[8:], "little") >> 11) * _UNIT
    return math.sqrt(-math.log(u)), phase


def uniforms(seed: int, *names: Name, count: int) -> list[float]:
    """``count`` draws from (0, 1); cheap for a few, from a generator for many."""
    if count > 8:
        draws: list[float] = generator(seed, *names).random(count).tolist()
        return [draw or 0.5 * _UNIT for draw in draws]  # numpy's are from [0, 1)
    digest = _digest(seed, names, 8 * count)
    return [_open_unit(int.from_bytes(digest[8 * i : 8 * i + 8], "little")) for i in range(count)]
