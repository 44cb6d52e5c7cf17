"""Where and how one training runs: what isn't the recipe's business."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainingRun:
    """The arguments of ``simnet train``.

    Args:
        recipe_path: the ``train.yaml``.
        data_root: folder of the data sets, or None for $SIMNET_DATA.
        device: ``cpu`` or ``cuda``.
        resume: go on from ``out/checkpoint.safetensors`` if it is there.
        out: folder that receives weights, card, curve and checkpoint.
        quiet: no progress bar.
    """

    recipe_path: Path
    data_root: Path | None
    device: str
    resume: bool
    out: Path
    quiet: bool
