"""Recipes' engine: from ``models/<family>/<name>/train.yaml`` to weights, curve and card."""

from __future__ import annotations

from pathlib import Path

from simnet.core.folders import made_folder
from simnet.training import cards
from simnet.training.recipe import kind_module, read_recipe
from simnet.training.run import TrainingRun

__all__ = ["measure", "train"]


def train(
    recipe_path: Path,
    *,
    data_root: Path | None = None,
    device: str = "cpu",
    resume: bool = False,
    out: Path | None = None,
    quiet: bool = False,
) -> Path:
    """Train what a recipe describes; what ``simnet train`` calls.

    Args:
        recipe_path: a ``train.yaml``.
        data_root: folder of the data sets; default: $SIMNET_DATA.
        device: ``cpu`` or ``cuda``.
        resume: go on from the last finished epoch, if there is a checkpoint; the weights are those of an
            uninterrupted run.
        out: folder for weights, card, curve and checkpoint; default: the recipe's own.
        quiet: no progress bar.

    Returns:
        The folder with ``weights.safetensors`` (or the slices), ``curve.csv`` and ``card.yaml``.

    Raises:
        SimnetError: recipe, data or checkpoint cannot be used.
    """
    recipe = read_recipe(recipe_path)
    run = TrainingRun(
        recipe_path=recipe_path,
        data_root=data_root,
        device=device,
        resume=resume,
        out=out if out is not None else recipe_path.parent,
        quiet=quiet,
    )
    made_folder(run.out)
    kind_module(recipe.kind).run(recipe, run)
    return run.out


def measure(recipe_path: Path, *, data_root: Path | None = None, device: str = "cpu") -> Path:
    """Measure a trained model anew and rewrite the figures in its card.

    Args:
        recipe_path: the ``train.yaml`` in the model's folder.
        data_root, device: as in :func:`train`.

    Returns:
        The card's path.

    Raises:
        SimnetError: recipe, card, weights or data cannot be used.
    """
    recipe = read_recipe(recipe_path)
    folder = recipe_path.parent
    run = TrainingRun(recipe_path, data_root, device, resume=False, out=folder, quiet=True)
    card = cards.read_card(folder)
    cards.write_card(folder, card.model_copy(update={"measured": cards.measure(recipe, run)}))
    return folder / "card.yaml"
