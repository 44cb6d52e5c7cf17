"""AESC-I: a convolutional autoencoder whose decoder travels with the code (Dong et al.; paper 001).

::

    image -> encoder -> code in [low, 1] -> b-bit symbols -> entropy coder -> bytes
    bytes -> entropy decoder -> symbols -> code -> received decoder -> image

The decoder's slice holds the network's weights at the chosen precision and sparsity, the ranges of the code's
dimensions (folded into its first layer) and the entropy table. The table serves every number of bits, so one slice
decodes codes of all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from simnet.codecs.base import Codec, CodecError, CodecParams
from simnet.codecs.entropy.packing import pack, packed_n_byte, unpack
from simnet.codecs.entropy.static import EntropyError, StaticCoder
from simnet.codecs.networks.aesc import load_autoencoder
from simnet.codecs.networks.chunks import in_chunks
from simnet.codecs.networks.parts import transposed_axes
from simnet.core.zoo import model_dir, version_name
from simnet.tasks.flops import flop_per_image
from simnet.wire.slices import Precision, Slice, make_slice

TABLE = "table"


class Aesc(Codec):
    """One trained model of the zoo at one precision and number of code bits.

    Args:
        params: see :class:`Params`.
        device: of the networks.
        folder: of ``weights.safetensors``; default: the zoo's ``aesc/<model>``.

    Raises:
        UnknownName: no such model in the zoo.
        SimnetError: its weights are missing or damaged.
    """

    semantic = True

    class Params(CodecParams):
        """``model``: name in the zoo's family ``aesc``, e.g. ``digits_z40``. ``precision``: of the decoder's weights.

        ``version``: of the model, trained anew: 2 lies in the zoo as ``<model>.v2``; its slices keep the model's name.
        ``sparsity``: share of each weight tensor of the decoder, smallest magnitudes first, that is pruned away.
        ``code_bits``: bits per code value. ``entropy_coding``: by the static table that travels in the decoder's slice.
        """

        model: Annotated[str, Field(min_length=1)]
        version: Annotated[int, Field(ge=1, lt=2**32)] = 1
        precision: Precision = "int8"
        sparsity: Annotated[float, Field(ge=0.0, le=0.9)] = 0.0
        code_bits: Annotated[int, Field(ge=2, le=16)] = 8
        entropy_coding: bool = True

        def models(self) -> dict[str, str]:
            key = "model" if self.version == 1 else "version"
            return {key: version_name(f"aesc/{self.model}", self.version)}

    def __init__(self, params: Params, *, device: str = "cpu", folder: Path | None = None) -> None:
        super().__init__(params, device=device)
        self.params = params
        self._folder = folder or model_dir(version_name(f"aesc/{params.model}", params.version))
        if folder is None:  # from the zoo: its card must speak of these weights
            self._check_hash()
        autoencoder, self._table = load_autoencoder(self._folder / "weights.safetensors")
        self.shape = autoencoder.shape
        self._encoder_weights = _half(autoencoder.encoder)
        self._decoder_weights = {k: v.numpy() for k, v in autoencoder.decoder.state_dict().items()}
        self._encoder = autoencoder.encoder.to(self.device)
        self._encoder.load_state_dict({k: torch.from_numpy(v).float() for k, v in self._encoder_weights.items()})
        self._decoder = autoencoder.decoder.to(self.device)

    @cached_property
    def encoder_slices(self) -> tuple[Slice, ...]:
        """The encoder as float16, as this codec itself runs it."""
        name, version = f"aesc/{self.params.model}/encoder", self.params.version
        return (make_slice(name, "encoder", self._encoder_weights, precision="float16", version=version),)

    @cached_property
    def decoder_slices(self) -> tuple[Slice, ...]:
        params, tensors = self.params, dict[str, NDArray[Any]](self._decoder_weights)
        if params.entropy_coding:
            tensors[TABLE] = self._table
        decoder = make_slice(
            self._decoder_name, "decoder", tensors, precision=params.precision, sparsity=params.sparsity,
            version=params.version, channel_axis=transposed_axes(self._decoder),
        )  # fmt: skip
        return (decoder,)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.shape.image_shape

    @cached_property
    def encode_flop(self) -> int:
        return flop_per_image(self._encoder, self.shape.image_shape)

    @cached_property
    def decode_flop(self) -> int:
        return flop_per_image(self._decoder, self.shape.code_shape)

    @cached_property
    def over_snr(self) -> tuple[tuple[float, float], ...]:
        """As in the model's card, which 'simnet models over-snr' measures (AWGN, QPSK 1/2)."""
        rows = self._card().get("over_snr") or []
        try:
            return tuple(sorted((float(row["esno_db"]), float(row["ss"])) for row in rows))
        except (KeyError, TypeError, ValueError) as error:
            raise self._bad_card("measured.over_snr: allowed a list of rows, each with 'esno_db' and 'ss'") from error

    def _card(self) -> dict[str, Any]:
        """What the model's card has measured; {} if it has no card.

        Raises:
            CodecError: the card is damaged.
        """
        card = self._folder / "card.yaml"
        if not card.is_file():
            return {}
        try:
            measured = yaml.safe_load(card.read_text(encoding="utf-8"))["measured"]
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise self._bad_card(" ".join(str(error).split())) from error
        except (KeyError, TypeError) as error:
            raise self._bad_card("got no 'measured'") from error
        if not isinstance(measured, dict):
            raise self._bad_card(f"measured: got {measured!r}; allowed a mapping")
        return measured

    def _bad_card(self, why: str) -> CodecError:
        return CodecError(
            f"{self._folder / 'card.yaml'}: not a readable card ({why}); restore it, or delete it: a model without a "
            f"card is taken as it is"
        )

    def _check_hash(self) -> None:
        weights, promised = self._folder / "weights.safetensors", self._card().get("weights_sha256")
        if promised is None or not weights.is_file():
            return
        if not isinstance(promised, str):
            raise self._bad_card(f"measured.weights_sha256: got {promised!r}; allowed a SHA-256")
        found = hashlib.sha256(weights.read_bytes()).hexdigest()
        if found != promised:
            raise CodecError(
                f"{weights}: got SHA-256 {found[:16]}…; its card says {promised[:16]}…: the file is damaged, or was "
                f"trained anew: restore it, or run 'simnet models measure aesc/{self._folder.name}'"
            )

    def encode(self, images: Tensor) -> list[bytes]:
        return self._encode(images, self._table)

    def encode_for(self, images: Tensor, slices: Sequence[Slice]) -> list[bytes]:
        """With the entropy table of these slices, which decode."""
        return self._encode(images, self._received(slices).get(TABLE, self._table))

    def _encode(self, images: Tensor, table: NDArray[np.uint8]) -> list[bytes]:
        if not self.params.entropy_coding:
            return self.encode_raw(images)
        coder = self._coder(table)
        return [coder.encode(symbols) for symbols in self._symbols(images)]

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        if not self.params.entropy_coding:
            return self.decode_raw(codes, slices)
        self._check_codes(codes)
        tensors = self._received(slices)
        try:
            coder = self._coder(tensors[TABLE])
            symbols = np.stack([coder.decode(code) for code in codes])
        except EntropyError as error:
            raise CodecError(f"codec aesc, model {self.params.model}: {error}") from error
        return self._images(symbols, tensors)

    def encode_raw(self, images: Tensor) -> list[bytes]:
        """The symbols of ``code_bits`` each, packed without gaps."""
        return [pack(symbols, self.params.code_bits) for symbols in self._symbols(images)]

    def decode_raw(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        dimensions, values = self.shape.code_shape
        self._check_codes(codes, n_byte=packed_n_byte(dimensions * values, self.params.code_bits))
        tensors = self._received(slices)
        symbols = [unpack(code, dimensions * values, self.params.code_bits) for code in codes]
        return self._images(np.stack(symbols).reshape(-1, dimensions, values), tensors)

    @property
    def _decoder_name(self) -> str:
        return f"aesc/{self.params.model}/decoder"

    def _coder(self, table: NDArray[np.uint8]) -> StaticCoder:
        return StaticCoder(table, n_values=self.shape.code_shape[1], n_bit=self.params.code_bits)

    def _symbols(self, images: Tensor) -> NDArray[np.int64]:
        """[B, D, n] of images: the cell of [low, 1], cut into 2^code_bits equal ones, that each code value lies in."""
        self._check_images(images)
        if len(images) == 0:
            return np.empty((0, *self.shape.code_shape), np.int64)
        return quantise(in_chunks(self._encoder, images.to(self.device)), self.shape.code_low, self.params.code_bits)

    def _images(self, symbols: NDArray[np.int64], tensors: Mapping[str, NDArray[Any]]) -> Tensor:
        """Decoded images of symbols [B, D, n]: each is taken as the middle of its cell."""
        low, n_cells = self.shape.code_low, 1 << self.params.code_bits
        codes = torch.from_numpy(low + (1 - low) * (symbols.astype(np.float32) + 0.5) / n_cells)
        self._decoder.load_state_dict({k: torch.from_numpy(tensors[k].copy()) for k in self._decoder_weights})
        return in_chunks(self._decoder, codes.to(self.device))

    def _received(self, slices: Sequence[Slice]) -> Mapping[str, NDArray[Any]]:
        """The tensors of the one received slice, checked to be this model's decoder."""
        where = f"codec aesc, model {self.params.model}: decoder slice"
        if [s.name for s in slices] != [self._decoder_name]:
            got = ", ".join(s.name for s in slices) or "none"
            raise CodecError(f"{where}: got {got}; allowed exactly {self._decoder_name}")
        wanted = {k: v.shape for k, v in self._decoder_weights.items()}
        if self.params.entropy_coding:
            wanted[TABLE] = self._table.shape
        got_shapes = {k: v.shape for k, v in slices[0].tensors.items() if k in wanted}
        if got_shapes != wanted:
            raise CodecError(
                f"{where} {slices[0].id}: its tensors aren't this model's (another version?): "
                f"got {got_shapes}; allowed {wanted}"
            )
        return slices[0].tensors


def quantise(codes: Tensor, low: int, n_bit: int) -> NDArray[np.int64]:
    """Symbols in [0, 2^n_bit) of code values that belong into [low, 1]; values outside go to the outermost cells."""
    n_cells = 1 << n_bit
    cells = ((codes.float() - low) * (n_cells / (1 - low))).floor().clamp(0, n_cells - 1)
    return cells.cpu().numpy().astype(np.int64)


def _half(network: nn.Module) -> dict[str, NDArray[np.float16]]:
    return {k: v.half().numpy() for k, v in network.state_dict().items()}
