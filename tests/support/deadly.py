"""A worker's task that may kill its worker; imports next to nothing, for every worker imports it anew."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from simnet.sweep.job import Failed, Job, Outcome


def echo_or_die(job: Job, scratch: Path) -> Outcome:
    """A worker's task: gives the job's id back, but jobs called ``deadly…`` kill their worker, as out of memory does.

    ``deadly once`` does so only while the scratch folder holds no note of it.
    """
    note = scratch / "died"
    if job.id == "deadly" or (job.id == "deadly once" and not note.exists()):
        note.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Failed(job.id, f"{os.getpid()} with {os.environ['OMP_NUM_THREADS']} thread")
