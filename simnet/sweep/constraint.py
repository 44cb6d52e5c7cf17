"""``ttl_s is None or ttl_s >= 60``: a Python expression over a point's columns that can do nothing but compare."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import CodeType

from simnet.core.errors import nearest

_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd,
    ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod,
    ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.NotIn,
    ast.Name, ast.Load, ast.Constant, ast.Tuple, ast.List,
)  # fmt: skip
WORDS = "and, or, not, comparisons (is None, in), + - * / // %, numbers, 'text', None and columns"
LONGEST = 1000


class ConstraintError(ValueError):
    """An expression that is none, or that a point's values don't fit; the message follows a place and a colon."""


@dataclass(frozen=True)
class Constraint:
    """A checked expression.

    Args:
        text: the expression.
        columns: names that it may use.

    Raises:
        ConstraintError: no expression, or one with a call, an attribute, an unknown name …
    """

    text: str
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        for node in ast.walk(self._tree):
            if not isinstance(node, _ALLOWED):
                raise ConstraintError(f"got {ast.unparse(node)!r} in {self.text!r}; allowed: {WORDS}")
            if isinstance(node, ast.Constant) and not isinstance(node.value, int | float | str | None):
                raise ConstraintError(f"got {ast.unparse(node)!r} in {self.text!r}; allowed: {WORDS}")
            if isinstance(node, ast.Name) and node.id not in self.columns:
                raise ConstraintError(_unknown(node.id, self.columns))

    @cached_property
    def _tree(self) -> ast.Expression:
        if len(self.text) > LONGEST:
            raise ConstraintError(f"got {len(self.text)} characters; allowed: at most {LONGEST}")
        try:
            return ast.parse(self.text.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = str(error).partition("\n")[0]
            raise ConstraintError(f"got {self.text!r}, no expression ({reason}); allowed: {WORDS}") from None

    @cached_property
    def _code(self) -> CodeType:
        return compile(self._tree, "constraint", "eval")

    def holds(self, columns: Mapping[str, object]) -> bool:
        """Whether a point with these columns fulfils it.

        Raises:
            ConstraintError: the values don't fit, such as ``None < 60``.
        """
        try:
            # nothing but what ``_ALLOWED`` lists: no call, no attribute, no power
            return bool(eval(self._code, {"__builtins__": {}}, dict(columns)))
        except (TypeError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
            values = ", ".join(f"{name} = {value!r}" for name, value in columns.items())
            raise ConstraintError(
                f"{self.text!r} fails at {values}: {error}; test for None first, as in 'ttl_s is None or ttl_s >= 60'"
            ) from None


def _unknown(name: str, columns: Collection[str]) -> str:
    near = nearest(name, columns)
    hint = f"; did you mean {near!r}?" if near else ""
    return f"got the name {name!r}; allowed: {', '.join(columns) or 'none: there are no axes'}{hint}"
