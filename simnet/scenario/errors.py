"""What is wrong with a scenario file, one line per problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simnet.core.errors import SimnetError

KeyPath = tuple[str | int, ...]

_MOST_LINES = 50
_LONGEST_VALUE = 60


@dataclass(frozen=True)
class Problem:
    """One mistake: what was got, what is allowed, what to do; ``where`` is ``FILE:LINE`` or ``--set …``, if known."""

    path: KeyPath
    text: str
    where: str = ""

    def __str__(self) -> str:
        place = " ".join(part for part in (self.where, dotted(self.path)) if part)
        return f"{place}: {self.text}" if place else self.text


class ScenarioError(SimnetError):
    """A scenario that cannot be run; the message has a line for every problem found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[:_MOST_LINES]]
        if len(self.problems) > _MOST_LINES:
            lines.append(f"… and {len(self.problems) - _MOST_LINES} more problems")
        super().__init__("\n".join(lines))


def dotted(path: KeyPath) -> str:
    """``radios.lora.mcs`` of ("radios", "lora", "mcs")."""
    return ".".join(str(key) for key in path)


def shown(value: object, longest: int = _LONGEST_VALUE) -> str:
    """The value as messages print it: on one line, cut when long."""
    text = {"True": "true", "False": "false", "None": "null"}.get(repr(value), repr(value))
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
