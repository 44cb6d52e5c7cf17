"""ComCNN + JPEG + RecCNN (Jiang et al., 2018): a rival of LSCI in paper 000. The receiver needs RecCNN."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from simnet.codecs.base import Codec, CodecParams, OfColour
from simnet.codecs.jpeg import Jpeg
from simnet.codecs.networks.chunks import chunk_for, in_chunks
from simnet.codecs.networks.compact import load_compact, pad_to_even
from simnet.codecs.networks.parts import slice_of, take_over_all
from simnet.core.zoo import model_dir
from simnet.tasks.flops import flop_per_image
from simnet.wire.slices import Precision, Slice

Side = Annotated[int, Field(ge=16, le=2048)]


class ComCnn(Codec):
    """The code is a JPEG file of half the size along both axes."""

    semantic = True

    class Params(CodecParams):
        """``model``: name in the zoo's family ``comcnn``. ``quality``, ``header``, ``optimize``: of JPEG.

        ``precision``: of the receiver's weights.
        """

        model: Annotated[str, Field(min_length=1)] = "street"
        image_shape: Annotated[tuple[int, Side, Side], OfColour] = (3, 96, 128)
        quality: Annotated[int, Field(ge=0, le=100)]
        header: Literal["count", "strip"] = "count"
        optimize: bool = True
        precision: Precision = "int8"

        def models(self) -> dict[str, str]:
            return {"model": f"comcnn/{self.model}"}

    def __init__(self, params: Params, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        self.params = params
        self._name = f"comcnn/{params.model}"
        self._networks = load_compact(model_dir(self._name) / "weights.safetensors").to(self.device)
        _, height, width = params.image_shape
        self._half = (3, -(-height // 2), -(-width // 2))
        self._jpeg = Jpeg(
            Jpeg.Params(image_shape=self._half, quality=params.quality, header=params.header, optimize=params.optimize),
            device=device,
        )

    @cached_property
    def encoder_slices(self) -> tuple[Slice, ...]:
        return (slice_of(f"{self._name}/com", self._networks.com, "encoder"),)

    @cached_property
    def decoder_slices(self) -> tuple[Slice, ...]:
        return tuple(slice_of(name, part, "decoder", self.params.precision) for name, part in self._parts.items())

    @property
    def _parts(self) -> dict[str, nn.Module]:
        """The receiver's, by the names of their slices."""
        return {f"{self._name}/rec": self._networks.rec}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.params.image_shape

    @cached_property
    def encode_flop(self) -> int:
        _, height, width = self._half
        return flop_per_image(self._networks.com, (3, 2 * height, 2 * width)) + self._jpeg.encode_flop

    @cached_property
    def decode_flop(self) -> int:
        _, height, width = self._half
        return flop_per_image(self._networks.rec, (3, 2 * height, 2 * width)) + self._jpeg.decode_flop

    def encode(self, images: Tensor) -> list[bytes]:
        self._check_images(images)
        if len(images) == 0:
            return []
        return self._jpeg.encode(
            in_chunks(self._networks.compact, pad_to_even(images.to(self.device)), chunk_for(images.shape))
        )

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        take_over_all(self.name, self._parts, slices)
        return self._restored(self._jpeg.decode(codes))

    def decode_raw(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        take_over_all(self.name, self._parts, slices)
        return self._restored(self._jpeg.decode_raw(codes))

    def without_header(self, code: bytes) -> bytes:
        return self._jpeg.without_header(code)

    def _restored(self, compact: Tensor) -> Tensor:
        _, height, width = self.image_shape
        made = in_chunks(self._networks.restore, compact, chunk_for(compact.shape))
        return made[..., :height, :width]
