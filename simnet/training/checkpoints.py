"""Weights and checkpoints as safetensors (never pickle), written atomically."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from simnet.core.errors import SimnetError


class CheckpointError(SimnetError):
    """A checkpoint that is damaged or belongs to another recipe."""


@dataclass(frozen=True)
class Progress:
    """What a checkpoint says beside the tensors.

    Args:
        recipe_sha256: of the recipe that is being trained.
        epochs_done: finished epochs.
        wall_s: wall time spent in them, resumed runs added up.
        curve: one row per finished epoch.
    """

    recipe_sha256: str
    epochs_done: int
    wall_s: float
    curve: list[dict[str, float]]


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves either the old one or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def save_weights(path: Path, module: nn.Module, header: dict[str, str]) -> None:
    """Write a module's parameters and buffers; equal weights give equal bytes.

    Args:
        header: names what the weights belong to, e.g. ``{"network": "resnet20", "options": "{}"}``.
    """
    tensors = {k: v.detach().cpu().contiguous() for k, v in module.state_dict().items()}
    write_atomically(path, _with_sorted_header(save(tensors, metadata=header)))


def _with_sorted_header(file: bytes) -> bytes:
    """The safetensors file with its header's keys sorted; the library writes metadata in random order."""
    n = int.from_bytes(file[:8], "little")
    text = json.dumps(json.loads(file[8 : 8 + n]), sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + file[8 + n :]


def save_checkpoint(path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, progress: Progress) -> None:
    """Write the whole state of a training after an epoch."""
    tensors = {f"module/{k}": v for k, v in module.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{index}/{k}": torch.as_tensor(v) for k, v in state.items() if v is not None}
    tensors = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    write_atomically(path, save(tensors, metadata={"progress": json.dumps(vars(progress))}))


def load_checkpoint(path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, *, recipe_sha256: str) -> Progress:
    """Put a checkpoint's state into a module and its optimiser.

    Raises:
        CheckpointError: damaged, or of another recipe.
    """
    advice = "delete it, or train without --resume"
    try:
        with safe_open(path, framework="pt") as file:
            progress = Progress(**json.loads((file.metadata() or {})["progress"]))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
        if progress.recipe_sha256 != recipe_sha256:
            raise CheckpointError(
                f"{path}: belongs to another recipe (sha256 {progress.recipe_sha256[:12]}…, "
                f"this one {recipe_sha256[:12]}…); {advice}"
            )
        module.load_state_dict({k.removeprefix("module/"): v for k, v in tensors.items() if k.startswith("module/")})
        optimiser.load_state_dict({**optimiser.state_dict(), "state": _optimiser_state(tensors)})
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path}: damaged or of another model ({error}); {advice}") from error
    return progress


def _optimiser_state(tensors: dict[str, Tensor]) -> dict[int, dict[str, Any]]:
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser/"):
            _, index, name = key.split("/", 2)
            state.setdefault(int(index), {})[name] = value
    return state
