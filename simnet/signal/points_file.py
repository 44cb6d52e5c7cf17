"""Reading the YAML files of measurements without a network, with errors that say where and what."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from simnet.core.errors import SimnetError
from simnet.scenario.explain import explain
from simnet.scenario.load import validated
from simnet.scenario.yaml_tree import parse

MAX_FILE_BYTE = 1 << 20
Model = TypeVar("Model", bound=BaseModel)


def read_points_file(path: Path, model: type[Model]) -> Model:
    """The content of a file.

    Raises:
        SimnetError: not readable, too large, or a key is missing, unknown or wrong, with a line for every such key.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_FILE_BYTE + 1)
        if len(raw) > MAX_FILE_BYTE:
            raise SimnetError(f"{path}: larger than {MAX_FILE_BYTE} bytes; is it a file of points?")
        return validated(parse(raw.decode("utf-8"), lambda line: f"{path}:{line}"), model)
    except OSError as error:
        raise SimnetError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise SimnetError(f"{path}: cannot be read as YAML ({error})") from error


def in_words(error: ValidationError, model: type[BaseModel], data: object) -> str:
    """What was wrong when ``model`` validated ``data``, key by key, on one line."""
    return "; ".join(map(str, explain(error, model, data)))
