"""SE-SC: only the features that a task needs go on the air, as symbols; a mask before them says which (paper 002)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from simnet.codecs.base import Codec, CodecError, CodecParams, OfColour
from simnet.codecs.networks.chunks import chunk_for, in_chunks
from simnet.codecs.networks.parts import slice_of, take_over_all
from simnet.codecs.networks.sesc import Importance, load_sesc, most_important
from simnet.codecs.networks.sesc_importance import EntropyModel, load_importance, weights_by
from simnet.core.zoo import model_dir
from simnet.phy.learned.links import FADINGS
from simnet.phy.learned.on_air import Analog, OnAir, Uses, received_symbols
from simnet.phy.learned.power import normalise_power
from simnet.tasks.flops import flop_of, flop_per_image
from simnet.tasks.networks.task_network import load_task_network
from simnet.wire.slices import Precision, Slice

Side = Annotated[int, Field(ge=16, le=1024)]


class Sesc(Codec):
    """A fixed number of features, those of the largest weights: μ is raised until the rate fits, image by image.

    The receiver holds two slices: ``input``, the layer at the channel and the shared feature, and ``decoder``. At the
    sender the task's own network and the importance network choose; another task needs other two. An entropy model in
    their place needs no task.
    """

    semantic = True

    class Params(CodecParams):
        """``model``: name in the zoo's family ``sesc``. ``features``: how many are sent, of the model's; None: all.

        ``importance``: zoo name of what says how much a feature matters, of family ``sesc_importance``; None: the
        network that was trained with the model. ``task``: zoo name of the task's network whose features it reads; None
        with an entropy model, which reads none. ``precision``: of the receiver's weights.
        """

        model: Annotated[str, Field(min_length=1)] = "street"
        image_shape: Annotated[tuple[int, Side, Side], OfColour] = (3, 96, 128)
        features: Annotated[int, Field(ge=1)] | None = None
        importance: str | None = None
        task: str | None = "segmenter/street_parser"
        precision: Precision = "int8"

        def models(self) -> dict[str, str]:
            named = {"importance": self.importance, "task": self.task}
            return {"model": f"sesc/{self.model}", **{key: name for key, name in named.items() if name is not None}}

    def __init__(self, params: Params, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        self.params = params
        self._name = f"sesc/{params.model}"
        self._networks = load_sesc(model_dir(self._name) / "weights.safetensors").to(self.device)
        self._importance = self._loaded_importance().to(self.device)
        self._task = None
        if params.task is not None:
            self._task = load_task_network(model_dir(params.task) / "weights.safetensors").to(self.device)
        self.shape = self._networks.shape
        if params.image_shape[1:] != self.shape.size:
            raise CodecError(
                f"codec sesc: image_shape: got {list(params.image_shape)}; {self._name} allows {[3, *self.shape.size]}"
            )
        self._n_sent = self.shape.n_features if params.features is None else params.features
        if self._n_sent > self.shape.n_features:
            raise CodecError(
                f"codec sesc: features: got {self._n_sent}; {self._name} allows 1..{self.shape.n_features}"
            )
        self._channel = self.shape.channel()

    def _loaded_importance(self) -> Importance | EntropyModel:
        """Of this model and the task.

        Raises:
            CodecError: it is for another model or task.
        """
        params = self.params
        if params.importance is None:
            if params.task is None:
                raise CodecError(f"codec sesc: task: got None; the importance network of {self._name} needs one")
            return self._networks.importance
        loaded = load_importance(model_dir(params.importance) / "weights.safetensors")
        for key, got, allowed in (("model", self._name, loaded.head.codec), ("task", params.task, loaded.head.task)):
            if got != allowed:
                raise CodecError(f"codec sesc: {key}: got {got}; importance {params.importance} allows {allowed}")
        return loaded.network

    # ------------------------------------------------------------------ slices and costs

    @cached_property
    def encoder_slices(self) -> tuple[Slice, ...]:
        """The features' encoder, the importance network, and the task's, whose features that reads."""
        importance = self.params.importance or f"{self._name}/importance"
        parts: dict[str, nn.Module] = {f"{self._name}/encoder": self._networks.sender, importance: self._importance}
        if self.params.task is not None and self._task is not None:
            parts[self.params.task] = self._task
        return tuple(slice_of(name, network, "encoder") for name, network in parts.items())

    @cached_property
    def decoder_slices(self) -> tuple[Slice, ...]:
        return tuple(slice_of(name, part, "decoder", self.params.precision) for name, part in self._parts.items())

    @property
    def _parts(self) -> dict[str, nn.Module]:
        """The receiver's, by the names of their slices."""
        receiver = self._networks.receiver
        return {f"{self._name}/input": receiver.input, f"{self._name}/decoder": receiver.output}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.params.image_shape

    @cached_property
    def encode_flop(self) -> int:
        """Of the features, the task's network and the weights."""
        return flop_of(lambda: self._chosen_symbols(torch.zeros(1, *self.image_shape, device=self.device)))

    @cached_property
    def decode_flop(self) -> int:
        receiver, n, symbols = self._networks.receiver, self.shape.n_features, self.shape.symbols
        into = flop_per_image(receiver.input.from_symbols, (n, 2 * symbols))
        return into + flop_per_image(receiver.output, (n, self.shape.decoder_width))

    @cached_property
    def analog(self) -> Analog:
        uses = Uses(self._n_sent * self.shape.symbols)
        return Analog(uses, FADINGS[self.shape.fading], self._channel.channel, side_byte=self._n_mask)

    @property
    def _n_mask(self) -> int:
        """Bytes of the mask: a bit for each feature, none if all are sent."""
        return 0 if self._n_sent == self.shape.n_features else -(-self.shape.n_features // 8)

    # ------------------------------------------------------------------ coding

    def encode(self, images: Tensor) -> list[bytes]:
        """The mask, and the symbols that are sent: complex64, of mean power 1 per image."""
        self._check_images(images)
        if len(images) == 0:
            return []
        images, chunk = images.to(self.device), chunk_for(self.image_shape)
        n, c = self.shape.n_features, self.shape.symbols
        codes = []
        for chosen in in_chunks(self._chosen_symbols, images, chunk).cpu():
            mask = chosen[:, -1] > 0
            symbols = torch.view_as_complex(chosen[:, :-1].reshape(n, c, 2).contiguous())
            power_1 = normalise_power(symbols[mask].reshape(1, -1))
            codes.append(self._mask_bytes(mask.numpy()) + power_1.numpy().tobytes())
        return codes

    def _chosen_symbols(self, images: Tensor) -> Tensor:
        """[B, L_tot, 2 c + 1]: each feature's symbols, real and imaginary parts in turn; 1 if it is sent, else 0."""
        symbols = self._networks.sender(images)
        sent = most_important(weights_by(self._importance, images, symbols, self._task), self._n_sent)
        return torch.cat((torch.view_as_real(symbols).flatten(2), sent[..., None].float()), dim=2)

    def _mask_bytes(self, mask: NDArray[np.bool_]) -> bytes:
        return np.packbits(mask).tobytes() if self._n_mask else b""

    def over_air(self, codes: Sequence[bytes], each: Sequence[OnAir]) -> list[bytes]:
        """The mask as it was; symbols as received, equalised: complex64."""
        n_mask = self._n_mask
        self._check_codes(codes, n_byte=n_mask + 8 * self.analog.uses.forward)
        received = received_symbols(self._channel, [code[n_mask:] for code in codes], each)
        return [code[:n_mask] + symbols for code, symbols in zip(codes, received, strict=True)]

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._check_codes(codes, n_byte=self._n_mask + 8 * self.analog.uses.forward)
        take_over_all(self.name, self._parts, slices)
        n, c = self.shape.n_features, self.shape.symbols
        values = np.zeros((len(codes), n, 2 * c + 1), np.float32)
        for row, code in zip(values, codes, strict=True):
            mask = self._mask(code)
            got = np.frombuffer(code, np.complex64, offset=self._n_mask).reshape(self._n_sent, c)
            row[mask] = np.concatenate((got.real, got.imag, np.ones((self._n_sent, 1), np.float32)), axis=1)
        return in_chunks(self._images, torch.from_numpy(values).to(self.device), chunk_for(self.image_shape))

    def _mask(self, code: bytes) -> NDArray[np.bool_]:
        n = self.shape.n_features
        if not self._n_mask:
            return np.ones(n, np.bool_)
        mask = np.unpackbits(np.frombuffer(code, np.uint8, self._n_mask), count=n).astype(np.bool_)
        if mask.sum() != self._n_sent:
            raise CodecError(f"codec sesc: got a mask of {mask.sum()} features; allowed {self._n_sent}")
        return mask

    def _images(self, values: Tensor) -> Tensor:
        """Of [B, L_tot, 2 c + 1]: real parts, imaginary parts, whether sent."""
        images: Tensor = self._networks.receiver.of_values(values[..., :-1], values[..., -1])
        return images
