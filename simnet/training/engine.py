"""The loop that all recipes share: epochs, optimiser, schedule, progress bar, curve, checkpoints.

Every draw is named by seed, purpose and epoch, and the learning rate is a function of the step; so a resumed
training gives the same weights, bit by bit, as an uninterrupted one on the same processor and thread count. On a GPU,
whose kernels add in no fixed order, it is the same training, but no two give the same bits.
"""

from __future__ import annotations

import csv
import io
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from simnet.core import streams
from simnet.core.errors import SimnetError
from simnet.training import checkpoints
from simnet.training.recipe import BaseRecipe, Optimisation
from simnet.training.run import TrainingRun

Built = TypeVar("Built")


class Objective(Protocol):
    """What is trained, on what, against which loss."""

    @property
    def module(self) -> nn.Module:
        """Holds every trained parameter, on the run's device."""

    @property
    def n_items(self) -> int:
        """Number of training items; an epoch sees each once (the last, smaller batch is left out)."""

    def loss(self, indices: NDArray[np.int64], rng: np.random.Generator, done: float) -> Tensor:
        """Mean loss (scalar) over the items of one batch.

        Args:
            rng: serves augmentation and noise.
            done: the share of all steps that are over, in [0, 1).
        """

    def evaluate(self) -> dict[str, float]:
        """Figures for the curve, measured after an epoch with the module in evaluation mode."""


@dataclass(frozen=True)
class Fitted:
    """What a training took and how it went: for the card."""

    epochs: int
    wall_s: float
    curve: list[dict[str, float]]


def initialised(build: Callable[[], Built], seed: int, *names: streams.Name) -> Built:
    """What holds initial weights, drawn from a named stream; torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(streams.generator(seed, "initial weights", *names).integers(2**63)))
        return build()


def resolve_device(name: str) -> torch.device:
    """The torch device of ``--device``.

    Raises:
        SimnetError: unknown, or there is no such device here.
    """
    if name not in ("cpu", "cuda"):
        raise SimnetError(f"--device: got {name!r}; allowed: cpu, cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise SimnetError("--device cuda: no CUDA device is available here; use --device cpu")
    return torch.device(name)


def learning_rate_factor(step: int, n_steps: int, settings: Optimisation) -> float:
    """Share of the peak learning rate at a step (0 … n_steps − 1)."""
    n_warmup = round(settings.warmup * n_steps)
    if step < n_warmup:
        return (step + 1) / n_warmup
    rest = (step - n_warmup) / max(1, n_steps - n_warmup)
    match settings.schedule:
        case "cosine":
            return 0.5 * (1 + math.cos(math.pi * rest))
        case "linear":
            return 1 - rest
        case "constant":
            return 1.0
        case "step":
            assert settings.step_epochs is not None
            n_epoch = step * settings.epochs // n_steps
            return settings.step_factor ** (n_epoch // settings.step_epochs)


def fit(
    objective: Objective,
    recipe: BaseRecipe,
    run: TrainingRun,
    *,
    stage: Optimisation | None = None,
    after: Fitted | None = None,
) -> Fitted:
    """Train an objective's module in place; leave ``curve.csv`` in the run's folder.

    After every epoch ``checkpoint.safetensors`` (of a second stage ``checkpoint_2.safetensors``) is replaced;
    :func:`finish` deletes it in the end.

    Args:
        stage: settings of a second stage; None: the recipe's own, of the first.
        after: the first stage, whose epochs and curve are gone on with.

    Raises:
        SimnetError: fewer items than one batch, the loss isn't finite, or the checkpoint doesn't fit.
    """
    settings, digest = stage or recipe.optimisation, recipe.digest()
    before = after or Fitted(0, 0.0, [])
    n_batches = objective.n_items // settings.batch_size
    if n_batches == 0:
        raise SimnetError(
            f"{run.recipe_path}: optimisation.batch_size: got {settings.batch_size}; "
            f"allowed 1..{objective.n_items}, the number of training items"
        )
    optimiser = _optimiser(objective.module, settings)
    checkpoint = run.out / f"checkpoint{'_2' if after else ''}.safetensors"
    done = checkpoints.Progress(digest, 0, before.wall_s, before.curve)
    if run.resume and checkpoint.is_file():
        done = checkpoints.load_checkpoint(checkpoint, objective.module, optimiser, recipe_sha256=digest)
    curve, wall_s = list(done.curve), done.wall_s
    cards = range(torch.cuda.device_count()) if run.device == "cuda" else ()
    with (
        torch.random.fork_rng(devices=cards),
        _progress_bar(settings.epochs * n_batches, done.epochs_done * n_batches, run) as advance,
    ):
        for epoch in range(done.epochs_done, settings.epochs):
            start_s = time.perf_counter()
            losses = []
            for loss in _train_epoch(objective, optimiser, settings, epoch, (recipe.seed, before.epochs), run.device):
                losses.append(loss)
                advance(f"epoch {epoch + 1}/{settings.epochs}")
            mean_loss = float(torch.stack(losses).mean())
            if not math.isfinite(mean_loss):
                raise SimnetError(
                    f"{run.recipe_path}: the loss became {mean_loss} in epoch {epoch + 1}; "
                    "lower optimisation.learning_rate"
                )
            figures = {}
            if epoch + 1 == settings.epochs or (epoch + 1) % settings.evaluate_every == 0:
                objective.module.eval()
                with torch.no_grad():
                    figures = objective.evaluate()
            wall_s += time.perf_counter() - start_s
            curve.append({"epoch": before.epochs + epoch + 1, "wall_s": round(wall_s, 3), "loss": mean_loss, **figures})
            done = checkpoints.Progress(digest, epoch + 1, wall_s, curve)
            checkpoints.save_checkpoint(checkpoint, objective.module, optimiser, done)
            _write_curve(run, curve)
    objective.module.eval()
    return Fitted(before.epochs + settings.epochs, wall_s, curve)


def _train_epoch(
    objective: Objective,
    optimiser: torch.optim.Optimizer,
    settings: Optimisation,
    epoch: int,
    drawn_by: tuple[int, int],
    device: str,
) -> Iterator[Tensor]:
    """Take the steps of one epoch; yields each batch's loss (scalar, detached).

    Args:
        epoch: of this stage, from 0.
        drawn_by: the seed, and the epochs of the stage before.
    """
    seed, n_before = drawn_by
    torch.manual_seed(int(streams.generator(seed, "torch", n_before + epoch).integers(2**63)))  # dropout asks torch
    n_batches = objective.n_items // settings.batch_size
    order = streams.generator(seed, "shuffle", n_before + epoch).permutation(objective.n_items)
    rng = streams.generator(seed, "augment", n_before + epoch)
    objective.module.train()
    for batch in range(n_batches):
        step, n_steps = epoch * n_batches + batch, settings.epochs * n_batches
        factor = learning_rate_factor(step, n_steps, settings)
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * factor
        indices = order[batch * settings.batch_size : (batch + 1) * settings.batch_size]
        optimiser.zero_grad()
        with torch.autocast(device, dtype=torch.bfloat16, enabled=settings.precision == "bfloat16"):
            loss = objective.loss(indices, rng, step / n_steps)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        yield loss.detach()


def finish(run: TrainingRun) -> None:
    """Delete the checkpoints, once weights and card are written."""
    for checkpoint in run.out.glob("checkpoint*.safetensors"):
        checkpoint.unlink()


def _optimiser(module: nn.Module, settings: Optimisation) -> torch.optim.Optimizer:
    trained = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    match settings.optimiser:
        case "sgd":
            return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=0.9, nesterov=True)
        case "adam":
            return torch.optim.Adam(groups, lr=settings.learning_rate, betas=settings.betas)
        case "adamw":
            return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=settings.betas)


@contextmanager
def _progress_bar(n_steps: int, n_done: int, run: TrainingRun) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal; nothing elsewhere or if quiet."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=run.quiet or not sys.stderr.isatty(), console=Console(stderr=True)) as bar:
        task = bar.add_task("starting", total=n_steps, completed=n_done)

        def advance(description: str) -> None:
            bar.update(task, advance=1, description=description)

        yield advance


def _write_curve(run: TrainingRun, curve: list[dict[str, float]]) -> None:
    text = io.StringIO()
    columns = dict.fromkeys(key for row in curve for key in row)
    writer = csv.DictWriter(text, fieldnames=list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(curve)
    checkpoints.write_atomically(run.out / "curve.csv", text.getvalue().encode())
