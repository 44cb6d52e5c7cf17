"""Plug-in discovery: adding a codec, policy, task, topology … is one new file.

The word that a scenario uses is the file's name. Listing reads the files' docstrings without importing them, so that
``simnet list codecs`` needs no torch. Other packages add plug-ins by an entry point in the group ``simnet.<folder>``.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.package_files import package_digest


class PluginError(SimnetError):
    """A plug-in that isn't what its folder's base class asks for."""


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

    @property
    def group(self) -> str:
        """Of the entry points by which other packages add plug-ins."""
        return f"simnet.{self.folder}"

    @cached_property
    def modules(self) -> dict[str, str]:
        """Plug-in name -> dotted module that holds it.

        Raises:
            PluginError: two packages have one of the same name, or simnet and another.
            UnknownName: a package adds something to a group ``simnet.…`` that nobody reads.
        """
        spec = importlib.util.find_spec(self.package)
        if spec is None or spec.submodule_search_locations is None:
            raise SimnetError(f"plug-in package {self.package} is missing: reinstall simnet")
        found = {
            info.name: f"{self.package}.{info.name}"
            for info in pkgutil.iter_modules(spec.submodule_search_locations)
            if not info.ispkg and info.name != "base" and self._is_plugin(f"{self.package}.{info.name}")
        }
        for name in sorted(found.keys() & self._added.keys()):
            raise self._twice(name, f"simnet ({found[name]})", _whose(self._added[name]))
        return found | self.entries

    @cached_property
    def entries(self) -> dict[str, str]:
        """Of :attr:`modules`, those that other packages add by an entry point."""
        return {name: entry.module for name, entry in self._added.items()}

    @cached_property
    def _added(self) -> dict[str, importlib.metadata.EntryPoint]:
        everywhere, known = importlib.metadata.entry_points(), [kind.group for kind in KINDS.values()]
        for group in sorted(everywhere.groups):
            if group.startswith("simnet.") and group not in known:
                entry = next(iter(everywhere.select(group=group)))
                raise UnknownName(f"group of the entry point {entry.name!r} of {_whose(entry)}", group, known)
        found: dict[str, importlib.metadata.EntryPoint] = {}
        for entry in everywhere.select(group=self.group):
            if entry.name in found:
                raise self._twice(entry.name, *sorted(map(_whose, (found[entry.name], entry))))
            found[entry.name] = entry
        return found

    def _twice(self, name: str, one: str, other: str) -> PluginError:
        return PluginError(
            f"{self.word} plug-in {name!r}: both {one} and {other} have it; allowed: one; give the entry point in the "
            f"group {self.group!r} of one package another name, or uninstall that package"
        )

    def _is_plugin(self, module: str) -> bool:
        """A file is a plug-in if one of its classes names the base among its bases."""
        return any(
            isinstance(node, ast.ClassDef) and any(_last_name(b) == self.base for b in node.bases)
            for node in self._tree(module).body
        )

    @staticmethod
    def _tree(module: str) -> ast.Module:
        origin = _origin(module)
        if origin is None:
            raise SimnetError(f"plug-in module {module} cannot be found: is its package installed?")
        try:
            return ast.parse(Path(origin).read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError) as error:
            line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
            reason = error.msg if isinstance(error, SyntaxError) else error.reason
            raise SimnetError(
                f"{origin}{line}: not a plug-in's Python: {reason}; mend the file or take it away"
            ) from None

    def names(self) -> list[str]:
        """Every name that a scenario may use, sorted."""
        return sorted(self.modules)

    def summary(self, name: str) -> str:
        """First line of the plug-in file's docstring, read without importing it."""
        docstring = ast.get_docstring(self._tree(self._module(name))) or ""
        return docstring.partition("\n")[0]

    def digest(self, name: str) -> str:
        """SHA-256 of the plug-in's file, or of the whole package where another one adds it; empty if it isn't there."""
        module = self._module(name)
        if name in self.entries:
            return package_digest(module)
        origin = _origin(module)
        return "" if origin is None else hashlib.sha256(Path(origin).read_bytes()).hexdigest()

    def load(self, name: str) -> type[Any]:
        """The plug-in's class.

        Raises:
            UnknownName: no file of that name; the message lists all and the nearest.
            PluginError: it can't be imported, or doesn't keep what its base asks for.
        """
        if name not in self._loaded:
            self._loaded[name] = self._checked(name)
        return self._loaded[name]

    @cached_property
    def _loaded(self) -> dict[str, type[Any]]:
        return {}

    def _checked(self, name: str) -> type[Any]:
        module = self._imported(name)
        base = getattr(importlib.import_module(f"{self.package}.base"), self.base)
        classes = [
            c
            for c in vars(module).values()
            if inspect.isclass(c) and issubclass(c, base) and c.__module__ == module.__name__
        ]
        if len(classes) != 1:
            raise PluginError(
                f"{module.__file__}: {self.word} plug-in {name!r}: got {len(classes)} subclasses of {self.base}; "
                "allowed: exactly one; move the others to a file of their own"
            )
        plugin = classes[0]
        if wrong := [*_lacking(plugin), *_bad_params(plugin, base), *_uncallable(plugin, base)]:
            line = inspect.getsourcelines(plugin)[1]
            raise PluginError(
                f"{module.__file__}:{line}: {self.word} plug-in {name!r}: class {plugin.__name__}: {'; '.join(wrong)}; "
                f"{self.package}.base.{self.base} says what each must do"
            )
        return plugin

    def _imported(self, name: str) -> ModuleType:
        module = self._module(name)
        try:
            return importlib.import_module(module)
        except SimnetError:
            raise
        except Exception as error:
            of_package = module.startswith(f"{self.package}.")
            frames = [(f.f_globals.get("__name__", ""), n) for f, n in traceback.walk_tb(error.__traceback__)]
            ours = [each for each in frames if each[0] == module or each[0].startswith("simnet.")]
            if of_package and ours[-1][0] != module:
                raise  # what it imports of simnet is broken
            line = next((f":{n}" for name, n in reversed(frames) if name == module), "")
            raise PluginError(
                f"{_origin(module) or module}{line}: {self.word} plug-in {name!r} can't be imported: "
                f"{type(error).__name__}: {error}; mend the file, install what it needs, or take it away"
            ) from error

    def _module(self, name: str) -> str:
        if name not in self.modules:
            raise UnknownName(self.word, name, self.modules, hint=f"simnet list {self.folder}")
        return self.modules[name]


def _whose(entry: importlib.metadata.EntryPoint) -> str:
    """``mypackage 1.0 (mypackage.biggest)``."""
    package = entry.module.partition(".")[0] if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"
    return f"{package} ({entry.module})"


def _origin(module: str) -> str | None:
    """The module's file; nothing but its packages is imported."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return None if spec is None else spec.origin


def _lacking(plugin: type[Any]) -> Iterator[str]:
    """What is abstract in its bases, and still is."""
    if inspect.isabstract(plugin):
        yield f"lacks {', '.join(sorted(plugin.__abstractmethods__))}"


def _bad_params(plugin: type[Any], base: type[Any]) -> Iterator[str]:
    """Where the base has ``Params``, the plug-in has its own, a pydantic model."""
    from pydantic import BaseModel

    hint = get_type_hints(base).get("Params")
    if hint is None and not hasattr(base, "Params"):
        return
    while get_args(hint):
        (hint,) = get_args(hint)  # Settings of ClassVar[type[Settings]]
    wanted: type[BaseModel] = hint or BaseModel
    got = getattr(plugin, "Params", None)
    if not (inspect.isclass(got) and issubclass(got, wanted)):
        yield f"Params: got {got!r}; allowed: a class derived from {wanted.__name__}"


def _uncallable(plugin: type[Any], base: type[Any]) -> Iterator[str]:
    """Methods that can't be called as the base's are."""
    for name, wanted in inspect.getmembers(base, inspect.isfunction):
        got = getattr(plugin, name)
        if got is wanted or not inspect.isfunction(got):
            continue
        parameters = inspect.signature(wanted).parameters.values()
        by_name = dict.fromkeys(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        in_order = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        try:
            inspect.signature(got).bind(*in_order, **by_name)
        except TypeError as error:
            names = ", ".join([*in_order, *(f"{name}=" for name in by_name)])
            yield f"{name}: {error}; called as {name}({names})"


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
