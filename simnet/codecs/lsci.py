"""LSCI: a base model of slices, and enhancement slices for the regions that matter (Dong et al., 2022; paper 000).

::

    image -> E -> nearest centre -> symbols                        base layer
    image - G(symbols) -> mask, pooling, JPEG2000                  enhancement layer
    symbols -> G -> x'     x' + super-resolution(enhancement)      at the receiver

The decoder travels as slices: the generator's parts, the segmentation network that makes the mask, and the
super-resolution slice. Codecs of one base model share all slices that they have in common.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from simnet.codecs.base import Codec, CodecError, CodecParams, OfColour
from simnet.codecs.classical.codestream import Codestreams
from simnet.codecs.entropy.packing import pack, packed_n_byte, unpack
from simnet.codecs.entropy.radix import radix_n_byte, radix_pack, radix_unpack
from simnet.codecs.networks.chunks import chunk_for, in_chunks
from simnet.codecs.networks.enhancement import Enhancement, region_mask
from simnet.codecs.networks.lsci import N_STAGES, STRIDE, code_size, generator_parts, load_base, pad_to_stride
from simnet.codecs.networks.parts import transposed_axes
from simnet.codecs.networks.super_resolution import load_super_resolution
from simnet.core.zoo import model_dir, version_name
from simnet.tasks.flops import flop_per_image
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.weights import inference_tensors, take_over
from simnet.wire.slices import Precision, Slice, make_slice

CENTRES = "centres"
Side = Annotated[int, Field(ge=32, le=4096)]


class Lsci(Codec):
    """One base model at one depth and precision, with or without an enhancement layer."""

    semantic = True

    class Params(CodecParams):
        """``model``: name in the zoo's family ``lsci``. ``image_shape``: (3, H, W) of the source's images.

        ``version``: of the base model, trained anew: 2 lies in the zoo as ``<model>.v2``; its slices keep their names.

        ``stages``: residual stages of the generator that are used, 0 … 3; the slices of the others aren't needed.
        ``precision``, ``sparsity``: of the weights of every slice, but for what ``enhancement``, the second layer, says
        of its own; null: there is none.
        ``segmenter``: zoo name of the network that makes masks; needed only where the region isn't ``all``.
        """

        model: Annotated[str, Field(min_length=1)] = "street"
        version: Annotated[int, Field(ge=1, lt=2**32)] = 1
        image_shape: Annotated[tuple[int, Side, Side], OfColour] = (3, 96, 128)
        stages: Annotated[int, Field(ge=0, le=N_STAGES)] = N_STAGES
        precision: Precision = "int8"
        sparsity: Annotated[float, Field(ge=0.0, le=0.9)] = 0.0
        enhancement: Enhancement | None = None
        segmenter: str = "segmenter/street_parser"

        def models(self) -> dict[str, str]:
            key = "model" if self.version == 1 else "version"
            named = {key: version_name(f"lsci/{self.model}", self.version)}
            if self.enhancement is not None:
                if self.enhancement.super_resolution is not None:
                    named["enhancement.super_resolution"] = self.enhancement.super_resolution
                if self.enhancement.region != "all":
                    named["segmenter"] = self.segmenter
            return named

    def __init__(self, params: Params, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        self.params = params
        base, _ = load_base(model_dir(version_name(self._name, params.version)) / "weights.safetensors")
        self.shape = base.shape
        self._encoder = base.encoder.to(self.device)
        self._quantiser, self._generator = base.quantiser, base.generator
        self._how = params.enhancement
        self._restorer = self._segmenter = None
        if self._how is not None and self._how.super_resolution is not None:
            self._restorer = load_super_resolution(model_dir(self._how.super_resolution) / "weights.safetensors")
        if self._how is not None and self._how.region != "all":
            self._segmenter = load_segmenter(model_dir(params.segmenter) / "weights.safetensors")
        for network in (self._quantiser, self._generator, self._restorer, self._segmenter):
            if network is not None:
                network.to(self.device)

    # ------------------------------------------------------------------ slices

    @cached_property
    def encoder_slices(self) -> tuple[Slice, ...]:
        """The encoder; and the decoder's slices, since the residual is that of what the receiver will see."""
        tensors = inference_tensors(self._encoder) | {CENTRES: self._quantiser.centres.numpy(force=True)}
        version = self.params.version
        encoder = make_slice(f"{self._name}/encoder", "encoder", tensors, precision="float16", version=version)
        return (encoder, *(self.decoder_slices if self._how is not None else ()))

    @cached_property
    def decoder_slices(self) -> tuple[Slice, ...]:
        slices: list[Slice] = []
        for part in generator_parts(self.params.stages):
            tensors = inference_tensors(self._generator.get_submodule(part))
            if part == "stem":
                tensors[CENTRES] = self._quantiser.centres.numpy(force=True)
            after = (slices[-1].id,) if part.startswith("residual") else ()
            network = self._generator.get_submodule(part)
            slices.append(self._slice(f"{self._name}/{part}", network, tensors, after, self.params.version))
        if self._segmenter is not None:
            slices.append(self._slice(self.params.segmenter, self._segmenter, inference_tensors(self._segmenter)))
        if self._restorer is not None and self._how is not None:
            name, tensors = str(self._how.super_resolution), inference_tensors(self._restorer)
            precision, sparsity = self._how.precision, self._how.sparsity
            slices.append(self._slice(name, self._restorer, tensors, precision=precision, sparsity=sparsity))
        return tuple(slices)

    @property
    def _name(self) -> str:
        return f"lsci/{self.params.model}"

    def _slice(
        self, name: str, network: nn.Module, tensors: dict[str, NDArray[Any]], requires: tuple[str, ...] = (),
        version: int = 1, precision: Precision | None = None, sparsity: float | None = None,
    ) -> Slice:  # fmt: skip
        return make_slice(
            name, "decoder", tensors, precision=precision or self.params.precision,
            sparsity=self.params.sparsity if sparsity is None else sparsity,
            requires=requires, version=version, channel_axis=transposed_axes(network),
        )  # fmt: skip

    # ------------------------------------------------------------------ costs

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.params.image_shape

    @cached_property
    def encode_flop(self) -> int:
        _, height, width = self.image_shape
        padded = (3, -(-height // STRIDE) * STRIDE, -(-width // STRIDE) * STRIDE)
        encoding = flop_per_image(self._encoder, padded)
        return encoding + (self._base_flop + self._mask_flop if self._how is not None else 0)

    @cached_property
    def decode_flop(self) -> int:
        restoring = 0 if self._restorer is None else flop_per_image(self._restorer, self.image_shape)
        return self._base_flop + self._mask_flop + restoring

    @cached_property
    def _base_flop(self) -> int:
        parts = [self._generator.get_submodule(part) for part in generator_parts(self.params.stages)]
        return flop_per_image(nn.Sequential(*parts), self.code_shape)

    @cached_property
    def _mask_flop(self) -> int:
        return 0 if self._segmenter is None else flop_per_image(self._segmenter, self.image_shape)

    @property
    def code_shape(self) -> tuple[int, int, int]:
        return self.shape.code_channels, *code_size(self.image_shape)

    # ------------------------------------------------------------------ layers

    @property
    def layers(self) -> tuple[str, ...]:
        """The base layer is the same in all codecs of one base model."""
        base = f"{version_name(self._name, self.params.version)}/base"
        return (base,) if self._how is None else (base, f"{self._name}/{self.params.model_dump_json()}")

    def split(self, code: bytes) -> list[bytes]:
        return [code] if self._how is None else [code[: self._base_n_byte], code[self._base_n_byte :]]

    @cached_property
    def _n_symbols(self) -> int:
        return math.prod(self.code_shape)

    @cached_property
    def _base_n_byte(self) -> int:
        return radix_n_byte(self._n_symbols, self.shape.n_centres)

    @property
    def _symbol_bit(self) -> int:
        return (self.shape.n_centres - 1).bit_length()

    # ------------------------------------------------------------------ encoding and decoding

    def encode(self, images: Tensor) -> list[bytes]:
        return self.encode_for(images, self.decoder_slices)

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        n_byte = self._base_n_byte if self._how is None else None
        self._check_codes(codes, n_byte=n_byte)
        if short := [len(code) for code in codes if len(code) < self._base_n_byte]:
            raise CodecError(f"codec lsci: got a code of {short[0]} bytes; its base layer alone is {self._base_n_byte}")
        unpacked = (radix_unpack(self.split(code)[0], self._n_symbols, self.shape.n_centres) for code in codes)
        symbols = np.stack([s.reshape(self.code_shape) for s in unpacked])
        return self._recover(symbols, [self.split(code)[1:] for code in codes], self.tensors_of(slices))

    def encode_for(self, images: Tensor, slices: Sequence[Slice]) -> list[bytes]:
        """Base layers as always; the enhancement is that of what these slices make of them."""
        symbols = self._symbols(images)
        base = [radix_pack(s, self.shape.n_centres) for s in symbols]
        if self._how is None:
            return base
        return [b + e for b, e in zip(base, self._enhance(images, symbols, slices), strict=True)]

    def encode_raw(self, images: Tensor) -> list[bytes]:
        """Symbols of whole bits, and the JPEG2000 stream behind them, which has no layout that keeps errors local."""
        symbols = self._symbols(images)
        base = [pack(s, self._symbol_bit) for s in symbols]
        if self._how is None:
            return base
        layers = self._enhance(images, symbols, self.decoder_slices)
        return [b + e for b, e in zip(base, layers, strict=True)]

    def decode_raw(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        n_base = packed_n_byte(self._n_symbols, self._symbol_bit)
        self._check_codes(codes, n_byte=n_base if self._how is None else None)
        unpacked = (unpack(code[:n_base].ljust(n_base, b"\0"), self._n_symbols, self._symbol_bit) for code in codes)
        symbols = np.stack([s.reshape(self.code_shape) for s in unpacked]).clip(0, self.shape.n_centres - 1)
        rest = [[code[n_base:]] if self._how is not None else [] for code in codes]
        return self._recover(symbols, rest, self.tensors_of(slices), damaged=True)

    def _symbols(self, images: Tensor) -> NDArray[np.int64]:
        """[B, C, h, w] of images."""
        self._check_images(images)
        if len(images) == 0:
            return np.empty((0, *self.code_shape), np.int64)
        padded = pad_to_stride(images.to(self.device))
        chunk = chunk_for(self.image_shape)
        return in_chunks(lambda x: self._quantiser.symbols(self._encoder(x)), padded, chunk).cpu().numpy()

    def _enhance(self, images: Tensor, symbols: NDArray[np.int64], slices: Sequence[Slice]) -> list[bytes]:
        """The enhancement layer of each image: against what the receiver's slices make of its symbols."""
        assert self._how is not None
        if len(images) == 0:
            return []
        tensors = self.tensors_of(slices)
        base = self._base_images(symbols, tensors)
        return self._how.code((images.to(self.device) - base) * self._mask(base, tensors), self._streams)

    def _recover(
        self, symbols: NDArray[np.int64], rest: list[list[bytes]], tensors: Mapping[str, Any], *, damaged: bool = False
    ) -> Tensor:
        base = self._base_images(symbols, tensors)
        if self._how is None:
            return base
        layers = [layer for (layer,) in rest]
        residual = self._how.uncode(layers, self._streams, self.image_shape[1:], damaged=damaged).to(self.device)
        if self._restorer is not None:
            take_over(self._restorer, tensors[str(self._how.super_resolution)])
            residual = in_chunks(self._restorer, residual, chunk_for(self.image_shape))
        return (base + residual * self._mask(base, tensors)).clamp(0, 1)

    @cached_property
    def _streams(self) -> Codestreams:
        assert self._how is not None
        return self._how.streams(self.image_shape)

    def _base_images(self, symbols: NDArray[np.int64], tensors: Mapping[str, Any]) -> Tensor:
        """x' [B, 3, H, W] of symbols, by the received generator."""
        return self.generate(self.quantised(symbols, tensors), tensors)

    def quantised(self, symbols: NDArray[np.int64], tensors: Mapping[str, Any]) -> Tensor:
        """w^q [B, C, h, w] of symbols, by the received centres."""
        centres = torch.from_numpy(tensors[f"{self._name}/stem"][CENTRES].astype(np.float32)).to(self.device)
        return centres[torch.from_numpy(symbols).to(self.device)]

    def generate(self, quantised: Tensor, tensors: Mapping[str, Any]) -> Tensor:
        """x' [B, 3, H, W] of w^q or what stands for it, by the received generator."""
        _, height, width = self.image_shape
        for part in generator_parts(self.params.stages):
            weights = {k: v for k, v in tensors[f"{self._name}/{part}"].items() if k != CENTRES}
            take_over(self._generator.get_submodule(part), weights)
        made = in_chunks(lambda w: self._generator(w, self.params.stages), quantised, chunk_for(self.image_shape))
        return made[..., :height, :width]

    def _mask(self, base: Tensor, tensors: Mapping[str, Any]) -> Tensor:
        assert self._how is not None
        if self._segmenter is None:
            return torch.ones_like(base[:, :1])
        take_over(self._segmenter, tensors[self.params.segmenter])
        classes, segmenter = self._how.classes, self._segmenter
        return in_chunks(lambda x: region_mask(x, classes, segmenter), base, chunk_for(self.image_shape))

    def tensors_of(self, slices: Sequence[Slice]) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Slice name -> tensors, checked to be this codec's decoder."""
        wanted = {s.name: {k: v.shape for k, v in s.tensors.items()} for s in self.decoder_slices}
        got = {s.name: {k: v.shape for k, v in s.tensors.items()} for s in slices}
        if sorted(s.name for s in slices) != sorted(wanted):
            raise CodecError(
                f"codec lsci, model {self.params.model}: decoder slices: got {', '.join(got) or 'none'}; allowed "
                f"exactly {', '.join(wanted)}"
            )
        if wrong := [name for name in wanted if got[name] != wanted[name]]:
            raise CodecError(f"codec lsci: slice {wrong[0]}: its tensors aren't this model's (another version?)")
        return {s.name: s.tensors for s in slices}
