"""Picture files by Pillow, one per image, with hostile ones refused before anything is decoded."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError, features
from PIL import __version__ as PILLOW_VERSION

from simnet.codecs.base import CodecError

MID_GREY = 128

BROKEN_FILE_ERRORS = (
    OSError,
    RuntimeError,
    EOFError,
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    SyntaxError,
    ValueError,
    IndexError,
    struct.error,
)
"""What Pillow raises on damaged files."""


def require_format(feature: str, *, codec: str, remedy: str) -> None:
    """Raises CodecError if this Pillow was built without what the codec needs (``feature``: Pillow's word)."""
    # Pillow warns where it is too old to know the word.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not features.check(feature):
            raise CodecError(f"codec {codec}: the installed Pillow {PILLOW_VERSION} lacks it; {remedy}")


def write_picture(pixels: NDArray[np.uint8], kind: str, **options: Any) -> bytes:
    """The file of one image [1 or 3, H, W]; ``options`` are Pillow's for this kind."""
    channels_last = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(channels_last)).save(file, kind, **options)
    return file.getvalue()


def read_picture(file: bytes, kind: str, shape: tuple[int, int, int], *, truncated: bool = False) -> NDArray[np.uint8]:
    """The pixels [C, H, W] of a file of this kind.

    Args:
        shape: (C, H, W) that it must have; grey is taken from the luminance of a colour picture.
        truncated: take what can be decoded of a damaged file.

    Raises:
        CodecError: another kind of file, another size, or damaged.
    """
    channels, height, width = shape
    try:
        with _tolerating(truncated), Image.open(io.BytesIO(file), formats=[kind]) as picture:
            _check_size(picture, kind, (width, height))
            picture.load()
            _check_size(picture, kind, (width, height))  # HEIF's boxes may have said another size than the stream
            pixels = np.asarray(picture.convert("L" if channels == 1 else "RGB"))
    except BROKEN_FILE_ERRORS as error:
        raise CodecError(f"{kind} file of {len(file)} bytes: cannot be decoded ({error})") from error
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _check_size(picture: Image.Image, kind: str, allowed: tuple[int, int]) -> None:
    if picture.size != allowed:
        got = f"{picture.width} x {picture.height}"
        raise CodecError(f"{kind} file: got {got} pixels; allowed {allowed[0]} x {allowed[1]}")


@contextmanager
def _tolerating(truncated: bool) -> Iterator[None]:
    """Pillow's switch for broken files is global: put it back. A suspicious size is an error."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = truncated
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
