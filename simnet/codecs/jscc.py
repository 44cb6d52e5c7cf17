"""DeepJSCC and its kin: an image straight onto channel symbols, and back (paper 003).

The decoder travels as a trunk and a head. Codecs of one model share the trunk, so that a receiver which holds it
fetches only the head for the bandwidth that it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from simnet.codecs.base import Codec, CodecError, CodecParams, OfColour
from simnet.codecs.networks.chunks import chunk_for, in_chunks
from simnet.codecs.networks.jscc import STRIDE, load_jscc, n_symbols, shape_of
from simnet.codecs.networks.jscc import Jscc as Networks
from simnet.codecs.networks.parts import slice_of, take_over_all
from simnet.core.zoo import model_dir, zoo_root
from simnet.phy.learned.links import FADINGS
from simnet.phy.learned.on_air import Analog, OnAir, Uses, received_symbols
from simnet.tasks.flops import flop_per_image
from simnet.wire.slices import Precision, Slice

Side = Annotated[int, Field(ge=8, le=1024, multiple_of=STRIDE)]


class Jscc(Codec):
    """One head of one model."""

    semantic = True

    class Params(CodecParams):
        """``model``: name in the zoo's family ``jscc``. ``head``: complex symbols for each 4 x 4 pixels, a head of the
        model: 2, 4, 8 are k/n = 1/24, 1/12, 1/6. ``precision``: of the decoder's weights."""

        model: Annotated[str, Field(min_length=1)]
        head: Annotated[int, Field(ge=1, le=24)] = 8
        image_shape: Annotated[tuple[int, Side, Side], OfColour] = (3, 32, 32)
        precision: Precision = "int8"

        def models(self) -> dict[str, str]:
            """The trunk of a model that has none of its own counts too; it is the heads that need it."""
            name = f"jscc/{self.model}"
            weights = zoo_root() / name / "weights.safetensors"
            trunk = shape_of(weights).trunk if weights.exists() else None
            return {"model": name} | ({} if trunk is None else {"head": trunk})

    def __init__(self, params: Params, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        self.params = params
        self._name = f"jscc/{params.model}"
        self._networks = load_jscc(model_dir(self._name) / "weights.safetensors").to(self.device)
        heads = self._networks.shape.heads
        if params.head not in heads:
            raise CodecError(f"codec jscc: {self._name}: head: got {params.head}; allowed {', '.join(map(str, heads))}")
        self._channel = self._networks.shape.channel()
        self._size = params.image_shape[1], params.image_shape[2]

    # ------------------------------------------------------------------ slices and costs

    @cached_property
    def encoder_slices(self) -> tuple[Slice, ...]:
        networks, head = self._networks, str(self.params.head)
        return (
            slice_of(f"{networks.shape.trunk or self._name}/encoder", networks.encoder, "encoder"),
            slice_of(f"{self._name}/to_channel_{head}", networks.to_channel[head], "encoder"),
        )

    @cached_property
    def decoder_slices(self) -> tuple[Slice, ...]:
        return decoder_slices(self._name, self._networks, self.params.head, self.params.precision)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.params.image_shape

    @cached_property
    def encode_flop(self) -> int:
        networks, head = self._networks, str(self.params.head)
        return flop_per_image(nn.Sequential(networks.encoder, networks.to_channel[head]), self.image_shape)

    @cached_property
    def decode_flop(self) -> int:
        networks, head = self._networks, self.params.head
        shape = (2 * head, self._size[0] // STRIDE, self._size[1] // STRIDE)
        return flop_per_image(nn.Sequential(networks.from_channel[str(head)], networks.decoder), shape)

    @cached_property
    def analog(self) -> Analog:
        uses = Uses(n_symbols(self._size, self.params.head))
        return Analog(uses, FADINGS[self._networks.shape.fading], self._channel.channel)

    # ------------------------------------------------------------------ coding

    def encode(self, images: Tensor) -> list[bytes]:
        """The symbols that are sent: complex64, of mean power 1 per image."""
        self._check_images(images)
        if len(images) == 0:
            return []
        symbols = in_chunks(self._symbols, images.to(self.device), chunk_for(self.image_shape))
        return [row.numpy(force=True).tobytes() for row in symbols]

    def _symbols(self, images: Tensor) -> Tensor:
        """As real numbers [B, k, 2]: chunks are filled up with images of zeros."""
        return torch.view_as_real(self._networks.encode(images, self.params.head))

    def over_air(self, codes: Sequence[bytes], each: Sequence[OnAir]) -> list[bytes]:
        """Symbols as received, equalised: complex64."""
        self._check_codes(codes, n_byte=8 * self.analog.uses.forward)
        return received_symbols(self._channel, codes, each)

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._check_codes(codes, n_byte=8 * self.analog.uses.forward)
        take_over_all(self.name, receiver_parts(self._name, self._networks, self.params.head), slices)
        values = np.stack([np.frombuffer(code, np.float32) for code in codes]).reshape(len(codes), -1, 2)
        symbols = torch.from_numpy(values).to(self.device)
        return in_chunks(self._images, symbols, chunk_for(self.image_shape))

    def _images(self, symbols: Tensor) -> Tensor:
        complex_symbols = torch.view_as_complex(symbols.contiguous())
        return self._networks.decode(complex_symbols, self.params.head, self._size)


def receiver_parts(model: str, networks: Networks, head: int) -> dict[str, nn.Module]:
    """The trunk, which may be another model's, and the head that a receiver needs, by the names of their slices."""
    trunk = f"{networks.shape.trunk or model}/trunk"
    return {trunk: networks.decoder, f"{model}/head_{head}": networks.from_channel[str(head)]}


def decoder_slices(model: str, networks: Networks, head: int, precision: Precision) -> tuple[Slice, ...]:
    """The slices of :func:`receiver_parts`."""
    parts = receiver_parts(model, networks, head)
    return tuple(slice_of(name, network, "decoder", precision) for name, network in parts.items())
