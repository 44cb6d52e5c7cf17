"""Names in a terminal's table: broken where their words end, and inside a word only if it alone is too long."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text


@dataclass(frozen=True)
class NameCell:
    """A name as a cell of a table: ``nearest_copy_lossy`` may be broken after each underscore."""

    name: str

    def lines(self, width: int) -> list[str]:
        """The name in lines of at most so many characters."""
        found = [""]
        for word in re.findall(r"[^_\-\s]*[_\-\s]+|[^_\-\s]+", self.name):
            if found[-1] and len(found[-1]) + len(word.rstrip()) > width:
                found.append("")
            found[-1] += word
            while len(found[-1].rstrip()) > width:
                found[-1:] = [found[-1][:width], found[-1][width:]]
        return [line.rstrip() for line in found]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text("\n".join(self.lines(options.max_width)))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        lines = self.lines(options.max_width)
        return Measurement(min(max(map(len, lines)), options.max_width), max(map(len, lines)))
