"""Places of the schema: which type, with which constraints, stands at a key path; what may stand there, in words."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter

from simnet.core.errors import UnknownName
from simnet.scenario.errors import KeyPath
from simnet.scenario.plugin_field import PluginField


@dataclass(frozen=True)
class Place:
    """A place of the schema.

    Args:
        type: the annotation, with its constraints.
        data: what the user has put there; it names the plug-in whose parameters are meant.
        description: the field's own.
        key_of: where the place is a value of a mapping: the type of the mapping's keys.
    """

    type: Any
    data: object
    description: str | None = None
    key_of: Any = None

    def follow(self, path: KeyPath) -> Place:
        """The place that the key path leads to from here; of type Any where the schema knows no such path."""
        place = self
        for key in path:
            place = place._step(key)
        return place

    def _step(self, key: int | str) -> Place:
        type_, below = self._bare(), item(self.data, key)
        if _is_model(type_):
            field = type_.model_fields.get(key)
            if field is None:
                return Place(Any, below)
            constrained = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
            return Place(constrained, below, field.description)
        arguments = get_args(type_)
        if get_origin(type_) is dict:
            return Place(arguments[1], below, key_of=arguments[0])
        if get_origin(type_) in (tuple, list) and arguments:
            is_fixed = arguments[-1] is not Ellipsis and isinstance(key, int) and key < len(arguments)
            return Place(arguments[int(key) if is_fixed else 0], below)
        return Place(Any, below)

    def _bare(self) -> Any:
        """The type without ``Annotated``; the member of a union that is meant; the Params of the plug-in named."""
        type_ = self.type
        while True:
            if get_origin(type_) is Annotated:
                plugin = next((mark for mark in type_.__metadata__ if isinstance(mark, PluginField)), None)
                if plugin is not None:
                    return _params(plugin, self.data)
                type_ = get_args(type_)[0]
            elif get_origin(type_) in (Union, types.UnionType):
                meant = [member for member in get_args(type_) if _is_meant(member, self.data)]
                if not meant and isinstance(self.data, Mapping):  # the only model is meant, wrong as its words may be
                    meant = [member for member in get_args(type_) if _is_model(_unmarked(member))]
                if len(meant) != 1:
                    return Any
                type_ = meant[0]
            else:
                return type_

    def keys(self) -> list[str]:
        """Names of the keys that may stand here; empty where any may."""
        type_ = self._bare()
        names = list(type_.model_fields) if _is_model(type_) else []
        return ["kind", *names] if _is_model(type_) and type_ is not self.type and self._names_plugin() else names

    def _names_plugin(self) -> bool:
        return any(isinstance(mark, PluginField) for mark in getattr(self.type, "__metadata__", ()))

    def tags(self, key: str) -> list[str]:
        """Values of the key by which the members of a union of models are told apart."""
        members = get_args(get_args(self.type)[0] if get_origin(self.type) is Annotated else self.type)
        return [str(tag) for member in members for tag in get_args(member.model_fields[key].annotation)]

    def names(self) -> list[str]:
        """The closed list of values that may stand here; empty where it is not closed."""
        return _closed(_json_schema(self.type))

    def allowed(self) -> str:
        """What may stand here, in words."""
        if _is_model(self._bare()):
            return f"a mapping with keys of: {', '.join(self.keys())}"
        return _words(_json_schema(self.type))


def item(data: object, key: int | str) -> object:
    """What stands at the key of a mapping or list, None where nothing does."""
    if isinstance(data, Mapping):
        return data.get(key)
    return data[key] if isinstance(data, list) and isinstance(key, int) and key < len(data) else None


def _is_model(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, BaseModel)


def _unmarked(type_: Any) -> Any:
    """The type without ``Annotated``."""
    return get_args(type_)[0] if get_origin(type_) is Annotated else type_


def _is_meant(member: Any, data: object) -> bool:
    """Whether the data can mean this member of a union: it isn't None, and models' literals, such as tags, agree."""
    member = _unmarked(member)
    if not _is_model(member):
        if get_origin(member) in (tuple, list):
            return isinstance(data, list)
        is_scalar = member in (int, float, str, bool) or _is_literal(member)
        return member is not type(None) and not (is_scalar and isinstance(data, (Mapping, list)))
    if not isinstance(data, Mapping):
        return data is None
    literals = {name: get_args(f.annotation) for name, f in member.model_fields.items() if _is_literal(f.annotation)}
    return all(data[name] in values for name, values in literals.items() if name in data)


def _is_literal(type_: Any) -> bool:
    return get_origin(type_) is Literal


def _params(field: PluginField, data: object) -> Any:
    kind = data.get("kind") if isinstance(data, Mapping) else data
    try:
        return field.plugin.load(kind).Params if isinstance(kind, str) else Any
    except UnknownName:
        return Any


def _json_schema(type_: Any) -> dict[str, Any]:
    """JSON Schema of a place, but for mappings: theirs could pull in every plug-in, and says no more than the word."""
    if get_origin(type_) is dict or _is_model(type_):
        return {"type": "object"}
    return TypeAdapter(type_).json_schema()


def _closed(schema: dict[str, Any]) -> list[str]:
    if "anyOf" in schema:
        parts = [_closed(part) for part in schema["anyOf"] if part.get("type") != "null"]
        return [name for part in parts for name in part] if all(parts) else []
    return [str(name) for name in schema.get("enum", [schema["const"]] if "const" in schema else [])]


def _words(schema: dict[str, Any]) -> str:
    if alternatives := schema.get("anyOf", schema.get("oneOf")):
        return " or ".join(dict.fromkeys(_words(part) for part in alternatives))
    if "enum" in schema or "const" in schema:
        return ", ".join(_closed(schema))
    match schema.get("type", "object" if "$ref" in schema else None):
        case "integer":
            return f"a whole number{_range(schema)}"
        case "number":
            return f"a number{_range(schema)}"
        case "boolean":
            return "true or false"
        case "null":
            return "null"
        case "string":
            return "text" + (f" that matches {schema['pattern']}" if "pattern" in schema else "") + _length(schema)
        case "array" if "prefixItems" in schema:
            return f"a list of {len(schema['prefixItems'])} entries: {'; '.join(map(_words, schema['prefixItems']))}"
        case "array":
            least = f" of at least {schema['minItems']}" if "minItems" in schema else ""
            return f"a list{least}, each entry {_words(schema.get('items', {}))}"
        case "object":
            return "a mapping (KEY: VALUE lines)"
    return "any value"


def _range(schema: dict[str, Any]) -> str:
    if "minimum" in schema and "maximum" in schema:
        return f" {_number(schema['minimum'])}..{_number(schema['maximum'])}"
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return "".join(f" {sign} {_number(schema[word])}" for word, sign in signs.items() if word in schema)


def _number(bound: float) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)


def _length(schema: dict[str, Any]) -> str:
    return f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""
