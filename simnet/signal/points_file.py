"""Reading the YAML files of measurements without a network, with errors that say where and what."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from simnet.core.errors import SimnetError
from simnet.scenario.errors import shown
from simnet.scenario.yaml_tree import parse

MAX_FILE_BYTE = 1 << 20
Model = TypeVar("Model", bound=BaseModel)


def read_points_file(path: Path, model: type[Model]) -> Model:
    """The content of a file.

    Raises:
        SimnetError: not readable, too large, or a key is missing, unknown or wrong.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_FILE_BYTE + 1)
        if len(raw) > MAX_FILE_BYTE:
            raise SimnetError(f"{path}: larger than {MAX_FILE_BYTE} bytes; is it a file of points?")
        return model.model_validate(parse(raw.decode("utf-8"), lambda line: f"{path}:{line}").plain())
    except OSError as error:
        raise SimnetError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise SimnetError(f"{path}: cannot be read as YAML ({error})") from error
    except ValidationError as error:
        raise SimnetError(f"{path}: {in_words(error, model)}") from error


def in_words(error: ValidationError, model: type[BaseModel] | None) -> str:
    """What was wrong, key by key; unknown keys with those that the model knows."""
    said = []
    for e in error.errors(include_url=False):
        where = ".".join(map(str, e["loc"]))
        if e["type"] == "extra_forbidden" and model is not None and len(e["loc"]) == 1:
            said.append(f"{where}: unknown key; allowed: {', '.join(model.model_fields)}")
        elif e["type"] == "missing":
            said.append(f"{where}: missing")
        elif not where and model is not None:
            said.append(f"got {shown(e['input'])}; allowed: a mapping of keys: {', '.join(model.model_fields)}")
        else:
            said.append(f"{where}: got {e['input']!r}: {e['msg']}")
    return "; ".join(said)
