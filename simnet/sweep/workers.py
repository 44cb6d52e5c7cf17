"""Where runs are made: what the processes of this machine and the workers of a cluster have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from simnet.sweep.job import Job, Outcome

ATTEMPTS = 3
"""A run whose worker dies is made again, so often in all; then the run has failed."""

Task = Callable[[Job, Path], Outcome]
"""What a worker does with a job, and the folder where what nobody misses may lie meanwhile."""


class Workers(Protocol):
    """Takes jobs and gives outcomes, in whatever order they come."""

    n: int
    """Runs that are made at a time."""
    remote: bool
    """Whether workers may see none of this machine's files."""

    def submit(self, job: Job) -> None:
        """Have a run made; returns at once."""

    def next(self) -> tuple[Job, Outcome]:
        """Wait for the next outcome of a job that was submitted."""

    def close(self) -> None:
        """End the workers; what they are at is lost."""
