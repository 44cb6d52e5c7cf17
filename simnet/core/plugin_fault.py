"""Whose fault an error is: simnet's, or that of a plug-in in whose file it was raised."""

from __future__ import annotations

import importlib
import inspect
import traceback
from types import CodeType
from typing import Any

from simnet.core.errors import SimnetError
from simnet.core.plugins import KINDS, PluginKind

Owner = tuple[PluginKind, str]
"""Kind and name of a plug-in."""


def plugin_fault(error: BaseException) -> str | None:
    """What to say of an error whose innermost frames, libraries' aside, lie in a plug-in's file, or that comes of an
    attribute that a plug-in's object lacks; None if it is simnet's own.
    """
    owners = _owners()
    frames = [(frame.f_globals.get("__name__", ""), frame.f_code, line)
              for frame, line in traceback.walk_tb(error.__traceback__)]  # fmt: skip
    ours = [each for each in frames if each[0] in owners or each[0].partition(".")[0] == "simnet"]
    if ours and ours[-1][0] in owners:
        module, code, line = ours[-1]
        called = next(code for name, code, _ in ours if name == module)
        return _told(owners[module], f"{code.co_filename}:{line}", error, called)
    lacking = type(getattr(error, "obj", None))
    if isinstance(error, AttributeError) and lacking.__module__ in owners:
        where = f"{inspect.getsourcefile(lacking)}:{inspect.getsourcelines(lacking)[1]}"
        return _told(owners[lacking.__module__], where, error)
    return None


def _owners() -> dict[str, Owner]:
    """Module -> the plug-in that it holds."""
    found: dict[str, Owner] = {}
    for kind in KINDS.values():
        try:
            found |= {module: (kind, name) for name, module in kind.modules.items()}
        except SimnetError:  # a file beside it can't be read: that is no answer to whose fault this error is
            continue
    return found


def _told(owner: Owner, where: str, error: BaseException, called: CodeType | None = None) -> str:
    kind, name = owner
    base: type[Any] = getattr(importlib.import_module(f"{kind.package}.base"), kind.base)
    method = "" if called is None else called.co_name
    wanted = getattr(base, method, None)
    known = wanted is not None and wanted is not getattr(object, method, None)
    contract = f"{kind.base}.{method}" if known else kind.base
    summary = (inspect.getdoc(wanted if known else base) or "").partition("\n\n")[0].replace("\n", " ")
    raised = "".join(traceback.format_exception_only(error)).strip()
    told = f"{where}: {kind.word} plug-in {name!r} raised {raised}. {kind.package}.base, {contract}: {summary}"
    if kind.modules[name].startswith("simnet."):
        told += " If it came with simnet, report it with the lines above."
    return told
