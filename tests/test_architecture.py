"""Who may import whom, and what each part needs to be installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_import_contracts_hold() -> None:
    """The layers and the walls of setup.cfg: SimPy in simnet.net only; nodes see no tensor, label or original."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--config", "setup.cfg"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 kept, 0 broken" in done.stdout


MISSING = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refuse())
for package in {packages!r}:
    root = importlib.import_module(package)
    names = [info.name for info in pkgutil.walk_packages(root.__path__, package + ".")]
    assert names, package
    for name in names:
        importlib.import_module(name)
"""


@pytest.mark.parametrize(
    ("packages", "missing"),
    [
        (
            ["simnet.training", "simnet.codecs", "simnet.phy", "simnet.tasks", "simnet.data"],
            ["simpy", "zstandard", "commpy", "pyldpc", "pyarrow"],
        ),
        (["simnet.core", "simnet.scenario", "simnet.cli"], ["torch", "matplotlib", "pandas", "simpy"]),
        (["simnet.report"], ["torch", "simpy", "constriction", "pyldpc", "commpy"]),
    ],
    ids=["training", "scenario", "report"],
)
def test_imports_without(packages: list[str], missing: list[str]) -> None:
    """A machine that only trains, checks or reports needs only what that takes."""
    code = MISSING.format(packages=packages, missing=set(missing))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_results_are_read_without_matplotlib_and_drawn_without_torch() -> None:
    """A notebook that only asks for numbers loads no more than pandas and scipy."""
    code = """
import sys, simnet.results
assert "matplotlib" not in sys.modules
import simnet.results.figures
assert not {"torch", "simpy", "simnet.build"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_codec_is_made_without_the_compiler_of_torch() -> None:
    """It takes a second or two. Initial weights on the meta device would load it, and torch's own counter of FLOPs."""
    code = """
import sys
from simnet.codecs.aesc import Aesc

codec = Aesc(Aesc.Params(model="digits_z40"))
assert codec.encode_flop > 0 and codec.decoder_slices
assert "torch._dynamo" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
