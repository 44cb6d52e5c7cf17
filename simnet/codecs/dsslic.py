"""DSSLIC, reduced: label map, compact picture, and the residual as JPEG 2000; a rival of RL-ASC (paper 004).

::

    image -> F -> label map                                   base layer
    image -> means of 8 x 8 pixels                            base layer
    image - FineNet(label map, compact picture) -> JPEG2000   enhancement layer

A code is ``n_map | label map | n_compact | compact picture | packets of the residual``, lengths as in RL-ASC's codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor

from simnet.codecs.base import Codec, CodecError, CodecParams, OfColour
from simnet.codecs.classical.codestream import Codestreams
from simnet.codecs.entropy.compact import CompactCoder
from simnet.codecs.entropy.label_map import MapCoder, class_bit
from simnet.codecs.entropy.lengths import part_at, with_length
from simnet.codecs.entropy.packing import pack, packed_n_byte, unpack
from simnet.codecs.entropy.static import EntropyError
from simnet.codecs.networks.dsslic import COMPACT_BIT, compact, load_dsslic
from simnet.codecs.networks.enhancement import Enhancement
from simnet.codecs.networks.parts import slice_of, transposed_axes
from simnet.codecs.networks.rlasc import STRIDE, shrunk
from simnet.core.zoo import model_dir
from simnet.tasks.flops import flop_of
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.weights import inference_tensors, take_over
from simnet.wire.slices import Precision, Slice, make_slice

MAP_TABLE, COMPACT_TABLE = "map_table", "compact_table"
Side = Annotated[int, Field(ge=32, le=2048)]


class Dsslic(Codec):
    """One model; the rate is that of the residual."""

    semantic = True

    class Params(CodecParams):
        """``model``: name in the zoo's family ``dsslic``. ``segmenter``: zoo name of F, which only senders have.

        ``residual_bpp``: bits per pixel of the residual's packets, which need some 25 bytes; null: no residual is sent.
        ``precision``: of the receiver's weights.
        """

        model: Annotated[str, Field(min_length=1)] = "street"
        image_shape: Annotated[tuple[int, Side, Side], OfColour] = (3, 96, 128)
        segmenter: str = "segmenter/street_parser"
        residual_bpp: Annotated[float, Field(gt=0, le=24)] | None = None
        precision: Precision = "int8"

        @model_validator(mode="after")
        def _whole_places(self) -> Self:
            if any(side % STRIDE for side in self.image_shape[1:]):
                raise ValueError(
                    f"image_shape: got {list(self.image_shape)}; allowed sides that are multiples of {STRIDE}"
                )
            return self

        def models(self) -> dict[str, str]:
            return {"model": f"dsslic/{self.model}", "segmenter": self.segmenter}

    def __init__(self, params: Params, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        self.params = params
        self._name = f"dsslic/{params.model}"
        network, compact_table, map_table = load_dsslic(model_dir(self._name) / "weights.safetensors")
        self._network = network.to(self.device)
        bpp = params.residual_bpp
        self._residual = None if bpp is None else Enhancement(pooling=1, bpp=bpp)
        self._tables = {COMPACT_TABLE: compact_table.numpy(), MAP_TABLE: map_table.numpy()}
        self._segmenter = load_segmenter(model_dir(params.segmenter) / "weights.safetensors").to(self.device)
        if (got := self._segmenter.n_classes) != (wanted := network.shape.n_classes):
            raise CodecError(
                f"codec dsslic: segmenter: {params.segmenter} knows {got} classes; {self._name} allows {wanted}"
            )

    @cached_property
    def encoder_slices(self) -> tuple[Slice, ...]:
        """F; and FineNet, since the residual is that of what the receiver will see."""
        return (slice_of(self.params.segmenter, self._segmenter, "encoder"), *self.decoder_slices)

    @cached_property
    def decoder_slices(self) -> tuple[Slice, ...]:
        fine = make_slice(
            f"{self._name}/fine", "decoder", inference_tensors(self._network) | self._tables,
            precision=self.params.precision, channel_axis=transposed_axes(self._network),
        )  # fmt: skip
        return (fine,)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.params.image_shape

    @cached_property
    def encode_flop(self) -> int:
        image = torch.zeros(1, *self.image_shape, device=self.device)
        rehearsing = 0 if self._residual is None else self.decode_flop
        return flop_of(lambda: self._segmenter(image)) + rehearsing

    @cached_property
    def decode_flop(self) -> int:
        symbols = torch.zeros(1, 3, *self._grid, dtype=torch.int64, device=self.device)
        return flop_of(lambda: self._network(symbols, symbols[:, 0]))

    @property
    def _n_classes(self) -> int:
        return self._network.shape.n_classes

    @property
    def _grid(self) -> tuple[int, int]:
        """(h, w) of label map and compact picture."""
        return self.image_shape[1] // STRIDE, self.image_shape[2] // STRIDE

    @cached_property
    def _streams(self) -> Codestreams:
        return Codestreams(self.image_shape)

    # ------------------------------------------------------------------ encoding and decoding

    def encode(self, images: Tensor) -> list[bytes]:
        return self.encode_for(images, self.decoder_slices)

    def encode_for(self, images: Tensor, slices: Sequence[Slice]) -> list[bytes]:
        """The residual is that of what these slices make; the rest is coded by their tables."""
        maps, pictures = self._coders(self._take_over(slices))
        return [
            with_length(maps.encode(layers.label_map)) + with_length(pictures.encode(layers.picture)) + layers.packets
            for layers in self._layers(images)
        ]

    def encode_raw(self, images: Tensor) -> list[bytes]:
        """Classes of 4 bits (more where they are more than 16), values of 5, and behind them the residual's packets."""
        self._take_over(self.decoder_slices)
        return [
            pack(layers.label_map, class_bit(self._n_classes)) + pack(layers.picture, COMPACT_BIT) + layers.packets
            for layers in self._layers(images)
        ]

    @torch.inference_mode()
    def _layers(self, images: Tensor) -> list[_Layers]:
        """Networks see one picture at a time, so that its code doesn't depend on others."""
        self._check_images(images)
        found = []
        for i in range(len(images)):
            image = images[i : i + 1].to(self.device)
            label_map, picture = shrunk(self._segmenter(image).argmax(1), self._n_classes), compact(image)
            packets = b""
            if self._residual is not None:
                (packets,) = self._residual.code(image - self._network(picture, label_map), self._streams)
            found.append(_Layers(label_map[0].cpu().numpy(), picture[0].cpu().numpy(), packets))
        return found

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._check_codes(codes)
        maps, pictures = self._coders(self._take_over(slices))
        found = []
        for code in codes:
            try:
                coded_map, end = part_at(code, 0, "label map")
                coded_picture, end = part_at(code, end, "compact picture")
                found.append(_Layers(maps.decode(coded_map), pictures.decode(coded_picture), code[end:]))
            except EntropyError as error:
                raise CodecError(f"codec dsslic: {error}; is it another codec's?") from error
            if (len(code) > end) != (self._residual is not None):
                allowed = "none" if self._residual is None else "a residual"
                raise CodecError(
                    f"codec dsslic: got {len(code) - end} bytes after a base layer of {end}; allowed {allowed}: is it "
                    "another setting's?"
                )
        return torch.cat([self._image(layers, damaged=False) for layers in found])

    def decode_raw(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._take_over(slices)
        n_places, n_bit = self._grid[0] * self._grid[1], class_bit(self._n_classes)
        map_end = packed_n_byte(n_places, n_bit)
        end = map_end + packed_n_byte(3 * n_places, COMPACT_BIT)
        self._check_codes(codes, n_byte=end if self._residual is None else None)
        found = []
        for code in codes:
            base = code[:end].ljust(end, b"\0")
            label_map = unpack(base[:map_end], n_places, n_bit).clip(max=self._n_classes - 1)
            picture = unpack(base[map_end:], 3 * n_places, COMPACT_BIT)
            found.append(_Layers(label_map.reshape(self._grid), picture.reshape(3, *self._grid), code[end:]))
        return torch.cat([self._image(layers, damaged=True) for layers in found])

    @torch.inference_mode()
    def _image(self, layers: _Layers, *, damaged: bool) -> Tensor:
        """[1, 3, H, W].

        Args:
            damaged: a residual that can't be read is none.
        """
        label_map, picture = (torch.from_numpy(x).to(self.device)[None] for x in (layers.label_map, layers.picture))
        made: Tensor = self._network(picture, label_map)
        if self._residual is None:
            return made
        residual = self._residual.uncode([layers.packets], self._streams, self.image_shape[1:], damaged=damaged)
        return (made + residual.to(self.device)).clamp(0, 1)

    def _coders(self, tables: dict[str, NDArray[Any]]) -> tuple[MapCoder, CompactCoder]:
        maps = MapCoder(tables[MAP_TABLE], self._n_classes, self._grid)
        return maps, CompactCoder(tables[COMPACT_TABLE], self._grid, COMPACT_BIT)

    def _take_over(self, slices: Sequence[Slice]) -> dict[str, NDArray[Any]]:
        """Received weights into FineNet; the tables that came beside them are given back."""
        (own,) = self.decoder_slices
        if [s.name for s in slices] != [own.name]:
            got = ", ".join(s.name for s in slices) or "none"
            raise CodecError(f"codec dsslic: decoder slices: got {got}; allowed exactly {own.name}")
        tensors = slices[0].tensors
        if {k: v.shape for k, v in tensors.items()} != {k: v.shape for k, v in own.tensors.items()}:
            raise CodecError(f"codec dsslic: slice {own.name}: its tensors aren't this model's (another version?)")
        take_over(self._network, {k: v for k, v in tensors.items() if k not in self._tables})
        return {key: tensors[key] for key in self._tables}


@dataclass(frozen=True)
class _Layers:
    """What a picture becomes: label map [h, w], symbols of the compact picture [3, h, w], packets of the residual."""

    label_map: NDArray[np.int64]
    picture: NDArray[np.int64]
    packets: bytes
