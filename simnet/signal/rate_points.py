"""Rate, distortion and SS of codecs at many settings, over one data set: no network, no channel.

``points.yaml``::

    data_set: camvid_small
    split: test                     # or sample, which is shipped
    judge: segmenter/street_judge
    features: segmenter/street_parser
    second_judge: segmenter/street_parser    # its mIoU and SS too; may be left out
    detector: detector/street       # its mAP too; may be left out
    distribution: true              # FID and KID of the features too; may be left out
    codecs:
      jpeg: {kind: jpeg, image_shape: [3, 96, 128], quality: 1}
    vary:                           # one point per value; dots lead into a codec's settings
      jpeg: {quality: [1, 5, 10]}
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from simnet.codecs.base import Codec, CodecParams
from simnet.core.errors import SimnetError
from simnet.core.plugins import KINDS
from simnet.core.zoo import model_dir
from simnet.data.base import ImageSet, Split
from simnet.scenario.plugin_field import PluginField
from simnet.signal.decoded import decoded
from simnet.signal.originals import Originals, batches
from simnet.signal.other_judges import DetectionJudge, Distribution, SecondJudge
from simnet.signal.points_file import in_words, read_points_file
from simnet.tasks.networks import load_segmenter
from simnet.tasks.networks.detector import load_detector
from simnet.tasks.networks.segmenter import Segmenter

OtherJudge = DetectionJudge | Distribution | SecondJudge


class Points(BaseModel):
    """The content of a ``points.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_set: str
    split: Split = "test"
    judge: str
    features: str
    second_judge: str | None = None
    detector: str | None = None
    distribution: bool = False
    codecs: dict[str, dict[str, Any]] = Field(min_length=1)
    vary: dict[str, dict[str, list[Any]]] = {}


def read_points(path: Path) -> Points:
    """The points of a file.

    Raises:
        SimnetError: not readable, or a key is missing, unknown or wrong.
    """
    points = read_points_file(path, Points)
    if unknown := sorted(set(points.vary) - set(points.codecs)):
        raise SimnetError(f"{path}: vary: got {', '.join(unknown)}; allowed {', '.join(points.codecs)}")
    for codec, varied in points.vary.items():
        for key, values in varied.items():
            if not values:
                raise SimnetError(f"{path}: vary.{codec}.{key}: got no values; allowed a list of at least one")
            _check_path(f"{path}: vary.{codec}", points.codecs[codec], key)
    return points


def _check_path(where: str, described: Mapping[str, Any], key: str) -> None:
    """Dots lead into settings that have settings of their own."""
    inner: Any = described
    *steps, _ = key.split(".")
    for i, step in enumerate(steps):
        inner = inner.get(step, {})
        if not isinstance(inner, Mapping):
            way = ".".join(steps[: i + 1])
            raise SimnetError(f"{where}: got {key!r}, but {way} is {inner!r} and has no settings; allowed {way!r}")


def measure_points(
    points: Points, where: str, *, data_root: Path | None = None, tell: Callable[[str], None] = lambda name: None
) -> Iterator[dict[str, Any]]:
    """One row per point: ``codec``, ``setting``, its rate and what :meth:`Originals.measured` says, and those of
    :mod:`simnet.signal.other_judges` that the file names.

    ``bpp`` counts whole codes, ``bpp_stripped`` leaves out what is equal for all pictures. ``decoder_byte``: what must
    have travelled before.

    Args:
        where: the file's name, for errors.
        data_root: folder of the data sets.
        tell: is called with the name of each point that is begun.

    Raises:
        SimnetError: a setting isn't allowed, or data or models are missing.
    """
    data = KINDS["data"].load(points.data_set)()
    images = data.load(points.split, data_root)
    if images.labels.ndim == 1:
        raise SimnetError(f"{where}: data_set: got {points.data_set!r} with a label per image; allowed: one per pixel")
    judge, features = (load_segmenter(model_dir(m) / "weights.safetensors") for m in (points.judge, points.features))
    settings = list(_settings(points))
    codecs = [_codec(where, name, described) for name, _, described in settings]  # errors come before the work
    for (name, _, _), codec in zip(settings, codecs, strict=True):
        if codec.analog is not None:
            raise SimnetError(f"{where}: codecs.{name}: its codes are symbols; allowed: codecs whose codes are bytes")
    originals, others = Originals.of(images, judge, features), _other_judges(points, images, features)
    pixel = images.images.shape[2] * images.images.shape[3] * len(images)
    for (name, setting, _), codec in zip(settings, codecs, strict=True):
        tell(f"{name} {setting}".rstrip())
        codes, recovered = _through(codec, images)
        quality = originals.measured(recovered)
        for other in others:
            quality |= other.held_against(recovered)
        n_byte, n_header = sum(map(len, codes)), sum(codec.header_byte(code) for code in codes)
        yield {
            "codec": name,
            "setting": setting,
            "bpp": round(8 * n_byte / pixel, 5),
            "bpp_stripped": round(8 * (n_byte - n_header) / pixel, 5),
            "code_byte": round(n_byte / len(codes), 2),
            "decoder_byte": sum(s.n_byte for s in codec.decoder_slices),
            **quality,
            "encode_flop": codec.encode_flop,
            "decode_flop": codec.decode_flop,
        }


def _through(codec: Codec, images: ImageSet) -> tuple[list[bytes], Tensor]:
    """Codes of pictures, and what comes back from them."""
    codes: list[bytes] = []
    recovered = []
    for batch, _ in batches(images):
        coded = codec.encode(batch)
        codes.extend(coded)
        recovered.append(decoded(codec, coded, codec.decoder_slices, batch.shape[1:]))
    return codes, torch.cat(recovered)


def _other_judges(points: Points, images: ImageSet, features: Segmenter) -> list[OtherJudge]:
    others: list[OtherJudge] = []
    if points.second_judge is not None:
        others.append(SecondJudge.of(images, load_segmenter(model_dir(points.second_judge) / "weights.safetensors")))
    if points.detector is not None:
        others.append(DetectionJudge.of(images, load_detector(model_dir(points.detector) / "weights.safetensors")))
    if points.distribution:
        others.append(Distribution.of(images, features))
    return others


def _settings(points: Points) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Codec, setting in words, and the codec's description."""
    for name, described in points.codecs.items():
        varied = points.vary.get(name, {})
        if not varied:
            yield name, "", described
        for key, values in varied.items():
            for value in values:
                changed = copy.deepcopy(described)
                *path, last = key.split(".")
                inner = changed
                for step in path:
                    inner = inner.setdefault(step, {})
                inner[last] = value
                yield name, f"{last} {value}", changed


def _codec(where: str, name: str, described: Mapping[str, Any]) -> Codec:
    try:
        return codec_of(described)
    except ValidationError as error:
        raise SimnetError(f"{where} codecs.{name}: {in_words(error, _params_of(described), described)}") from error


def codec_of(described: Mapping[str, Any]) -> Codec:
    """The codec of a mapping with its ``kind`` and settings, as they stand in YAML.

    Raises:
        ValidationError: no such kind, or a setting that isn't allowed.
    """
    spec = PluginField(KINDS["codecs"]).validate(described)
    codec: Codec = KINDS["codecs"].load(spec.kind)(spec.params)
    return codec


def _params_of(described: Mapping[str, Any]) -> type[BaseModel]:
    kind = described.get("kind")
    params: type[BaseModel] = KINDS["codecs"].load(kind).Params if kind in KINDS["codecs"].names() else CodecParams
    return params
