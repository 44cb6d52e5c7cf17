"""Fields that name a plug-in: ``topology: {kind: city, gateways: 4}``; the plug-in's own ``Params`` checks the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema, to_json

from simnet.core.errors import UnknownName, nearest
from simnet.core.plugins import PluginKind


@dataclass(frozen=True)
class PluginSpec:
    """A plug-in named by a scenario, with its checked parameters."""

    kind: str
    params: BaseModel

    def as_dict(self) -> dict[str, Any]:
        """The mapping that a YAML file would give, defaults filled in."""
        return {"kind": self.kind, **self.params.model_dump(mode="json")}


@dataclass(frozen=True)
class PluginField:
    """Annotation of a field that holds a :class:`PluginSpec` of one kind. Loads a plug-in's file only when named."""

    plugin: PluginKind

    def validate(self, value: object) -> PluginSpec:
        if isinstance(value, PluginSpec):
            return value
        if isinstance(value, str):
            value = {"kind": value}
        if not isinstance(value, Mapping):
            form = f"a name, or a mapping with 'kind' and its parameters, of: {', '.join(self.plugin.names())}"
            raise self._error("plugin", (), value, f"got {value!r}; allowed: {form}")
        if "kind" not in value:
            near = nearest("kind", map(str, value))
            got = "got no 'kind'" + (f" but {near!r}" if near else "")
            raise self._error("plugin", ("kind",), value, f"{got}; allowed: {', '.join(self.plugin.names())}")
        try:
            found = self.plugin.load(value["kind"]) if isinstance(value["kind"], str) else None
            if found is None:
                raise UnknownName(self.plugin.word, value["kind"], self.plugin.names())
        except UnknownName as error:
            raise self._error("plugin", ("kind",), value["kind"], str(error)) from None
        params = {key: item for key, item in value.items() if key != "kind"}
        # by way of JSON: strict ("5" and true are no numbers), yet lists may fill tuples and text may fill paths
        return PluginSpec(value["kind"], found.Params.model_validate_json(to_json(params), strict=True))

    def _error(self, type_: str, loc: tuple[str, ...], got: object, message: str) -> ValidationError:
        detail = InitErrorDetails(type=PydanticCustomError(type_, "{text}", {"text": message}), loc=loc, input=got)
        return ValidationError.from_exception_data(self.plugin.word, [detail])

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.validate, serialization=core_schema.plain_serializer_function_ser_schema(PluginSpec.as_dict)
        )

    def __get_pydantic_json_schema__(self, _core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """One alternative per plug-in, with its parameters; imports every file of the kind."""
        alternatives = []
        for name in self.plugin.names():
            schema = handler.resolve_ref_schema(handler(self.plugin.load(name).Params.__pydantic_core_schema__))
            changes = {
                "description": self.plugin.summary(name),
                "properties": {"kind": {"const": name}, **schema.get("properties", {})},
                "required": ["kind", *schema.get("required", [])],
            }
            alternatives.append(schema | changes)
        return {"anyOf": [{"enum": self.plugin.names()}, *alternatives]}
