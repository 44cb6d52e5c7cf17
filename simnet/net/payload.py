"""What travels over links: real bytes, their class, and the request that they serve."""

from __future__ import annotations

from dataclasses import dataclass, field

from simnet.core.tables import PayloadClass
from simnet.phy.learned.on_air import OnAir, Uses
from simnet.wire.lazy_frames import LazyFrame


@dataclass(eq=False)
class Symbols:
    """An analog code on its way: no bits, but complex symbols.

    Args:
        uses: how many.
        air: what they met, once their burst is granted.
    """

    uses: Uses
    air: OnAir | None = None


@dataclass(slots=True, eq=False)
class Payload:
    """Bytes on their way from one node to another.

    ``request_name``, ``label`` and ``repeat`` name the noise that the payload meets, so that two arms that send the
    same meet the same, whatever other nodes do.

    Args:
        frame: an encoded message; always protected by CRC and ARQ.
        label: message type and what it carries, e.g. ``"SliceData aesc/digits_z40/decoder"``.
        request_name: consumer and its request's index.
        repeat: how many payloads of this label the request has sent before.
        body: the raw fixed-layout part that ``protection: none`` sends without CRC; empty otherwise.
        symbols: of an analog codec: what crosses the one radio link behind the frame.
        n_byte: of frame and body.
    """

    frame: bytes | LazyFrame
    payload_class: PayloadClass
    label: str
    request_id: int
    request_name: str
    repeat: int = 0
    body: bytes = b""
    symbols: Symbols | None = None
    n_byte: int = field(init=False)

    def __post_init__(self) -> None:
        self.n_byte = len(self.frame) + len(self.body)
