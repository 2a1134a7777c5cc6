"""`python -m pipelines_project.components`: the JSON schema of every component type, for editors.

With `reference` it prints the page of `docs/reference/components.md` instead.

`dg utils generate-component-schema` leaves out the types of the project that it is run in.
"""

import inspect
import json
import sys
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, create_model

from pipelines_project import components
from pipelines_project.components.reference import reference


def schema() -> dict[str, Any]:
    """Return the schema of one document of a `defs.yaml`."""
    found = (getattr(components, name) for name in components.__all__)
    types = [_document(each) for each in found if not inspect.isabstract(each)]
    union: Any = Annotated[reduce(or_, types), Field(discriminator="type")]
    return TypeAdapter(union).json_schema()


def _document(component: Any) -> type[BaseModel]:
    fields: dict[str, Any] = {
        "type": Literal[f"{components.__name__}.{component.__name__}"],
        "attributes": component.get_model_cls(),
    }
    return create_model(component.__name__, __doc__=inspect.getdoc(component), **fields)


if __name__ == "__main__":
    is_reference = sys.argv[1:] == ["reference"]
    sys.stdout.write(reference(schema()) if is_reference else f"{json.dumps(schema(), indent=2)}\n")
