"""RL-ASC: semantic concepts, each at the quantisation level that its class deserves (Huang et al.; paper 004).

A code has the label map at an eighth of the size, a level for each concept that is there, and the Huffman codes of the
features inside each concept's mask. Which heads a receiver needs follows from the map: who only ever sees roads and
cars never fetches the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor, nn

from simnet.codecs.base import Codec, CodecError, CodecParams, OfColour
from simnet.codecs.entropy.concepts import ConceptFormat, Concepts
from simnet.codecs.entropy.huffman import HuffmanError
from simnet.codecs.entropy.static import EntropyError
from simnet.codecs.entropy.whole_map import WholeMaps
from simnet.codecs.networks.parts import slice_of, transposed_axes
from simnet.codecs.networks.rlasc import LEVELS, STRIDE, load_rlasc, shrunk
from simnet.codecs.networks.rlasc_agent import act, load_agent
from simnet.core.zoo import model_dir
from simnet.data.street_classes import STREET_CLASSES
from simnet.tasks.flops import flop_of
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.weights import inference_tensors, take_over
from simnet.wire.slices import Precision, Slice, make_slice

HEAD = "/head/"
TABLES, MAP_TABLE, CENTRES = "tables", "map_table", "centres."
BESIDE = (TABLES, MAP_TABLE, CENTRES)
"""Tensors that lie beside weights in slices."""
Level = Annotated[int, Field(ge=1, le=len(LEVELS))]


class Rlasc(Codec):
    """One model; levels by the agent at a price, by the class, or the same for all."""

    semantic = True
    by_content = True

    class Params(CodecParams):
        """``model``: name in the zoo's family ``rlasc``. ``segmenter``: zoo name of F, which only senders have.

        ``agent``: zoo name of the agent that chooses levels, at ``price`` λ per bit per pixel; null: every concept is
        coded at ``level`` (1 … 6; 6 is the paper's simplified variant), but for the classes of ``levels``.
        ``label_map``: ``eighth`` of the picture's size along each axis, as the features have; or ``full``: then masks
        of concepts are as sharp as F sees them. ``tables``: Huffman tables lie in the heads' slices, or each code
        brings those that it uses.
        ``precision``: of the receiver's weights.
        """

        model: Annotated[str, Field(min_length=1)] = "street"
        image_shape: Annotated[
            tuple[int, Annotated[int, Field(ge=32, le=2048)], Annotated[int, Field(ge=32, le=2048)]], OfColour
        ] = (3, 96, 128)
        segmenter: str = "segmenter/street_parser"
        agent: str | None = None
        price: Annotated[float, Field(gt=0)] = 0.4
        level: Level = len(LEVELS)
        levels: dict[str, Level] = Field(default_factory=dict)
        label_map: Literal["eighth", "full"] = "eighth"
        tables: Literal["model", "code"] = "model"
        precision: Precision = "int8"

        @model_validator(mode="after")
        def _check(self) -> Self:
            if any(side % STRIDE for side in self.image_shape[1:]):
                raise ValueError(
                    f"image_shape: got {list(self.image_shape)}; allowed sides that are multiples of {STRIDE}"
                )
            if unknown := set(self.levels) - set(STREET_CLASSES):
                raise ValueError(f"levels: got {', '.join(sorted(unknown))}; allowed {', '.join(STREET_CLASSES)}")
            if self.agent is not None and self.levels:
                raise ValueError("levels: the agent chooses them; leave it or them out")
            return self

        def models(self) -> dict[str, str]:
            named = {"model": f"rlasc/{self.model}", "segmenter": self.segmenter}
            return named | ({} if self.agent is None else {"agent": self.agent})

    def __init__(self, params: Params, *, device: str = "cpu") -> None:
        super().__init__(params, device=device)
        self.params = params
        self._name = f"rlasc/{params.model}"
        networks, tables, map_table = load_rlasc(model_dir(self._name) / "weights.safetensors")
        self._networks, self._received = networks.to(self.device), deepcopy(networks.decoder).to(self.device)
        self._tables, self._map_table = tables.numpy(), map_table.numpy()
        self._segmenter = load_segmenter(model_dir(params.segmenter) / "weights.safetensors").to(self.device)
        self._agent = None
        if params.agent is not None:
            self._agent = load_agent(model_dir(params.agent) / "weights.safetensors").to(self.device)
        self.shape = networks.shape
        self._classes = STREET_CLASSES[: self.shape.n_classes]
        self._check_models()

    def _check_models(self) -> None:
        """The others of the zoo's models are for this one."""
        wanted, n_classes = self.shape, self._segmenter.n_classes
        if n_classes != wanted.n_classes:
            raise CodecError(
                f"codec rlasc: segmenter: {self.params.segmenter} knows {n_classes} classes; "
                f"{self._name} allows {wanted.n_classes}"
            )
        if self._agent is not None:
            got = self._agent.shape
            if (got.code_channels, got.n_classes) != (wanted.code_channels, wanted.n_classes):
                agent = self.params.agent
                raise CodecError(f"codec rlasc: agent: {agent} was trained for another model than {self._name}")

    # ------------------------------------------------------------------ slices

    @cached_property
    def encoder_slices(self) -> tuple[Slice, ...]:
        """Encoder and F; with an agent also the agent, and the decoder, whose pictures it looks at."""
        slices = (
            slice_of(f"{self._name}/encoder", self._networks.encoder, "encoder"),
            slice_of(self.params.segmenter, self._segmenter, "encoder"),
        )
        if self._agent is None:
            return slices
        return (*slices, slice_of(str(self.params.agent), self._agent, "encoder"), *self.decoder_slices)

    @cached_property
    def decoder_slices(self) -> tuple[Slice, ...]:
        """``trunk``, one ``head/<class>`` each, ``global`` and ``attention``."""
        decoder = self._networks.decoder
        centres = zip(LEVELS, self._networks.quantiser.centres, strict=True)
        beside = {f"{CENTRES}{n}": c.numpy(force=True) for n, c in centres}
        trunk = self._slice("trunk", decoder.local, beside | {MAP_TABLE: self._map_table})
        heads = (
            self._slice(f"head/{name}", head, {TABLES: table}, (trunk.id,))
            for name, head, table in zip(self._classes, decoder.heads, self._tables, strict=True)
        )
        return (trunk, *heads, self._slice("global", decoder.whole), self._slice("attention", decoder.attention))

    def _slice(
        self, part: str, network: nn.Module, beside: Mapping[str, NDArray[Any]] = MappingProxyType({}),
        requires: tuple[str, ...] = (),
    ) -> Slice:  # fmt: skip
        tensors = inference_tensors(network) | dict(beside)
        return make_slice(
            f"{self._name}/{part}", "decoder", tensors, precision=self.params.precision, requires=requires,
            channel_axis=transposed_axes(network),
        )  # fmt: skip

    def needed(self, code: bytes) -> tuple[Slice, ...]:
        """All but the heads of classes that the picture doesn't show."""
        label_map = self._format.read_map(code, self._map_table)
        there = {f"{self._name}{HEAD}{self._classes[label]}" for label in np.unique(label_map)}
        return tuple(s for s in self.decoder_slices if HEAD not in s.name or s.name in there)

    def explained(self, code: bytes) -> tuple[Concepts, NDArray[np.int64]]:
        """What a code of :meth:`encode` holds, and the bits of each class's features [M], with ``tables: model``."""
        own = dict(enumerate(self._tables))
        concepts = self._format.read(code, own, self._map_table)
        return concepts, self._format.spent(concepts, own)

    # ------------------------------------------------------------------ costs

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.params.image_shape

    @property
    def _grid(self) -> tuple[int, int]:
        """(h, w) of the features."""
        return self.params.image_shape[1] // STRIDE, self.params.image_shape[2] // STRIDE

    @cached_property
    def encode_flop(self) -> int:
        """With an agent: of as many looks and partial decodings as there are classes, the most that a picture takes."""
        networks, image = self._networks, torch.zeros(1, *self.image_shape, device=self.device)
        once = flop_of(lambda: (networks.encoder(image), self._segmenter(image)))
        agent = self._agent
        if agent is None:
            return once
        return once + flop_of(lambda: act(agent, networks, *self._all_classes(), 1.0))

    @cached_property
    def decode_flop(self) -> int:
        """Of a picture that shows all classes, the most that one takes."""
        return flop_of(lambda: self._networks.decoder(*self._all_classes()))

    def _all_classes(self) -> tuple[Tensor, Tensor]:
        """Features [1, n, h, w] and a label map that names every class (if it has as many places)."""
        h, w = self._grid
        label_map = torch.arange(h * w, device=self.device).view(1, h, w) % self.shape.n_classes
        return torch.zeros(1, self.shape.code_channels, h, w, device=self.device), label_map

    # ------------------------------------------------------------------ encoding

    def encode(self, images: Tensor) -> list[bytes]:
        own = dict(enumerate(self._tables))
        return [self._format.write(concepts, own, self._map_table) for concepts in self._concepts(images)]

    def encode_raw(self, images: Tensor) -> list[bytes]:
        return [self._format.write_raw(concepts) for concepts in self._concepts(images)]

    @cached_property
    def _format(self) -> ConceptFormat:
        own_tables = self.params.tables == "code"
        n, n_classes = self.shape.code_channels, self.shape.n_classes
        whole_maps = None
        if self.params.label_map == "full":
            whole_maps = WholeMaps(self.image_shape[1:], n_classes, self._shrunk)
        return ConceptFormat(self._grid, n, n_classes, LEVELS, own_tables=own_tables, whole_maps=whole_maps)

    def _shrunk(self, whole_map: NDArray[np.int64]) -> NDArray[np.int64]:
        label_map: NDArray[np.int64] = shrunk(torch.from_numpy(whole_map)[None], self.shape.n_classes)[0].numpy()
        return label_map

    @torch.inference_mode()
    def _concepts(self, images: Tensor) -> list[Concepts]:
        """Networks see one picture at a time, so that its code doesn't depend on others."""
        self._check_images(images)
        found = []
        for i in range(len(images)):
            image = images[i : i + 1].to(self.device)
            features = self._networks.encoder(image)
            whole_map = self._segmenter(image).argmax(1)
            label_map = shrunk(whole_map, self.shape.n_classes)
            levels = self._levels(features, label_map)
            symbols = {}
            for label in torch.unique(label_map).tolist():
                values = features[0][:, label_map[0] == label]
                symbols[label] = self._networks.quantiser.symbols(values, int(levels[label])).cpu().numpy()
            sent = whole_map[0].cpu().numpy() if self.params.label_map == "full" else None
            found.append(Concepts(label_map[0].cpu().numpy(), levels, symbols, sent))
        return found

    def _levels(self, features: Tensor, label_map: Tensor) -> NDArray[np.int64]:
        """Index of each class's level, [M]."""
        if self._agent is None:
            by_class = self.params.levels
            return np.array([by_class.get(name, self.params.level) - 1 for name in self._classes])
        chosen = act(self._agent, self._networks, features, label_map, self.params.price)
        levels: NDArray[np.int64] = chosen[0].cpu().numpy()
        return levels

    # ------------------------------------------------------------------ decoding

    def decode(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._check_codes(codes)
        beside = self._take_over(slices)
        concepts = []
        for code in codes:
            try:
                concepts.append(self._format.read(code, beside.tables, beside.map_table))
            except KeyError as missing:
                (label,) = missing.args
                raise CodecError(
                    f"codec rlasc: decoder slices: the picture shows {self._classes[label]}, whose head is missing"
                ) from missing
            except (EntropyError, HuffmanError) as error:
                raise CodecError(f"codec rlasc: {error}; is it another codec's?") from error
        return torch.cat([self._image(each, beside) for each in concepts])

    def decode_raw(self, codes: Sequence[bytes], slices: Sequence[Slice] = ()) -> Tensor:
        self._check_codes(codes)
        beside = self._take_over(slices)
        return torch.cat([self._image(self._format.read_raw(code), beside) for code in codes])

    def _take_over(self, slices: Sequence[Slice]) -> _Beside:
        """Received weights into the receiver's networks; what lies beside them in the slices is given back."""
        allowed = {s.name: {k: v.shape for k, v in s.tensors.items()} for s in self.decoder_slices}
        got = {s.name: s for s in slices}
        always = {name for name in allowed if HEAD not in name}
        if unknown := got.keys() - allowed.keys() or always - got.keys():
            raise CodecError(
                f"codec rlasc: decoder slices: got {', '.join(got) or 'none'}; allowed {', '.join(allowed)}, "
                f"and heads alone may be missing (wrong: {', '.join(sorted(unknown))})"
            )
        tables, trunk = {}, got[f"{self._name}/trunk"].tensors
        for name, received in got.items():
            if {k: v.shape for k, v in received.tensors.items()} != allowed[name]:
                raise CodecError(f"codec rlasc: slice {name}: its tensors aren't this model's (another version?)")
            part = name.removeprefix(f"{self._name}/")
            take_over(self._part(part), {k: v for k, v in received.tensors.items() if not k.startswith(BESIDE)})
            if HEAD in name:
                tables[self._classes.index(part.removeprefix("head/"))] = received.tensors[TABLES]
        centres = tuple(torch.from_numpy(trunk[f"{CENTRES}{n}"].astype(np.float32)).to(self.device) for n in LEVELS)
        return _Beside(tables, trunk[MAP_TABLE], centres)

    def _part(self, name: str) -> nn.Module:
        """The receiver's network of a slice."""
        decoder = self._received
        if name.startswith("head/"):
            return decoder.heads[self._classes.index(name.removeprefix("head/"))]
        return {"trunk": decoder.local, "global": decoder.whole, "attention": decoder.attention}[name]

    @torch.inference_mode()
    def _image(self, concepts: Concepts, beside: _Beside) -> Tensor:
        """[1, 3, H, W]."""
        where = torch.from_numpy(concepts.label_map).to(self.device)
        quantised = torch.empty(self.shape.code_channels, *self._grid, device=self.device)
        for label, values in concepts.symbols.items():
            chosen = torch.from_numpy(values).to(self.device)
            quantised[:, where == label] = beside.centres[concepts.levels[label]][chosen]
        whole = None if concepts.whole_map is None else torch.from_numpy(concepts.whole_map).to(self.device)[None]
        image: Tensor = self._received(quantised[None], where[None], sorted(beside.tables), whole)
        return image


@dataclass(frozen=True)
class _Beside:
    """What received slices hold beside weights: Huffman lengths by class, the label map's table, centres by level."""

    tables: Mapping[int, NDArray[np.uint8]]
    map_table: NDArray[np.uint8]
    centres: tuple[Tensor, ...]
