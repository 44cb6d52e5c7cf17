"""What is wrong with a run folder."""

from __future__ import annotations

from simnet.core.errors import SimnetError


class RunError(SimnetError):
    """A run folder that cannot be reported on: incomplete, or a file is missing or damaged."""
