"""A part of a `defs.yaml`: its schema with descriptions, its errors with file, line, attribute."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Self, get_args, get_origin

import dagster as dg
from dagster.components.resolved.errors import ResolutionException
from pydantic import (
    BaseModel,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    create_model,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core.core_schema import CoreSchema, any_schema


class DocumentPart(dg.Resolvable):
    """A part of a document that says what each attribute is for, and where a wrong value is."""

    @classmethod
    def model(cls) -> type[BaseModel]:
        """Return what the document is read by."""
        return _described(cls, super().model())

    @classmethod
    def resolve_from_model(cls, context: dg.ResolutionContext, model: BaseModel) -> Self:
        """Return the part that the document describes.

        Raises:
            ResolutionException: a value is refused; it names file, line and attribute.
        """
        try:
            return super().resolve_from_model(context, model)
        except ValidationError as error:
            raise located(context, error, model.model_dump(warnings=False)) from None


@cache
def _described(part: type[Any], model: type[BaseModel]) -> type[BaseModel]:
    """Return Dagster's model of a part with the descriptions that it drops.

    It describes an attribute that has a default once more, with what a `Resolver` says of it, and
    that is nothing where pydantic's `Field` has the description. It also takes a text in place of
    every attribute, for a template; in place of a list of parts that would only double each error,
    and hide its line.
    """
    described: dict[str, Any] = {}
    for name, attribute in model.model_fields.items():
        field = copy(attribute)
        field.description = field.description or part.model_fields[name].description
        described[name] = (_without_text(field.annotation), field)
    return create_model(model.__name__, __base__=model, **described)


def _without_text(annotation: Any) -> Any:
    others = [each for each in get_args(annotation) if each is not str]
    if len(others) != 1 or get_origin(others[0]) not in (list, tuple):
        return annotation
    part = get_args(others[0])[0]
    return list[part] if isinstance(part, type) and issubclass(part, BaseModel) else annotation


def engine_settings(model: type[BaseModel]) -> dg.Resolver:
    """Return the resolver of an attribute that a model of the engine describes.

    Templates in it are resolved before it is checked, and its schema is the model's.
    """

    def resolve(context: dg.ResolutionContext, raw: Any) -> BaseModel | None:
        if raw is None:
            return None
        value = context.resolve_value(raw)
        try:
            return model.model_validate(value)
        except ValidationError as error:
            raise located(context, error, value) from None

    checked_later: Any = Annotated[Any, _CheckedLater(model)]
    return dg.Resolver(resolve, model_field_type=checked_later)


@dataclass(frozen=True)
class _CheckedLater:
    """Marks a value that has a model's schema and is checked only when its templates are resolved.

    pydantic's `SkipValidation` warns of such a value, and quotes it, when it is dumped.
    """

    model: type[BaseModel]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Take anything."""
        return any_schema()

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the model's own."""
        return handler(self.model.__pydantic_core_schema__)


def located(
    context: dg.ResolutionContext, error: ValidationError, value: Any
) -> ResolutionException:
    """Return an error that names file, line and attribute of each wrong value, and quotes none.

    Args:
        context: at the part of the document that is checked.
        error: what is wrong with it.
        value: the part.
    """
    return ResolutionException("\n".join(dict.fromkeys(_lines(context, error, value))))


def _lines(context: dg.ResolutionContext, error: ValidationError, value: Any) -> Iterator[str]:
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        path = [*context.path, *_in_document(each["loc"], value, each["type"])]
        where = ""
        if context.source_position_tree:
            at, _ = context.source_position_tree.lookup_closest_and_path(path, None)
            where = f"{at.filename}:{at.start.line} - "
        attribute = ".".join(map(str, path)) or "attributes"
        yield f"{where}{attribute}: {_sentence(each['type'], each['msg'])}"


def _in_document(found: Sequence[int | str], value: Any, kind: str) -> list[int | str]:
    """Return the path of a wrong value as the document has it, without the names of types."""
    path: list[int | str] = []
    for at, part in enumerate(found):
        inner: Any = value
        if _has(inner, part):
            value = inner[part]
        elif at < len(found) - 1 or kind != "missing":
            continue
        path.append(part)
    return path


def _has(value: Any, part: int | str) -> bool:
    if isinstance(value, list | tuple):
        return isinstance(part, int)
    return isinstance(value, dict) and part in value


def _sentence(kind: str, message: str) -> str:
    if kind == "union_tag_not_found":
        return "needs a type"
    if kind == "missing":
        return "is needed"
    return message.removeprefix("Value error, ")
