"""Settings of every test: one thread, and the same hypothesis examples each time."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported anywhere

settings.register_profile("simnet", derandomize=True, deadline=None)
settings.load_profile("simnet")
