"""Files of one still picture in boxes (ISO/IEC 14496-12 and 23008-12), as AVIF and HEIF are."""

from __future__ import annotations

from simnet.codecs.base import CodecError

N_BOX = 8
"""Length and type."""


class StillFile:
    """What surrounds the coded picture, with room for its length.

    ``ftyp``, ``meta`` (in it ``iloc``, which ends with the item's length), ``mdat`` (its length first, then the item).

    Attributes:
        item: the coded picture.

    Raises:
        CodecError: not such a file.
    """

    def __init__(self, file: bytes, kind: str) -> None:
        try:
            top = _boxes(file, 0, len(file))
            meta, (data, end) = top[b"meta"], top[b"mdat"]
            _, self._length_end = _boxes(file, meta[0] + 4, meta[1])[b"iloc"]
        except (KeyError, IndexError) as error:
            raise CodecError(f"{kind} file of {len(file)} bytes: no still picture's boxes; is it damaged?") from error
        self._head, self.item = file[: data - N_BOX], file[data:]
        if end != len(file) or self.around(self.item) != file:
            raise CodecError(f"{kind} file of {len(file)} bytes: more than one picture, or an unknown layout")

    @property
    def n_byte(self) -> int:
        """Before the item."""
        return len(self._head) + N_BOX

    def around(self, item: bytes) -> bytes:
        """The file of another coded picture."""
        at = self._length_end
        head = self._head[: at - 4] + len(item).to_bytes(4, "big") + self._head[at:]
        return head + (N_BOX + len(item)).to_bytes(4, "big") + b"mdat" + item


def _boxes(file: bytes, start: int, end: int) -> dict[bytes, tuple[int, int]]:
    """Type -> first and last + 1 byte of the content (ISO/IEC 14496-12, 4.2)."""
    found: dict[bytes, tuple[int, int]] = {}
    while start < end:
        length = int.from_bytes(file[start : start + 4], "big")
        if not N_BOX <= length <= end - start:
            raise IndexError(start)
        found[file[start + 4 : start + N_BOX]] = (start + N_BOX, start + length)
        start += length
    return found
