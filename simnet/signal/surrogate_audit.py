"""The audit of surrogates: what networks give on other images, held against what was drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simnet.core.streams import uniform
from simnet.signal.surrogates import SurrogateProfile
from simnet.statistics.replications import t_factor

if TYPE_CHECKING:
    from simnet.signal.plane import SignalPlane


def audit_report(plane: SignalPlane) -> dict[str, Any]:
    """Mean SS of audited measurements, and of as many catalogue images of the types that they are like, which the
    networks of the same codecs encode and decode; means over what the judge was sure of.

    Returns:
        ``measurements``, ``n_neural``, ``n_surrogate``: audited, and of them those with an SS. ``ss_neural``,
        ``ss_surrogate``, ``difference`` (surrogate − neural) and ``half_width`` of its 95 % interval, in which
        images are independent, not measurements; null where there are too few.
    """
    surrogates = plane.surrogates
    drawn: list[float | None] = []
    run, rows, images = [], [], []
    for item_id, codec in sorted(surrogates.audited, key=lambda each: (each[0], each[1].name)):
        like = surrogates.like(surrogates.type_of[item_id])
        source, original = plane.sources[like], codec.original if isinstance(codec, SurrogateProfile) else codec
        share = uniform(surrogates.seed, "surrogate audit image", item_id, codec.name)
        image = source.first_item_id + int(share * len(source.items))
        code = plane.result(plane.encode(image, original.name)).data
        run.append(plane.measure(image, original.name, code, original.decoder_slices))
        images.append(image)
        drawn.append(codec.calibration(like).measured[surrogates.row(item_id)].ss)
        rows.append(f"{like} {surrogates.row(item_id)}")
    neural = _mean([plane.result(ticket).ss for ticket in run], images)
    surrogate = _mean(drawn, rows)
    difference = half_width = None
    if neural.value is not None and surrogate.value is not None:
        difference = surrogate.value - neural.value
        if (n_least := min(neural.n_cluster, surrogate.n_cluster)) > 1:
            half_width = t_factor(n_least) * math.sqrt(neural.variance + surrogate.variance)
    return {
        "measurements": len(drawn),
        "n_neural": neural.n,
        "n_surrogate": surrogate.n,
        "ss_neural": neural.value,
        "ss_surrogate": surrogate.value,
        "difference": difference,
        "half_width": half_width,
    }


@dataclass(frozen=True)
class _Mean:
    """A mean over values that come in clusters. ``variance``: of the mean; 0 for fewer than two clusters."""

    value: float | None
    variance: float
    n: int
    n_cluster: int


def _mean(values: Sequence[float | None], clusters: Sequence[object]) -> _Mean:
    """Mean of the values that are not None."""
    known = [(value, cluster) for value, cluster in zip(values, clusters, strict=True) if value is not None]
    if not known:
        return _Mean(None, 0.0, 0, 0)
    y: NDArray[np.float64] = np.array([value for value, _ in known])
    _, label = np.unique([str(cluster) for _, cluster in known], return_inverse=True)
    n_cluster = int(label.max()) + 1
    residuals = np.bincount(label, y - y.mean())
    correction = n_cluster / (n_cluster - 1) if n_cluster > 1 else 0.0
    return _Mean(float(y.mean()), float((residuals**2).sum()) / len(y) ** 2 * correction, len(y), n_cluster)
