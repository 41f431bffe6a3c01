"""The JSON Schema of the configuration file, for editors."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonRef, JsonSchemaValue
from pydantic_core import core_schema

from nbsweep.core.pacing import Rate
from nbsweep.settings.descriptions import descriptions
from nbsweep.settings.fields.units import format_duration, format_share
from nbsweep.settings.file import Settings

DRAFT = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER = "urn:nbsweep:configuration"
REFERENCE: dict[str, Any] = {
    "description": "The name of an environment variable that holds the value: ${NAME} or ${NAME:-default}.",
    "type": "string",
    "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}",
}
NARROW = ("pattern", "enum", "const")


def settings_schema() -> dict[str, Any]:
    """Describe the file: its keys, the forms of their values, and what each is for."""
    schema: dict[str, Any] = _tidied(Settings.model_json_schema(schema_generator=_Generator))
    definitions = {**schema.pop("$defs"), "Reference": REFERENCE}
    return {"$schema": DRAFT, "$id": IDENTIFIER, "title": "nbsweep", **schema, "$defs": definitions}


class _Generator(GenerateJsonSchema):
    """Writes defaults the way the file does, and says what each key is for."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        described = super().model_schema(schema)
        for key, text in descriptions(schema["cls"]).items():
            form = described["properties"][key]
            if text != self._said_of(form.get("$ref")):
                form["description"] = text
        return described

    def _said_of(self, reference: JsonRef | None) -> str | None:
        """Return the description of a referenced group, which need not be repeated."""
        group = self.json_to_defs_refs.get(reference) if reference else None
        return self.definitions[group].get("description") if group in self.definitions else None

    def encode_default(self, dft: Any) -> Any:
        match dft:
            case timedelta():
                return format_duration(dft)
            case Fraction():
                return format_share(dft)
            case Rate():
                return str(dft)
            case _:
                return super().encode_default(dft)


def _tidied(schema: Any) -> Any:
    """Drop titles that repeat a key and defaults that say nothing, and let `${NAME}` in where not every text is welcome."""
    if isinstance(schema, list):
        return [_tidied(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: _tidied(part) for key, part in schema.items() if key != "title" and not (key == "default" and part in (None, []))
    }
    return _or_reference(kept)


def _or_reference(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") not in {"integer", "boolean"} and not any(key in schema for key in NARROW):
        return schema
    about = {key: schema[key] for key in schema if key in {"description", "default"}}
    form = {key: schema[key] for key in schema if key not in about}
    return {**about, "anyOf": [form, {"$ref": "#/$defs/Reference"}]}
