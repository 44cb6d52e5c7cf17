"""What a ``train.yaml`` may say: the part that all kinds share, and how one is read."""

from __future__ import annotations

import hashlib
import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simnet.core.errors import SimnetError, UnknownName
from simnet.scenario.errors import ScenarioError
from simnet.scenario.yaml_tree import parse

KIND_MODULES: dict[str, str] = {
    "classifier": "simnet.training.classifier",
    "source_id": "simnet.training.source_id",
    "autoencoder": "simnet.training.autoencoder",
    "segmenter": "simnet.training.segmenter",
    "detector": "simnet.training.detector",
    "lsci": "simnet.training.lsci",
    "lsci_enhancement": "simnet.training.lsci_enhancement",
    "channel_slice": "simnet.training.channel_slice",
    "jscc": "simnet.training.jscc",
    "comcnn": "simnet.training.comcnn",
    "sesc": "simnet.training.sesc",
    "sesc_importance": "simnet.training.sesc_importance",
    "rlasc": "simnet.training.rlasc",
    "dsslic": "simnet.training.dsslic",
    "rlasc_agent": "simnet.training.rlasc_agent",
    "rlasc_tuning": "simnet.training.rlasc_tuning",
}
"""Each module has a class ``Recipe`` and the functions ``run(recipe, training_run)``, which trains and writes
the results, and ``measure(recipe, training_run)``, which gives the card's figures from what ``run`` left."""
MAX_RECIPE_BYTES = 1 << 16
End = TypeVar("End", int, float)
Beta = Annotated[float, Field(ge=0, lt=1)]


class RecipeError(SimnetError):
    """A recipe that cannot be read or says something that isn't allowed."""


class Strict(BaseModel):
    """Frozen, and no key is unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def lowest_first(ends: tuple[End, End]) -> tuple[End, End]:
    """Validates the two ends of a range."""
    if ends[0] > ends[1]:
        raise ValueError(f"got {list(ends)}; allowed the lowest first")
    return ends


class Optimisation(Strict):
    """How the loss is brought down.

    The learning rate rises linearly over ``warmup`` (a share of all steps) to ``learning_rate``, then follows
    the schedule to 0, stays, if ``constant``, or is taken times ``step_factor`` every ``step_epochs``, if ``step``.
    Weight decay acts on tensors of at least two axes only.
    """

    epochs: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)] = 128
    optimiser: Literal["sgd", "adam", "adamw"] = "sgd"
    """sgd: with Nesterov momentum 0.9."""
    learning_rate: Annotated[float, Field(gt=0)]
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    """adam, adamw: how slowly the means of gradients and of their squares forget."""
    schedule: Literal["cosine", "linear", "constant", "step"] = "cosine"
    step_epochs: Annotated[int, Field(ge=1)] | None = None
    step_factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16: forward and backward under autocast; weights and their sums stay float32."""
    evaluate_every: Annotated[int, Field(ge=1)] = 1
    """Measure the curve's figures after every so many epochs, and after the last."""

    @model_validator(mode="after")
    def _steps_where_wanted(self) -> Self:
        if (self.schedule == "step") != (self.step_epochs is not None):
            raise ValueError(
                f"step_epochs: got {self.step_epochs} with schedule {self.schedule}; allowed: a number with step, none "
                "with another"
            )
        return self


class BaseRecipe(Strict):
    """Keys of every recipe. Kinds add their own."""

    kind: str
    seed: Annotated[int, Field(ge=0)] = 0
    optimisation: Optimisation
    notes: tuple[str, ...] = ()
    """Sentences that the card repeats: limits of the data, of the training."""

    def digest(self) -> str:
        """SHA-256 (hex) of what the recipe says beyond defaults.

        So a key that recipes learn later leaves the cards of earlier models true. Left out are ``evaluate_every``,
        ``measure_on_first`` and ``notes``; all else counts, what changes the card's figures only (``judge``,
        ``measure_at_db``, ``evaluate_on`` …) as well as what changes the weights.
        """
        neutral: dict[str, Any] = {"optimisation": {"evaluate_every"}, "measure_on_first": True, "notes": True}
        content = {"kind": self.kind, **self.model_dump(mode="json", exclude=neutral, exclude_defaults=True)}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def kind_module(kind: str) -> ModuleType:
    """The module that trains this kind of recipe, imported when it is first needed."""
    return importlib.import_module(KIND_MODULES[kind])


def read_recipe(path: Path) -> BaseRecipe:
    """The recipe of a ``train.yaml``, as the class ``Recipe`` of its kind.

    Raises:
        RecipeError: not readable, not YAML, or a key is missing, unknown or out of range.
        UnknownName: no such kind.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_RECIPE_BYTES + 1)
        if len(raw) > MAX_RECIPE_BYTES:
            raise RecipeError(f"{path}: larger than {MAX_RECIPE_BYTES} bytes; is it a recipe?")
        content: Any = parse(raw.decode("utf-8"), lambda line: f"{path}:{line}").plain()
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (UnicodeDecodeError, ScenarioError) as error:
        raise RecipeError(f"{path}: cannot be read as YAML ({error})") from error
    if not isinstance(content, dict) or "kind" not in content:
        raise RecipeError(f"{path}: no key 'kind' at the top; allowed: {', '.join(sorted(KIND_MODULES))}")
    kind = content["kind"]
    if kind not in KIND_MODULES:
        raise UnknownName(f"kind of recipe in {path}", kind, KIND_MODULES)
    try:
        recipe: BaseRecipe = kind_module(kind).Recipe.model_validate(content)
    except ValidationError as error:
        details = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: got {e['input']!r}: {e['msg']}" for e in error.errors(include_url=False)
        )
        raise RecipeError(f"{path}: {details}") from error
    return recipe
