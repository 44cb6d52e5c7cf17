"""How much rate one codec saves over another, or how much quality it gains, averaged over what both reach.

G. Bjøntegaard, VCEG-M33, 2001, with piecewise cubic Hermite interpolation (as in HEVC's common test conditions), by the
package ``bjontegaard``. Quality may be any figure that rises with rate: PSNR gives BD-PSNR, mIoU gives BD-mIoU.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST_POINTS = 3


def bd_rate(anchor: ArrayLike, test: ArrayLike) -> float:
    """Mean difference in rate at equal quality, in per cent of the anchor's; negative: ``test`` needs less.

    Args:
        anchor, test: [N, 2] pairs of rate > 0 and quality. Points that a cheaper one of the same curve equals or beats
            are left out: a curve must rise.

    Raises:
        ValueError: fewer than three points of a curve remain, or the curves share no quality.
    """
    from bjontegaard import bd_rate as delta

    a, b = _rising("anchor", anchor), _rising("test", test)
    _overlap("quality", a[:, 1], b[:, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a small overlap, which :func:`overlap` tells
        return float(delta(*a.T, *b.T, method="pchip", require_matching_points=False))


def bd_quality(anchor: ArrayLike, test: ArrayLike) -> float:
    """Mean difference in quality at equal rate, in the quality's unit; positive: ``test`` is better.

    Args:
        anchor, test: as for :func:`bd_rate`.

    Raises:
        ValueError: fewer than three points of a curve remain, or the curves share no rate.
    """
    from bjontegaard import bd_psnr as delta

    a, b = _rising("anchor", anchor), _rising("test", test)
    _overlap("rate", a[:, 0], b[:, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return float(delta(*a.T, *b.T, method="pchip", require_matching_points=False))


def overlap(anchor: ArrayLike, test: ArrayLike) -> float:
    """Share of the span of both curves' qualities that both reach, in [0, 1]: what :func:`bd_rate` averages over."""
    a, b = _rising("anchor", anchor)[:, 1], _rising("test", test)[:, 1]
    shared = min(a.max(), b.max()) - max(a.min(), b.min())
    return float(max(0.0, shared) / (max(a.max(), b.max()) - min(a.min(), b.min())))


def _rising(name: str, curve: ArrayLike) -> NDArray[np.float64]:
    """The points by rising rate whose quality is above that of all cheaper ones."""
    points = np.asarray(curve, float)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all() or not (points[:, 0] > 0).all():
        raise ValueError(f"{name}: got shape {points.shape}; allowed [N, 2] finite pairs of rate > 0 and quality")
    points = points[np.lexsort((-points[:, 1], points[:, 0]))]
    best = np.concatenate(([-np.inf], np.maximum.accumulate(points[:, 1])[:-1]))
    points = points[points[:, 1] > best]
    if len(points) < LEAST_POINTS:
        raise ValueError(
            f"{name}: got {len(points)} points that rise; allowed at least {LEAST_POINTS}: measure more rates"
        )
    return points


def _overlap(what: str, a: NDArray[np.float64], b: NDArray[np.float64]) -> None:
    if min(a.max(), b.max()) <= max(a.min(), b.min()):
        raise ValueError(
            f"curves that share no {what}: anchor {a.min():g} to {a.max():g}, test {b.min():g} to {b.max():g}; "
            "measure rates at which both lie"
        )
