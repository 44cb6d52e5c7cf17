"""Data that trainings from end to end take."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[3] / "simnet/data/samples/camvid_small"


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """Eight shipped pictures for training, two for measuring."""
    names = (SAMPLES / "test.txt").read_text().split()[:10]
    root = tmp_path / "data" / "camvid"
    for split, chosen in (("train", names[:8]), ("test", names[8:])):
        for kind, end in (("images", "webp"), ("labels", "png")):
            (root / split / kind).mkdir(parents=True)
            for name in chosen:
                shutil.copy(SAMPLES / "test" / kind / f"{name}.{end}", root / split / kind)
        (root / f"{split}.txt").write_text("\n".join(chosen))
    return root.parent
