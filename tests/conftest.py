"""Settings of every test: one thread, the same random tensors and the same hypothesis examples each time."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported anywhere


@pytest.fixture(autouse=True)
def _same_random_tensors() -> None:
    """What a test draws without a seed doesn't depend on the tests before it."""
    import torch

    torch.manual_seed(0)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by length: gzip puts the time into them, and parallel workers must agree on the names."""
    return f"{argname}-{len(val)}B" if isinstance(val, bytes) else None


settings.register_profile("simnet", derandomize=True, deadline=None)
settings.load_profile("simnet")
