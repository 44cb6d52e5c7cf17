"""What a user of results can mend."""

from __future__ import annotations

from simnet.core.errors import SimnetError


class ResultsError(SimnetError):
    """A folder that holds no results, or a question that they don't answer."""
