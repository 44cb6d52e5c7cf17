"""A tiny world for network tests: 12 x 12 images of a bright quadrant, a judge without weights, codecs of any size.

Nothing is trained and nothing is read from disk, so a run takes milliseconds; but codes, slices and judgements are
real: a decoder must be held, its bytes travel, and wrong bits darken what it decodes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from simnet.codecs.base import Codec, CodecParams
from simnet.phy.channels.flat_models import Awgn
from simnet.phy.learned.channel import LearnedChannel
from simnet.phy.learned.mapping import to_features, to_symbols
from simnet.phy.learned.on_air import Analog, OnAir, Uses, forward_draws
from simnet.phy.learned.power import normalise_power
from simnet.tasks.base import Task
from simnet.wire.slices import Slice, make_slice

SHAPE = (1, 12, 12)
N_CLASS = 4


def images(labels: Sequence[int], *, unsure: bool = False) -> Tensor:
    """[N, 1, 12, 12]: quadrant ``label`` is bright; ``unsure``: nothing is. No two are alike."""
    result = torch.full((len(labels), *SHAPE), 0.1)
    for index, label in enumerate(labels):
        row, column = divmod(label, 2)
        if not unsure:
            result[index, 0, 6 * row : 6 * row + 6, 6 * column : 6 * column + 6] = 0.9
        result[index, 0, index // 12 % 12, index % 12] = 0.5
    return result


class BrightQuadrant(Task):
    """Which quadrant is the brightest? Its probability is near 1 in clean images and 1/4 in grey ones."""

    name = "classification"

    def __init__(self, flop: int = 1000) -> None:
        self.flop = flop

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return SHAPE

    @property
    def flop_per_image(self) -> int:
        return self.flop

    def infer(self, images: Tensor) -> Tensor:
        return (20.0 * _quadrants(images)).softmax(dim=1)

    def st(self, inferred: Tensor, truth: Tensor) -> Tensor:
        return inferred.gather(1, truth.view(-1, 1)).squeeze(1)

    def recognised(self, inferred: Tensor, truth: Tensor) -> Tensor:
        return inferred.argmax(dim=1) == truth

    def confidence(self, inferred: Tensor) -> Tensor:
        return inferred.amax(dim=1)

    def agreement(self, recovered: Tensor, original: Tensor) -> Tensor:
        index = original.argmax(dim=1).view(-1, 1)
        return (recovered.gather(1, index) / original.gather(1, index)).squeeze(1)


class TinyParams(CodecParams):
    """``decoder_byte``: about how many each of ``n_slice`` slices takes; each requires the one before.

    ``code_byte``: exactly. ``quality``: share of images that don't come out grey. ``version``: of the slices, whose
    numbers differ from those of other drifts by about as much as the ``drift``.
    """

    name: str = "tiny"
    n_slice: int = 1
    decoder_byte: int = 400
    code_byte: int = 40
    quality: float = 1.0
    header_byte: int = 0
    encode_flop: int = 0
    decode_flop: int = 0
    version: int = 1
    drift: float = 0.0


class Tiny(Codec):
    """Four brightnesses and a filler that doesn't compress; its decoder is ballast that must arrive unharmed."""

    semantic = True
    Params = TinyParams

    def __init__(self, **params: object) -> None:
        self.params = TinyParams.model_validate(params)
        super().__init__(self.params)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return SHAPE

    @property
    def encode_flop(self) -> int:
        return self.params.encode_flop

    @property
    def decode_flop(self) -> int:
        return self.params.decode_flop

    @cached_property
    def encoder_slices(self) -> tuple[Slice, ...]:
        ballast = {"w": np.ones((1, 1), np.float32)}
        name = f"{self.params.name}/encoder"
        return (make_slice(name, "encoder", ballast, precision="int8"),) if self.params.n_slice else ()

    @cached_property
    def decoder_slices(self) -> tuple[Slice, ...]:
        made: list[Slice] = []
        for index in range(self.params.n_slice):
            requires = (made[-1].id,) if made else ()
            name = f"{self.params.name}/decoder{index}"
            n_byte, version = self.params.decoder_byte, self.params.version
            ballast = {"w": _ballast(name, n_byte) + self.params.drift * (_ballast(f"{name}.{version}", n_byte) - 1)}
            made.append(make_slice(name, "decoder", ballast, precision="int8", requires=requires, version=version))
        return tuple(made)

    def encode(self, images: Tensor) -> list[bytes]:
        self._check_images(images)
        levels = (255 * _quadrants(images)).round().to(torch.uint8).numpy()
        return [self._code(image.numpy().tobytes(), row.tobytes()) for image, row in zip(images, levels, strict=True)]

    def _code(self, image: bytes, levels: bytes) -> bytes:
        digest = hashlib.shake_128(self.params.name.encode() + image).digest(self.params.code_byte - len(levels))
        grey = bytes([128] * 4)
        return (levels if digest[0] < 256 * self.params.quality else grey) + digest

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._check_codes(codes, n_byte=self.params.code_byte)
        if [s.name for s in slices] != [s.name for s in self.decoder_slices]:
            raise AssertionError(f"decoding with {[s.name for s in slices]}")
        harm = sum(
            float(np.abs(got.tensors["w"] - clean.tensors["w"]).mean())
            for got, clean in zip(slices, self.decoder_slices, strict=True)
        )
        levels = torch.tensor([list(code[:4]) for code in codes], dtype=torch.float32).view(-1, 1, 2, 2) / 255
        return (levels / (1.0 + harm)).repeat_interleave(6, dim=2).repeat_interleave(6, dim=3)

    def without_header(self, code: bytes) -> bytes:
        return code[self.params.header_byte :]


class TinyByContent(Tiny):
    """Its first slice always, and of the others the one of the brightest quadrant."""

    by_content = True

    @cached_property
    def decoder_slices(self) -> tuple[Slice, ...]:
        trunk, *others = super().decoder_slices
        return (
            trunk,
            *(make_slice(s.name, "decoder", s.tensors, precision="int8", requires=(trunk.id,)) for s in others),
        )

    def needed(self, code: bytes) -> tuple[Slice, ...]:
        trunk, *others = self.decoder_slices
        return trunk, others[int(np.argmax(list(code[:4])))]

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        held = {s.name for s in slices}
        for code in codes:
            if missing := {s.name for s in self.needed(code)} - held:
                raise AssertionError(f"decoding without {missing}")
        return super().decode(codes, self.decoder_slices)


class TinyAnalog(Tiny):
    """Four brightnesses as two complex symbols of power 1, and one symbol back; its decoder is ballast too."""

    @property
    def analog(self) -> Analog:
        return Analog(Uses(2, 1), ("none",), Awgn())

    def encode(self, images: Tensor) -> list[bytes]:
        symbols = normalise_power(to_symbols(_quadrants(images)))
        return [row.numpy().tobytes() for row in symbols]

    def over_air(self, codes: Sequence[bytes], each: Sequence[OnAir]) -> list[bytes]:
        symbols = torch.from_numpy(np.stack([np.frombuffer(code, np.complex64) for code in codes]))
        esno = torch.tensor([air.esno for air in each])
        return [row.numpy().tobytes() for row in LearnedChannel(Awgn())(symbols, esno, forward_draws(each, 2)).symbols]

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._check_codes(codes, n_byte=16)
        levels = to_features(torch.from_numpy(np.stack([np.frombuffer(c, np.complex64) for c in codes])), (1, 2, 2))
        return (levels / 2).clamp(0, 1).repeat_interleave(6, dim=2).repeat_interleave(6, dim=3)


def _quadrants(images: Tensor) -> Tensor:
    """Mean brightness [B, 4] of the quadrants."""
    return torch.nn.functional.avg_pool2d(images, 6).flatten(1)


def _ballast(name: str, n: int) -> np.ndarray:
    """[1, n] numbers that don't compress, a function of the name."""
    raw = np.frombuffer(hashlib.shake_128(name.encode()).digest(n), np.uint8)
    return (raw.astype(np.float32) / 255 + 0.5)[None]
