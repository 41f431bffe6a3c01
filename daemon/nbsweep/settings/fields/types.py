"""Shapes that a value of the configuration can have: one or a list, never null, of a certain form, without repeats."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, TypeVar

from msgspec import Struct
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

T = TypeVar("T")


class Written(Struct, frozen=True):
    """Text of a certain form."""

    pattern: str
    """Anchored, and read alike by Python and by JavaScript."""
    message: str
    """What is right."""

    def check(self, text: str | SecretStr) -> str | SecretStr:
        """Check the form of a text."""
        plain = text.get_secret_value() if isinstance(text, SecretStr) else text
        # Not `match`: there, `$` lets a line end pass.
        if not re.fullmatch(self.pattern, plain):
            raise ValueError(self.message)
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check after pydantic has seen that it is text."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add the pattern to the JSON Schema."""
        return {**handler(schema), "pattern": self.pattern}


class OrOne:
    """Lets a single value stand for a list of one."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add both forms to the JSON Schema."""
        several = handler(schema)
        return {"anyOf": [several["items"], several]}


class NeverNull:
    """Lets a key be left out, but not be null."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Remove the `| None` from the schema: the code needs it, and the file must not contain null."""
        nullable: Any = handler(source)
        inner: CoreSchema = nullable["schema"]
        return inner


class ShortForm(Struct, frozen=True):
    """Lets a group be written as the value of its most important key alone."""

    key: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Put a single value under the key, and check the group."""
        return core_schema.no_info_before_validator_function(self._spelled_out, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add both forms to the JSON Schema."""
        group = handler(schema)
        short = handler.resolve_ref_schema(group)["properties"][self.key]
        return {"anyOf": [{key: part for key, part in short.items() if key not in ("description", "title")}, group]}

    def _spelled_out(self, value: object) -> object:
        return {self.key: value} if isinstance(value, str | int | float) else value


class OrAll:
    """Lets the word `all` stand for a list of everything."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check lists alone: an error inside a union would be about every way at once."""
        union: Any = handler(source)
        _, several = union["choices"]
        unchanged = core_schema.plain_serializer_function_ser_schema(_unchanged)
        return core_schema.no_info_wrap_validator_function(self._validate, several, serialization=unchanged)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add both forms to the JSON Schema."""
        return {"anyOf": [{"const": "all"}, handler(schema)]}

    @staticmethod
    def _validate(value: object, handler: ValidatorFunctionWrapHandler) -> object:
        if value == "all":
            return value
        if isinstance(value, list | tuple):
            items: object = handler(value)
            return items
        raise ValueError("must be all, or a list of ids")


def _unchanged(value: object) -> object:
    return value


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def _different(items: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(items)) < len(items):
        raise ValueError("must not name the same one twice")
    return items


def _with_names_that_differ(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    return validated_with(value, handler, _repeated_names(value), "names")


def validated_with(
    value: object, handler: ValidatorFunctionWrapHandler, mistakes: Iterable[InitErrorDetails], title: str
) -> object:
    """Return the valid value, or report these mistakes together with everything else that is wrong inside.

    Raises:
        ValidationError: something is wrong.
    """
    found = list(mistakes)
    try:
        items: object = handler(value)
    except ValidationError as error:
        raise ValidationError.from_exception_data(error.title, [*_details(error), *found], hide_input=True) from None
    if found:
        raise ValidationError.from_exception_data(title, found, hide_input=True)
    return items


def _repeated_names(value: object) -> Iterator[InitErrorDetails]:
    first: dict[str, int] = {}
    for place, item in enumerate(value if isinstance(value, list | tuple) else ()):
        name = item.get("name") if isinstance(item, Mapping) else getattr(item, "name", None)
        if isinstance(name, str) and first.setdefault(name, place) != place:
            message = f"must differ from all other names; number {first[name] + 1} of this list is called the same"
            problem = PydanticCustomError("repeated_name", "{message}", {"message": message})
            yield InitErrorDetails(type=problem, loc=(place, "name"), input=None)


def _details(error: ValidationError) -> Iterator[InitErrorDetails]:
    for found in error.errors(include_url=False):
        problem = PydanticCustomError(found["type"], "{problem}", {"problem": found["msg"], **found.get("ctx", {})})
        yield InitErrorDetails(type=problem, loc=found["loc"], input=found["input"])


OneOrMore = Annotated[tuple[T, ...], Field(min_length=1), BeforeValidator(_listed), OrOne()]
"""One value, or a list of alternatives."""

IfGiven = Annotated[T | None, NeverNull()]
"""None when the key was left out."""

Different = Annotated[tuple[T, ...], Field(min_length=1), AfterValidator(_different)]
"""A list that names nothing twice."""

Distinct = Annotated[tuple[T, ...], Field(min_length=1), WrapValidator(_with_names_that_differ)]
"""A list of groups whose names differ."""
