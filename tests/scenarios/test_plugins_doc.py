"""docs/plugins.md: its package installs and runs, its codec and policy keep the contract, its lists are the code's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from simnet.core.plugins import KINDS
from simnet.wire.layout import ROLES
from simnet.wire.precision import PRECISIONS
from tests.support.installed import installed

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`mypackage/(\w+\.py)`.*\n\n```python\n([\s\S]*?)```", TEXT, flags=re.M))
SCENARIO = """
name: mine
duration_s: 20
topology: two
wires: {cable: {rate_bit_per_s: 1.0e+6}}
sources: {digits: {dataset: mnist, items: 8, owners: gateway, judge: classifier/digits_judge}}
codecs: {h: {kind: half, image_shape: [1, 28, 28]}, z40: {kind: aesc, model: digits_z40}}
traffic: {kind: rush, at_s: 3}
protocol: {codecs: {digits: [z40]}, propagation: ask_owner, store: {policy: biggest}}
arms: {semantic: {}, half: {codecs: {digits: [h]}}}
"""
STRIPES = """
import sys
from pathlib import Path
from simnet.core.plugins import KINDS

images = KINDS["data"].load("stripes")().load("test", Path(sys.argv[1]))
print(images.images.shape, images.class_names)
"""


def python(site: Path, *arguments: str, **environment: str) -> str:
    """Another Python, to which the package is installed."""
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{site}", **environment}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=250
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.S)
    groups = tomllib.loads(block)["project"]["entry-points"]
    lines = {group: "\n".join(f"{name} = {module}" for name, module in of.items()) for group, of in groups.items()}
    assert {f"{module.partition('.')[2]}.py" for of in groups.values() for module in of.values()} == set(FILES)
    assert len(groups) == 6
    installed(folder, "mypackage", lines, FILES)
    return folder


def test_the_package_runs(site: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SCENARIO, encoding="utf-8")
    python(site, "-m", "simnet", "run", str(tmp_path / "mine.yaml"), "--out", str(tmp_path / "runs"), "--quiet")
    (manifest,) = (tmp_path / "runs").glob("*/manifest.json")
    facts = json.loads(manifest.read_text(encoding="utf-8"))
    own = {"codecs/half", "store/biggest", "traffic/rush", "topology/two", "propagation/ask_owner"}
    assert own < set(facts["plugins"]) and len({facts["plugins"][name] for name in own}) == 1
    arms = facts["accounting"]
    assert arms["semantic"]["outcomes"] == arms["half"]["outcomes"] == {"satisfied": 1}
    assert list(arms["half"]["bytes_and_channel_uses"]) == ["control", "code"]
    assert arms["semantic"]["bytes_and_channel_uses"]["model"]["delivered_byte"] > 7000


def test_its_data_set_is_read(site: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "test.npz", images=np.zeros((4, 1, 8, 8), np.uint8), labels=np.array([0, 1, 0, 1]))
    assert python(site, "-c", STRIPES, str(tmp_path)) == "(4, 1, 8, 8) ('level', 'upright')\n"


def test_its_codec_and_policy_are_held_to_the_contract_as_the_page_says(site: Path, tmp_path: Path) -> None:
    (settings, chosen) = re.findall(r"echo '(.*)' > mine\.yaml\nSIMNET_CONTRACT=mine\.yaml .* -k \"(.*)\"", TEXT)[0]
    mine = tmp_path / "mine.yaml"
    mine.write_text(settings, encoding="utf-8")
    arguments = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract", "-k", f"{chosen} or held_to_the")
    told = python(site, *arguments, SIMNET_CONTRACT=str(mine))
    assert int(re.findall(r"(\d+) passed", told)[0]) > 20 and "failed" not in told and "skipped" not in told


def test_the_table_and_lists_are_the_code_s() -> None:
    rows = re.findall(r"^\| `(simnet/[\w/]+)` \| `(\w+)` \| `(simnet\.\w+)` \|", TEXT, flags=re.M)
    kinds = [(kind.package.replace(".", "/"), kind.base, kind.group) for kind in KINDS.values()]
    assert sorted(rows) == sorted(kinds) and len(rows) == 7
    said = re.findall(r"one of\s+((?:`\w+`,?\s*)+)", TEXT.partition("`make_slice`")[2])
    assert [re.findall(r"`(\w+)`", names) for names in said[:2]] == [list(ROLES), list(PRECISIONS)]
