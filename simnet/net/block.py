"""A part of a payload that is one codeword, and how payloads are cut into such."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from simnet.core.mcs import CodeFamily, Mcs
from simnet.net.payload import Payload
from simnet.phy.blocks import BLOCK_BITS, BlockFormat, capacity_byte, segment
from simnet.phy.learned.on_air import Uses
from simnet.phy.link_fading import Heard


@lru_cache(maxsize=1024)
def format_of(k: int, mcs: Mcs, code: CodeFamily) -> BlockFormat:
    """The format, made once: it is a key of many tables."""
    return BlockFormat(k, mcs, code)


_channel_uses: dict[tuple[int, str, CodeFamily], int] = {}
"""Information bits, scheme and code -> symbols: asked several times for each block, and there are few kinds."""


@dataclass(frozen=True, slots=True)
class Block:
    """One codeword.

    Args:
        index: position among the payload's blocks; names its noise.
        k: information bits, CRC included.
        offset, n_byte: which bytes of the frame or, if ``in_body``, of the body.
        protected: repeated until its CRC holds; if not, its receiver takes it as it is.
        code: LDPC code family.
        attempt: transmissions before this one.
        mcs: at which it must be sent: by HARQ that of its first transmission, else the radio's where it has two.
        heard: HARQ: what earlier transmissions met, whose symbols the receiver has kept.
    """

    index: int
    k: int
    offset: int
    n_byte: int
    protected: bool
    in_body: bool = False
    code: CodeFamily = "ieee80216e"
    attempt: int = 0
    mcs: Mcs | None = None
    heard: tuple[Heard, ...] = ()

    def format(self, mcs: Mcs) -> BlockFormat:
        return format_of(self.k, mcs, self.code)

    def channel_uses(self, mcs: Mcs) -> int:
        known = self.k, mcs.name, self.code
        uses = _channel_uses.get(known)
        if uses is None:
            uses = _channel_uses[known] = self.format(mcs).channel_uses
        return uses

    def retried(self) -> Block:
        """For plain ARQ: what was received is thrown away."""
        return replace(self, attempt=self.attempt + 1)

    def combined(self, mcs: Mcs, heard: Heard) -> Block:
        """For HARQ: the receiver keeps what it heard."""
        return replace(self, attempt=self.attempt + 1, mcs=mcs, heard=(*self.heard, heard))

    def data(self, payload: Payload) -> bytes:
        return (payload.body if self.in_body else payload.frame)[self.offset : self.offset + self.n_byte]

    def write(self, received: bytearray, data: bytes) -> int:
        """Put an unprotected block's bytes where they belong; returns how many bits differ from what stood there."""
        here = slice(self.offset, self.offset + self.n_byte)
        wrong = (int.from_bytes(received[here]) ^ int.from_bytes(data)).bit_count()
        received[here] = data
        return wrong


@dataclass(frozen=True, slots=True)
class AnalogBlock:
    """An analog code's symbols: sent once, in one burst, and taken as they arrive. No bytes; the reverse symbols of a
    coder with feedback count as overhead."""

    index: int
    uses: Uses
    k: int = BLOCK_BITS[0]
    """Information bits of the block by which the burst's MCS is chosen, if no other block is in it."""
    n_byte: int = 0
    attempt: int = 0
    protected: bool = False
    mcs: Mcs | None = None

    def channel_uses(self, mcs: Mcs) -> int:
        return self.uses.forward


AnyBlock: TypeAlias = Block | AnalogBlock


@lru_cache(maxsize=4096)
def cut(
    frame_byte: int, body_byte: int, *, protect_body: bool, code: CodeFamily,
    mcs: tuple[Mcs | None, Mcs | None] = (None, None),
) -> tuple[Block, ...]:  # fmt: skip
    """The codewords of a payload of so many bytes: its protected frame first, then its body.

    Args:
        mcs: of the frame and of the body, where the radio has one for each.
    """
    frame = _cut_part(frame_byte, Block(0, 0, 0, 0, protected=True, code=code, mcs=mcs[0]))
    body = Block(len(frame), 0, 0, 0, protect_body, in_body=True, code=code, mcs=mcs[1])
    return frame + _cut_part(body_byte, body)


def _cut_part(n_byte: int, like: Block) -> tuple[Block, ...]:
    """Blocks of so many bytes, numbered from ``like.index``."""
    blocks, offset = [], 0
    for index, k in enumerate(segment(n_byte), start=like.index):
        size = min(capacity_byte(k), n_byte - offset)
        blocks.append(replace(like, index=index, k=k, offset=offset, n_byte=size))
        offset += size
    return tuple(blocks)
