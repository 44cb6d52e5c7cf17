"""LSCI's base layer as symbols: the channel slices Ce and Cd in place of LDPC and QAM (paper 000, section III-C).

::

    image -> E -> w^q -> Ce -> radio link and its noisy feedback -> Cd -> G -> x'

Ce stays with the sender; Cd travels as a slice beside the generator's, so that a node which holds the generator needs
only the Cd of the channel that it sees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from simnet.codecs.base import Codec, CodecError, CodecParams, OfColour
from simnet.codecs.entropy.radix import radix_n_byte, radix_unpack
from simnet.codecs.lsci import Lsci, Side
from simnet.codecs.networks.channel_slices import load_channel_slices
from simnet.codecs.networks.chunks import chunk_for, in_chunks
from simnet.codecs.networks.lsci import N_STAGES
from simnet.codecs.networks.parts import take_over_all
from simnet.core.zoo import model_dir
from simnet.phy.learned.feedback import FeedbackDraws
from simnet.phy.learned.links import FADINGS
from simnet.phy.learned.on_air import Analog, OnAir, Uses, forward_draws, reverse_draws
from simnet.tasks.flops import flop_per_image
from simnet.tasks.networks.weights import inference_tensors
from simnet.wire.slices import Precision, Slice, make_slice


class LsciChannel(Codec):
    """One base model with the channel slices of one channel and region of Es/N0."""

    semantic = True

    class Params(CodecParams):
        """``channel``: zoo name of the channel slices; the others as of ``lsci``.

        ``precision`` is that of all slices.
        """

        channel: Annotated[str, Field(min_length=1)]
        model: Annotated[str, Field(min_length=1)] = "street"
        version: Annotated[int, Field(ge=1, lt=2**32)] = 1
        image_shape: Annotated[tuple[int, Side, Side], OfColour] = (3, 96, 128)
        stages: Annotated[int, Field(ge=0, le=N_STAGES)] = N_STAGES
        precision: Precision = "int8"

        def models(self) -> dict[str, str]:
            return {"channel": self.channel, **self.source.models()}

        @property
        def source(self) -> Lsci.Params:
            """Of the codec of the base layer."""
            return Lsci.Params.model_validate(self.model_dump(exclude={"channel"}))

    def __init__(self, params: Params, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        self.params = params
        self._source = Lsci(params.source, device=device)
        slices = load_channel_slices(model_dir(params.channel) / "weights.safetensors")
        if slices.shape.code_channels != self._source.shape.code_channels:
            raise CodecError(
                f"codec lsci_channel: {params.channel} is for codes of {slices.shape.code_channels} channels; "
                f"lsci/{params.model} makes codes of {self._source.shape.code_channels}"
            )
        self._fading = slices.shape.fading
        self._channel = slices.shape.channel()
        self._sender, self._receiver = slices.encoder.to(self.device), slices.decoder.to(self.device)

    # ------------------------------------------------------------------ slices and costs

    @cached_property
    def encoder_slices(self) -> tuple[Slice, ...]:
        """What the source's encoder takes, and Ce."""
        tensors = inference_tensors(self._sender)
        sender = make_slice(f"{self.params.channel}/encoder", "encoder", tensors, precision="float16")
        return (*self._source.encoder_slices, sender)

    @cached_property
    def decoder_slices(self) -> tuple[Slice, ...]:
        tensors = inference_tensors(self._receiver)
        name = f"{self.params.channel}/decoder"
        return (*self._source.decoder_slices, make_slice(name, "decoder", tensors, precision=self.params.precision))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self._source.image_shape

    @cached_property
    def encode_flop(self) -> int:
        """Ce runs once for each pass."""
        channels, *size = self._source.code_shape
        return self._source.encode_flop + 2 * flop_per_image(self._sender, (2 * channels, *size))

    @cached_property
    def decode_flop(self) -> int:
        channels, *size = self._source.code_shape
        return self._source.decode_flop + flop_per_image(self._receiver, (2 * channels, *size))

    @property
    def analog(self) -> Analog:
        return Analog(
            Uses(self._n_value, self._n_value // 2), FADINGS[self._fading], self._channel.forward_channel.channel
        )

    @property
    def _n_value(self) -> int:
        return math.prod(self._source.code_shape)

    # ------------------------------------------------------------------ coding

    def encode(self, images: Tensor) -> list[bytes]:
        """The base layer's symbols, from which the sender makes what it sends."""
        return self._source.encode(images)

    def over_air(self, codes: Sequence[bytes], each: Sequence[OnAir]) -> list[bytes]:
        """What both passes bring, equalised: 2C·h·w float32 values."""
        n_centres = self._source.shape.n_centres
        self._check_codes(codes, n_byte=radix_n_byte(self._n_value, n_centres))
        symbols = np.stack([radix_unpack(c, self._n_value, n_centres) for c in codes])
        own = self._source.tensors_of(self._source.decoder_slices)
        quantised = self._source.quantised(symbols.reshape(-1, *self._source.code_shape), own)
        got = []
        chunk = chunk_for(self.image_shape)
        for start in range(0, len(codes), chunk):
            some, airs = quantised[start : start + chunk], list(each[start : start + chunk])
            n = len(some)
            airs += airs[-1:] * (chunk - n)
            some = torch.cat([some, some[-1:].expand(chunk - n, *some.shape[1:])])
            got.append(self._exchange(some, airs)[:n])
        return [features.numpy(force=True).tobytes() for features in torch.cat(got)]

    @torch.inference_mode()
    def _exchange(self, quantised: Tensor, each: Sequence[OnAir]) -> Tensor:
        uses = self.analog.uses
        draws = FeedbackDraws(forward_draws(each, uses.forward), reverse_draws(each, uses.reverse))
        esno, reverse_esno = torch.tensor([(air.esno, air.reverse_esno) for air in each], device=self.device).T
        features: Tensor = self._channel(quantised, self._sender, esno, reverse_esno, draws).features
        return features

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        channels, height, width = self._source.code_shape
        self._check_codes(codes, n_byte=2 * self._n_value * 4)
        of_source = {s.name for s in self._source.decoder_slices}
        of_channel = [s for s in slices if s.name not in of_source]
        take_over_all(self.name, {f"{self.params.channel}/decoder": self._receiver}, of_channel)
        values = np.stack([np.frombuffer(code, np.float32) for code in codes])
        features = torch.from_numpy(values).to(self.device).reshape(-1, 2 * channels, height, width)
        received = in_chunks(self._receiver, features, chunk_for(self.image_shape))
        return self._source.generate(received, self._source.tensors_of([s for s in slices if s.name in of_source]))
