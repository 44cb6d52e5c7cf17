"""Nothing travels: a consumer without the decoder gets no image, unless a classical codec serves it."""

from __future__ import annotations

from simnet.net.propagation.base import Propagation


class NoPropagation(Propagation):
    """Slices stay where they are."""

    may_fetch = False
