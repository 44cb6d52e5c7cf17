"""Plug-ins that can't be read, imported or used are said with their file and line."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from simnet.core.errors import SimnetError, UnknownName
from simnet.core.plugins import PluginError, PluginKind
from tests.support.installed import installed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"class Rush(Traffic):\n    for c inn ():\n", r"rush\.py:2: not a plug-in's Python: .*; mend the file"),
        (b"# \xff\n", r"rush\.py: not a plug-in's Python: invalid start byte; mend the file or take it away"),
    ],
)
def test_a_file_that_is_no_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, message: str) -> None:
    package = tmp_path / f"plugs_{len(text)}"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "base.py").write_text("class Traffic:\n    pass\n")
    (package / "calm.py").write_text('"""Calm."""\n\nfrom base import Traffic\n\n\nclass Calm(Traffic):\n    pass\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    kind = PluginKind("traffic", package.name, "Traffic")
    assert kind.names() == ["calm"]
    (package / "rush.py").write_bytes(text)
    with pytest.raises(SimnetError, match=re.escape(str(package)) + "/" + message):
        PluginKind("traffic", package.name, "Traffic").names()


BASE = """
from abc import ABC, abstractmethod
from pydantic import BaseModel


class Traffic(ABC):
    Params: type[BaseModel]

    @abstractmethod
    def requests(self, *, consumers, seed): ...
"""
GOOD = """
from pydantic import BaseModel
from {package}.base import Traffic


class Rush(Traffic):
    class Params(BaseModel):
        rate: float = 1.0

    def requests(self, *, consumers, seed):
        return iter(())
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "def requests",
            "def wishes",
            r"rush\.py:6: .*'rush': class Rush: lacks requests; .*\.base\.Traffic says what",
        ),
        (
            "consumers, seed",
            "consumers",
            r"rush\.py:6: .*: requests: got an unexpected keyword argument 'seed'; called",
        ),
        ("consumers, seed", "consumers, seed, more", r"rush\.py:6: .* missing a required argument: 'more'; called as"),
        ("class Params(BaseModel)", "class Params", r"rush\.py:6: .*Params: got <class .*>; allowed: .* BaseModel"),
        ("class Params(BaseModel)", "class Settings", r"rush\.py:6: .*Params: got None; allowed: a class derived from"),
        ("rate: float", "rate: float = x", r"rush\.py\b.*: not a plug-in's Python"),
        ("= 1.0", "= one", r"rush\.py:8: .*can't be imported: NameError: name 'one' is not defined; mend the file"),
        ("from pydantic", "from pidantic", r"rush\.py:2: .*can't be imported: ModuleNotFoundError: .*; mend the file"),
        (
            "    def requests",
            "class Hush(Traffic):\n    def requests",
            r"rush\.py: .*: got 2 subclasses of Traffic; allowed",
        ),
    ],
)
def test_a_class_that_is_no_plug_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, message: str
) -> None:
    package = tmp_path / f"plugs_{abs(hash((old, new)))}"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "base.py").write_text(BASE)
    good = GOOD.format(package=package.name)
    assert good.count(old) >= 1
    (package / "calm.py").write_text(good)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert PluginKind("traffic", package.name, "Traffic").load("calm").__name__ == "Rush"
    (package / "rush.py").write_text(good.replace(old, new))
    with pytest.raises(SimnetError, match=re.escape(str(package)) + "/" + message):
        PluginKind("traffic", package.name, "Traffic").load("rush")


def test_a_plug_in_of_another_package_is_known_by_all_its_python_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    files = {"big.py": "from .helpers import size\n", "helpers.py": "size = 1\n"}
    package = installed(tmp_path, "wide_world", {"simnet.store": "big = wide_world.big"}, files)
    kind = PluginKind("store policy", "simnet.store", "EvictionPolicy")
    digests = [kind.digest("big")]
    for text in ("size = 2\n", "size = 1\n"):
        (package / "helpers.py").write_text(text)
        digests.append(kind.digest("big"))
    assert digests[0] == digests[2] != digests[1]


def test_a_name_that_two_packages_have_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither replaces the other silently; runs would not be those that the scenario's author meant."""
    monkeypatch.syspath_prepend(str(tmp_path))
    policy = {"biggest.py": "from simnet.store.base import EvictionPolicy\n"}
    installed(tmp_path, "near_by", {"simnet.store": "lru = near_by.biggest"}, policy)
    message = (
        r"store policy plug-in 'lru': both simnet \(simnet\.store\.lru\) and near_by 1 \(near_by\.biggest\) have it; "
        r"allowed: one; .* group 'simnet\.store' .* another name, or uninstall"
    )
    with pytest.raises(PluginError, match=message):
        PluginKind("store policy", "simnet.store", "EvictionPolicy").names()
    installed(tmp_path, "over_there", {"simnet.store": "lru = over_there.biggest"}, policy)
    importlib.invalidate_caches()
    with pytest.raises(PluginError, match=r"both near_by 1 \(near_by\.biggest\) and over_there 1 \(over_there\.big"):
        PluginKind("store policy", "simnet.store", "EvictionPolicy").names()


def test_a_group_that_nobody_reads_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    installed(tmp_path, "long_way", {"simnet.net.propagation": "slow = long_way.slow"}, {})
    message = (
        r"group of the entry point 'slow' of long_way 1 \(long_way\.slow\): got 'simnet\.net\.propagation'; did you "
        r"mean 'simnet\.propagation'\? Allowed: simnet\.codecs, simnet\.data, .*simnet\.traffic\."
    )
    with pytest.raises(UnknownName, match=message):
        PluginKind("store policy", "simnet.store", "EvictionPolicy").names()
