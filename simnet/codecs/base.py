"""What every codec gives: images to codes at the owner, codes and received slices to images at the consumer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import AfterValidator, BaseModel, ConfigDict
from torch import Tensor

from simnet.core.errors import SimnetError
from simnet.phy.learned.on_air import Analog, OnAir
from simnet.wire.slices import Slice


class CodecError(SimnetError):
    """Images, a code or slices that a codec cannot use."""


def _colour(shape: tuple[int, ...]) -> tuple[int, ...]:
    if shape[0] != 3:
        raise ValueError(f"got {shape[0]} channels; allowed 3")
    return shape


OfColour = AfterValidator(_colour)
"""Of an image shape (C, H, W): colour images only."""


class CodecParams(BaseModel):
    """What a scenario may say of a codec: frozen, and no key is unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def models(self) -> dict[str, str]:
        """The models of the zoo that the codec takes: the key that names one -> ``<family>/<name>``."""
        return {}


class Codec(ABC):
    """Base of the codec plug-ins; a plug-in's file bears the codec's name.

    Results don't depend on how images are batched: one image alone and the same among others give equal bytes, and
    equal bytes give bit-equal images (on one machine and device).

    Args:
        params: an instance of the class's own ``Params``.
        device: torch device of the networks, if there are any.
    """

    Params: ClassVar[type[CodecParams]]
    semantic: ClassVar[bool]
    """Whether the decoder is learned, and so travels as slices."""
    by_content: ClassVar[bool] = False
    """Whether it depends on a code which of the decoder's slices it takes: see :meth:`needed`."""

    def __init__(self, params: CodecParams, *, device: str = "cpu") -> None:
        if not isinstance(params, self.Params):
            raise CodecError(f"codec {self.name}: got {type(params).__name__}; allowed {self.Params.__qualname__}")
        self.device = torch.device(device)

    @property
    def name(self) -> str:
        """As in a scenario: the file's name."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def encoder_slices(self) -> tuple[Slice, ...]:
        """What an owner must hold to encode; () for classical codecs, which every node has."""
        return ()

    @property
    def decoder_slices(self) -> tuple[Slice, ...]:
        """What a consumer must hold to decode."""
        return ()

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int, int] | None:
        """(C, H, W) of the images; None if any will do."""

    @property
    @abstractmethod
    def encode_flop(self) -> int:
        """FLOPs to encode one image; a multiply-add counts as 2."""

    @property
    @abstractmethod
    def decode_flop(self) -> int:
        """FLOPs to decode one code."""

    @abstractmethod
    def encode(self, images: Tensor) -> list[bytes]:
        """One code per image.

        Args:
            images: [B, C, H, W] float32 in [0, 1].

        Raises:
            CodecError: wrong shape, type or range.
        """

    @abstractmethod
    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        """Images [B, C, H, W] float32 in [0, 1], on the codec's device.

        Args:
            codes: at least one.
            slices: the decoder's slices *as received*; the codec's own weights play no part.

        Raises:
            CodecError: not this codec's code, or a slice is missing or not this codec's.
        """

    def needed(self, code: bytes) -> tuple[Slice, ...]:
        """The decoder's slices that a code of :meth:`encode` takes: all of them, unless ``by_content``."""
        return self.decoder_slices

    def encode_for(self, images: Tensor, slices: Sequence[Slice]) -> list[bytes]:
        """Codes for a receiver that decodes with these slices, of another version of this codec.

        Raises:
            CodecError: they can't decode what this version encodes.
        """
        return self.encode(images)

    def encode_raw(self, images: Tensor) -> list[bytes]:
        """Codes for ``protection: none``: fixed length and layout, so that a wrong bit stays local."""
        return self.encode(images)

    def decode_raw(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        """The inverse of :meth:`encode_raw`; codes of the right length decode to *something*, whatever their bits."""
        return self.decode(codes, slices)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that a code consists of; () if it isn't layered.

        A name stands for the same bytes in every codec that has it, so that a consumer who holds a layer of an image
        needs only the others.
        """
        return ()

    def split(self, code: bytes) -> list[bytes]:
        """A code's layers, in the order of :attr:`layers`; joined, they are the code."""
        return [code]

    @property
    def over_snr(self) -> tuple[tuple[float, float], ...]:
        """(Es/N0 dB, population SS) with ``protection: none``, by ascending SNR; () if nobody has measured it."""
        return ()

    @property
    def analog(self) -> Analog | None:
        """Of a learned channel coder: how its codes cross a radio link; None: as bytes."""
        return None

    def over_air(self, codes: Sequence[bytes], each: Sequence[OnAir]) -> list[bytes]:
        """What a receiver gets of analog codes: the bytes that :meth:`decode` takes.

        Args:
            codes: as :meth:`encode` gives them, which never leave the sender.
            each: what each one's symbols meet.

        Raises:
            CodecError: this codec isn't analog, or the codes aren't its own.
        """
        raise CodecError(f"codec {self.name}: its codes travel as bytes, not as symbols")

    def without_header(self, code: bytes) -> bytes:
        """The code without its fixed format header, which is equal for all images and so known beforehand; the code
        itself if it has none."""
        return code

    def header_byte(self, code: bytes) -> int:
        """How many bytes of this code are fixed format header."""
        return len(code) - len(self.without_header(code))

    def _check_images(self, images: Tensor) -> None:
        wanted = self.image_shape
        where = f"codec {self.name}: images"
        if images.ndim != 4 or (wanted is not None and tuple(images.shape[1:]) != wanted):
            allowed = ", ".join(map(str, ("B", *(wanted or "CHW"))))
            raise CodecError(f"{where}: got shape {list(images.shape)}; allowed [{allowed}]")
        if images.dtype != torch.float32:
            raise CodecError(f"{where}: got {images.dtype}; allowed torch.float32 in [0, 1]")
        if images.numel() and not bool(((images >= 0) & (images <= 1)).all()):
            low, high = images.aminmax()
            raise CodecError(f"{where}: got values in [{low:g}, {high:g}]; allowed [0, 1]: divide bytes by 255")

    def _check_codes(self, codes: Sequence[bytes], *, n_byte: int | None = None) -> None:
        """At least one code and, if ``n_byte`` is given, each of that length."""
        if not codes:
            raise CodecError(f"codec {self.name}: got no codes; allowed at least one")
        wrong = next((len(c) for c in codes if n_byte is not None and len(c) != n_byte), None)
        if wrong is not None:
            raise CodecError(
                f"codec {self.name}: got a code of {wrong} bytes; allowed {n_byte}: is it another codec's?"
            )
