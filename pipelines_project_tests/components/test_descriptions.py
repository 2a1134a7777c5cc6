"""What an editor and `dg utils inspect-component` show of each attribute of a `defs.yaml`."""

import pytest

from pipelines_project import components


@pytest.mark.parametrize("name", components.__all__)
def test_every_attribute_is_described(name: str) -> None:
    component = getattr(components, name)

    schema = component.get_model_cls().model_json_schema()

    assert {*schema["properties"]} == {*component.model().model_fields}
    parts = {name: schema, **schema.get("$defs", {})}
    assert [
        f"{part}.{attribute}"
        for part, its in parts.items()
        for attribute, described in its.get("properties", {}).items()
        if not described.get("description")
    ] == []
