"""How far a sweep is: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from simnet.sweep.conduct import Progress as State

LINE_EVERY_S = 30.0


@contextmanager
def shown(quiet: bool, every_s: float = LINE_EVERY_S) -> Iterator[Callable[[State], None]]:
    """Something to call after each outcome; it prints to standard error."""
    console = Console(stderr=True)
    began = time.monotonic()
    if quiet:
        yield lambda state: None
    elif console.is_terminal:
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("{task.fields[pace]}"),
        )  # fmt: skip
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("runs", total=None, pace="")

            def draw(state: State) -> None:
                done = state.found + state.made + len(state.failed)
                bar.update(task, completed=done, total=state.total, pace=pace(state, time.monotonic() - began))

            yield draw
    else:
        last_s = -every_s

        def line(state: State) -> None:
            nonlocal last_s
            elapsed_s = time.monotonic() - began
            done = state.found + state.made + len(state.failed)
            if elapsed_s - last_s >= every_s or done == state.total:
                last_s = elapsed_s
                found = f" ({state.found} found finished)" if state.found else ""
                text = f"{done} of {state.total} runs{found}, {pace(state, elapsed_s)}"
                console.print(Text(text.rstrip(", ")), soft_wrap=True)

        yield line


def pace(state: State, elapsed_s: float) -> str:
    """Rate and remaining time by what this call has made so far; empty before it has made anything."""
    made = state.made + len(state.failed)
    parts = []
    if made and elapsed_s > 0:
        left = state.total - state.found - made
        parts = [f"{60 * made / elapsed_s:.3g} runs/min", f"{duration(left * elapsed_s / made)} left"]
    if state.failed:
        parts.append(f"{len(state.failed)} failed")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """``1 h 05 min``, ``3 min 20 s``, ``12 s``."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
