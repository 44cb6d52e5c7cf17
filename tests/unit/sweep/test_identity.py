"""Runs are named by content: whatever may change a result changes the name, and nothing else does."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

import pytest

from simnet.core.plugins import PluginKind
from simnet.core.zoo import zoo_root
from simnet.sweep import identity
from simnet.sweep.plan import Plan
from tests.support.installed import installed
from tests.support.sweeps import sweep_of


def name(folder: Path, text: str = "", *, device: str = "cpu") -> str:
    return Plan(sweep_of(folder, f"replications: 1\n{text}"), device).ids[0][0]


def test_settings_that_change_rows_change_the_name_and_others_do_not(tmp_path: Path) -> None:
    names = [
        name(tmp_path),
        name(tmp_path, "set: {duration_s: 21}\n"),
        name(tmp_path, "seed: 2\n"),
        name(tmp_path, "warm_up: 3\n"),
        name(tmp_path, "keep: records\n"),
        name(tmp_path, device="cuda"),
    ]
    assert len(set(names)) == len(names)
    assert name(tmp_path, "question: Why?\nset: {duration_s: 20}\n") == names[0]


def test_another_checkout_gives_the_same_name(tmp_path: Path) -> None:
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "t.csv").write_text("time_s,consumer,item_id\n1,reader,0\n", encoding="utf-8")
    text = "set: {traffic: {kind: trace, file: t.csv}}\n"
    assert name(tmp_path / "here", text) == name(tmp_path / "there", text)
    (tmp_path / "there" / "t.csv").write_text("time_s,consumer,item_id\n2,reader,0\n", encoding="utf-8")
    assert name(tmp_path / "here", text) != name(tmp_path / "there", text)


def test_changed_code_or_libraries_change_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = name(tmp_path)
    monkeypatch.setattr(identity, "code_digest", lambda: "other")
    code = name(tmp_path)
    monkeypatch.setattr(identity, "versions", lambda: {"torch": "0.1"})
    assert len({before, code, name(tmp_path)}) == 3


def test_a_changed_model_changes_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = name(tmp_path)
    zoo = tmp_path / "zoo"
    for model in ("classifier/digits_judge", "classifier/clothes_judge"):
        shutil.copytree(zoo_root() / model, zoo / model)
    monkeypatch.setenv("SIMNET_ZOO", str(zoo))
    assert name(tmp_path) == before
    with (zoo / "classifier" / "clothes_judge" / "card.yaml").open("a") as file:
        file.write("# not named by the scenario\n")
    identity._folder_digest.cache_clear()
    assert name(tmp_path) == before
    with (zoo / "classifier" / "digits_judge" / "card.yaml").open("a") as file:
        file.write("# changed\n")
    identity._folder_digest.cache_clear()
    assert name(tmp_path) != before


def test_the_code_digest_sees_every_file_but_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "simnet"
    (package / "data" / "__pycache__").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(identity.simnet, "__file__", str(package / "__init__.py"))
    digests = [identity.code_digest.__wrapped__()]
    (package / "data" / "__pycache__" / "x.pyc").write_bytes(b"1")
    assert identity.code_digest.__wrapped__() == digests[0]
    for path, content in (("a.py", b"1"), ("a.py", b"2"), ("data/sample.bin", b"1"), ("data/b.bin", b"1")):
        (package / path).write_bytes(content)
        digests.append(identity.code_digest.__wrapped__())
    assert len(set(digests)) == len(digests)


def test_the_code_digest_sees_every_python_file_of_packages_that_add_plug_ins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest() -> str:
        kinds = {"store": PluginKind("store policy", "simnet.store", "EvictionPolicy")}
        monkeypatch.setattr(identity, "KINDS", kinds)
        return identity.code_digest.__wrapped__()

    monkeypatch.syspath_prepend(str(tmp_path))
    digests = [digest()]
    files = {"policies/big.py": "from ..helpers import size\n", "helpers.py": "size = 1\n", "notes.txt": "none\n"}
    package = installed(tmp_path, "far_away", {"simnet.store": "big = far_away.policies.big"}, files)
    importlib.invalidate_caches()
    digests.append(digest())
    (package / "notes.txt").write_text("some\n")
    assert digest() == digests[-1]
    for name, text in (("helpers.py", "size = 2\n"), ("more.py", ""), ("policies/big.py", "size = 1\n")):
        (package / name).write_text(text)
        digests.append(digest())
    entry_points = tmp_path / "far_away-1.dist-info" / "entry_points.txt"
    entry_points.write_text("[simnet.store]\nbig = far_away.more\n")
    digests.append(digest())
    assert len(set(digests)) == len(digests)
    assert "far_away" not in sys.modules


def test_what_differs_is_said_with_both_sides() -> None:
    assert identity.different({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == ["b 3 (here 2)", "c 4 (here None)"]
