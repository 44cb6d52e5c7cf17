"""Label maps of the pictures' own size, as lossless WebP pictures: what they cost beside maps of an eighth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simnet.codecs.base import CodecError
from simnet.codecs.classical.pictures import read_picture, write_picture
from simnet.codecs.entropy.static import EntropyError

KIND = "WEBP"


class WholeMaps:
    """Codes maps of one size.

    Args:
        size: (H, W).
        n_classes: M.
        shrink: makes the map of the features' size [h, w] of a map [H, W].
    """

    def __init__(
        self, size: tuple[int, int], n_classes: int, shrink: Callable[[NDArray[np.int64]], NDArray[np.int64]]
    ) -> None:
        self.size, self._n_classes, self.shrink = size, n_classes, shrink

    def encode(self, label_map: NDArray[np.integer]) -> bytes:
        """A map [H, W] as a grey picture, file header and all."""
        grey = np.repeat(label_map[None].astype(np.uint8), 3, axis=0)
        return write_picture(grey, KIND, lossless=True, quality=100, method=6)

    def decode(self, code: bytes) -> NDArray[np.int64]:
        """The map.

        Raises:
            EntropyError: not such a picture, or of other classes.
        """
        try:
            grey = read_picture(code, KIND, (3, *self.size))
        except CodecError as error:
            raise EntropyError(f"label map: {error}") from error
        label_map: NDArray[np.int64] = grey[0].astype(np.int64)
        if (highest := int(grey.max())) >= self._n_classes:
            raise EntropyError(f"label map's code of {len(code)} bytes: it names class {highest} of {self._n_classes}")
        return label_map
