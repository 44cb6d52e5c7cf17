"""A sweep's own page: a Python file beside it draws figures and text from the results."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path

TRACEBACK = "page_traceback.txt"


def draw_page(page: Path, folder: Path) -> str | None:
    """Call the file's ``draw(folder, here)``; here is the file's own folder.

    Returns:
        None, or what went wrong, in one line; the whole story is then in ``page_traceback.txt``.
    """
    told = folder / TRACEBACK
    told.unlink(missing_ok=True)
    try:
        spec = importlib.util.spec_from_file_location("sweep_page", page.resolve())
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look their module up there
        spec.loader.exec_module(module)
        module.draw(folder, page.resolve().parent)
    except Exception as error:
        told.write_text(traceback.format_exc(), encoding="utf-8")
        first = str(error).partition("\n")[0]
        return f"page {page} failed: {type(error).__name__}: {first}; the whole story is in {told}"
    return None
