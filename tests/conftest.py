"""Settings of every test: one thread, and the same hypothesis examples each time."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported anywhere



def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by length: gzip puts the time into them, and parallel workers must agree on the names."""
    return f"{argname}-{len(val)}B" if isinstance(val, bytes) else None


settings.register_profile("simnet", derandomize=True, deadline=None)
settings.load_profile("simnet")
