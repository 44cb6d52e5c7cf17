"""What kind of processor computes here: results are byte-identical on one kind only."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

INSTRUCTIONS = ("avx512f", "avx2", "asimd")
"""Of which the first that the processor has decides which kernels libraries choose."""


@cache
def machine_type(device: str = "cpu") -> str:
    """Processor and widest instructions, as ``AMD EPYC avx2``; with device cuda the GPU as well."""
    fields = _cpuinfo()
    name = fields.get("model name") or platform.processor() or platform.machine()
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    widest = next((each for each in INSTRUCTIONS if each in flags), "")
    return " ".join(part for part in (name, widest, _gpu() if device == "cuda" else "") if part)


def has_device(device: str) -> bool:
    """Whether this machine has cpu or cuda."""
    return device != "cuda" or _has_gpu()


def _cpuinfo() -> dict[str, str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = [line.partition(":") for line in lines]
    return {key.strip(): value.strip() for key, _, value in reversed(pairs)}


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _gpu() -> str:
    import torch

    return f"with {torch.cuda.get_device_name()}" if _has_gpu() else "without a GPU"
