"""What the report reads in ``manifest.json``; other keys are shown as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from simnet.report.errors import RunError
from simnet.scenario.explain import explain

Number = Annotated[float, AllowInfNan(False)]
Name = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Lookups(_Part):
    below: int
    measured: int
    above: int
    failures_expected_above: Number


class _Audit(_Part):
    blocks: int
    failed_exact: int
    failed_expected: Number
    standard_error: Number


class _SurrogateAudit(_Part):
    measurements: int
    n_neural: int
    n_surrogate: int
    ss_neural: Number | None
    ss_surrogate: Number | None
    difference: Number | None
    half_width: Number | None


class _Surrogates(_Part):
    types: dict[str, int]
    audit: _SurrogateAudit | None


class Manifest(_Part):
    """The keys that are read; older runs lack those that may be null."""

    scenario: Name
    seed: int
    duration_s: Number
    arms: Annotated[list[str], Field(min_length=1)]
    sources: list[str]
    fidelity: dict[str, str]
    scenario_sha256: str | None = None
    codec_fidelity: dict[str, str] = {}
    surrogates: _Surrogates | None = None
    bler_tables: _Lookups | None = None
    audit: _Audit | None = None


def check_manifest(path: Path, content: Any) -> None:
    """Check what the report will read.

    Args:
        path: of the file.
        content: what its JSON says.

    Raises:
        RunError: a key that is missing or of another type, with the path of each.
    """
    if not isinstance(content, dict):
        raise RunError(f"{path}: got {type(content).__name__}; allowed: an object; run the scenario again")
    try:
        Manifest.model_validate_json(to_json(content), strict=True)
    except ValidationError as error:
        problems = "; ".join(map(str, explain(error, Manifest, content)))
        raise RunError(f"{path}: {problems}; run the scenario again") from None
    if len(set(content["arms"])) < len(content["arms"]):
        raise RunError(f"{path}: arms: got {content['arms']}; allowed: each name once; run the scenario again")
