"""The schema of a component's attributes, with what each of them is for."""

from copy import copy
from functools import cache
from typing import Any

from pydantic import BaseModel, create_model


@cache
def described_model(component: type[Any]) -> type[BaseModel]:
    """Return Dagster's model of a component's attributes, with the descriptions that it drops.

    It describes an attribute that has a default once more, with what a `Resolver` says of it, and
    that is nothing where pydantic's `Field` has the description.
    """
    model = component.model()
    described: dict[str, Any] = {}
    for name, attribute in model.model_fields.items():
        field = copy(attribute)
        field.description = field.description or component.model_fields[name].description
        described[name] = (field.annotation, field)
    return create_model(model.__name__, __base__=model, **described)
