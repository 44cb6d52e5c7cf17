"""ComCNN + JPEG + RecCNN (Jiang et al., 2018): a rival of LSCI in paper 000. The receiver needs RecCNN."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from simnet.codecs.base import Codec, CodecError, CodecParams, OfColour
from simnet.codecs.jpeg import Jpeg
from simnet.codecs.networks.chunks import chunk_for, in_chunks
from simnet.codecs.networks.compact import load_compact, pad_to_even
from simnet.codecs.networks.flops import flop_per_image
from simnet.core.zoo import model_dir
from simnet.tasks.networks.weights import inference_tensors, take_over
from simnet.wire.slices import Precision, Role, Slice, make_slice

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
        return (self._slice("com", "encoder"),)

    @cached_property
    def decoder_slices(self) -> tuple[Slice, ...]:
        return (self._slice("rec", "decoder"),)

    def _slice(self, part: Literal["com", "rec"], role: Role) -> Slice:
        tensors = inference_tensors(self._networks.get_submodule(part))
        precision = self.params.precision if role == "decoder" else "float16"
        return make_slice(f"{self._name}/{part}", role, tensors, precision=precision)

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
            in_chunks(self._networks.compact, pad_to_even(images.to(self.device)), chunk_for(images))
        )

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._take_over(slices)
        return self._restored(self._jpeg.decode(codes))

    def decode_raw(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._take_over(slices)
        return self._restored(self._jpeg.decode_raw(codes))

    def header_byte(self, code: bytes) -> int:
        return self._jpeg.header_byte(code)

    def _restored(self, compact: Tensor) -> Tensor:
        _, height, width = self.image_shape
        made = in_chunks(self._networks.restore, compact, chunk_for(compact))
        return made[..., :height, :width]

    def _take_over(self, slices: Sequence[Slice]) -> None:
        if [s.name for s in slices] != [f"{self._name}/rec"]:
            got = ", ".join(s.name for s in slices) or "none"
            raise CodecError(f"codec comcnn: decoder slices: got {got}; allowed exactly {self._name}/rec")
        take_over(self._networks.rec, slices[0].tensors)
