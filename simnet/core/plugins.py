"""Plug-in discovery: adding a codec, policy, task, topology … is one new file.

The word that a scenario uses is the file's name. Listing reads the files' docstrings without importing them, so that
``simnet list codecs`` needs no torch. Other packages add plug-ins by an entry point in the group ``simnet.<folder>``.
"""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from simnet.core.errors import SimnetError, UnknownName


@dataclass(frozen=True)
class PluginKind:
    """One kind of plug-in: the public modules of one package, each with one class derived from the kind's base.

    Args:
        word: singular, as in messages: ``"store policy"``.
        package: dotted package that holds the files.
        base: name of the base class, found in ``<package>.base``. A plug-in file defines exactly one subclass of it.
    """

    word: str
    package: str
    base: str

    @property
    def folder(self) -> str:
        return self.package.rpartition(".")[2]

    @cached_property
    def _modules(self) -> dict[str, str]:
        """Plug-in name -> dotted module that holds it."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or spec.submodule_search_locations is None:
            raise SimnetError(f"plug-in package {self.package} is missing: reinstall simnet")
        found = {
            info.name: f"{self.package}.{info.name}"
            for info in pkgutil.iter_modules(spec.submodule_search_locations)
            if not info.ispkg and info.name != "base" and self._is_plugin(f"{self.package}.{info.name}")
        }
        for entry in importlib.metadata.entry_points(group=f"simnet.{self.folder}"):
            found[entry.name] = entry.module
        return found

    def _is_plugin(self, module: str) -> bool:
        """A file is a plug-in if one of its classes names the base among its bases."""
        return any(
            isinstance(node, ast.ClassDef) and any(_last_name(b) == self.base for b in node.bases)
            for node in self._tree(module).body
        )

    @staticmethod
    def _tree(module: str) -> ast.Module:
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            raise SimnetError(f"plug-in module {module} cannot be found: is its package installed?")
        try:
            return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError) as error:
            line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
            reason = error.msg if isinstance(error, SyntaxError) else error.reason
            raise SimnetError(
                f"{spec.origin}{line}: not a plug-in's Python: {reason}; mend the file or take it away"
            ) from None

    def names(self) -> list[str]:
        """Every name that a scenario may use, sorted."""
        return sorted(self._modules)

    def summary(self, name: str) -> str:
        """First line of the plug-in file's docstring, read without importing it."""
        docstring = ast.get_docstring(self._tree(self._module(name))) or ""
        return docstring.partition("\n")[0]

    def load(self, name: str) -> type[Any]:
        """The plug-in's class.

        Raises:
            UnknownName: no file of that name; the message lists all and the nearest.
        """
        module = importlib.import_module(self._module(name))
        base = getattr(importlib.import_module(f"{self.package}.base"), self.base)
        classes = [
            c
            for c in vars(module).values()
            if inspect.isclass(c) and issubclass(c, base) and c.__module__ == module.__name__
        ]
        if len(classes) != 1:
            raise SimnetError(f"{module.__name__} must define exactly one {self.base}; it defines {len(classes)}")
        return classes[0]

    def _module(self, name: str) -> str:
        if name not in self._modules:
            raise UnknownName(self.word, name, self._modules, hint=f"simnet list {self.folder}")
        return self._modules[name]


def _last_name(node: ast.expr) -> str:
    """``Codec`` of the base-class expressions ``Codec``, ``base.Codec`` and ``Codec[Params]``."""
    if isinstance(node, ast.Subscript):
        node = node.value
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


KINDS: dict[str, PluginKind] = {
    kind.folder: kind
    for kind in (
        PluginKind("codec", "simnet.codecs", "Codec"),
        PluginKind("store policy", "simnet.store", "EvictionPolicy"),
        PluginKind("topology", "simnet.topology", "Topology"),
        PluginKind("traffic", "simnet.traffic", "Traffic"),
        PluginKind("task", "simnet.tasks", "Task"),
        PluginKind("data set", "simnet.data", "Dataset"),
        PluginKind("propagation strategy", "simnet.net.propagation", "Propagation"),
    )
}
"""Folder name, as in ``simnet list FOLDER``, -> kind."""
