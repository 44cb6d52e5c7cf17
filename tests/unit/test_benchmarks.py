"""Benchmarks leave their figures where the page looks for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks import page, phy


def test_figures_of_a_gpu_do_not_replace_those_of_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {device: path.name for device, path in phy.RESULTS.items()} == {"cpu": "phy.json", "cuda": "phy_cuda.json"}
    monkeypatch.setattr(phy, "RESULTS", {device: tmp_path / path.name for device, path in phy.RESULTS.items()})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "abacus")
    demappers = [{"library": "simnet", "kind": kind, "symbols_per_s": 1.0} for kind in ("exact", "max-log")]
    monkeypatch.setattr(phy, "decoders", lambda device, seconds: [])
    monkeypatch.setattr(phy, "demappers", lambda device, seconds: demappers)
    monkeypatch.setattr("sys.argv", ["phy.py", "--device", "cuda"])
    phy.main()
    assert [path.name for path in tmp_path.iterdir()] == ["phy_cuda.json"]
    written = "\n".join(page.phy(json.loads((tmp_path / "phy_cuda.json").read_text(encoding="utf-8"))))
    assert "on abacus" in written and "`python benchmarks/phy.py --device cuda`" in written
    assert "nan" not in written  # what only a CPU is asked
