"""Versions of what results depend on besides simnet itself."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("torch", "numpy", "scipy", "numba", "networkx", "simpy", "pandas", "pyarrow", "msgpack", "zstandard",
             "Pillow", "constriction")  # fmt: skip


def library_versions() -> dict[str, str | None]:
    """Library -> its installed version, None where it isn't; read without importing any."""
    return {name: _version(name) for name in LIBRARIES}


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
