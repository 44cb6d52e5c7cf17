"""Which links a learned channel coder is for."""

from __future__ import annotations

from simnet.core.fading import FadingKind

FADINGS: dict[str, tuple[FadingKind, ...]] = {
    "awgn": ("none",),
    "rayleigh_block": ("rayleigh", "rician", "clarke"),
    "rayleigh_fast": ("rayleigh_fast", "rician_fast"),
}
"""Channel that it was trained for -> kinds of fading of the links whose symbols it can take."""
