"""What a recipe names for measuring is looked for before the training, which would be lost if it weren't there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simnet.core.errors import UnknownName
from simnet.core.zoo import model_dir
from simnet.training.recipe import kind_module, read_recipe
from simnet.training.run import TrainingRun

JUDGED = [
    *(
        (model, {"judge": "segmenter/street_jugde"})
        for model in ("jscc/semcc_awgn", "jscc/street_awgn", "sesc/street", "channel/street_awgn_high",
                      "sesc_importance/street_detection", "aesc/digits_z40", "lsci/street", "rlasc_agent/street")
    ),
    ("jscc/semcc_awgn", {"other_judges": ("classifier/street_jugde",)}),
    ("jscc/street_awgn", {"features": "segmenter/street_jugde"}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "changes"), JUDGED)
def test_a_missing_judge_is_said_even_before_data_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, changes: dict[str, Any]
) -> None:
    monkeypatch.delenv("SIMNET_DATA", raising=False)
    path = model_dir(model) / "train.yaml"
    recipe = read_recipe(path).model_copy(update=changes)
    with pytest.raises(UnknownName, match="street_jugde"):
        kind_module(recipe.kind).run(recipe, TrainingRun(path, None, "cpu", resume=False, out=tmp_path, quiet=True))
