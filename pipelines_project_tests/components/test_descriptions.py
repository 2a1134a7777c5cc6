"""What an editor and `dg utils inspect-component` show of each attribute of a `defs.yaml`."""

import pytest

from pipelines_project import components


@pytest.mark.parametrize("name", components.__all__)
def test_every_attribute_is_described(name: str) -> None:
    component = getattr(components, name)

    attributes = component.get_model_cls().model_json_schema()["properties"]

    assert {*attributes} == {*component.model().model_fields}
    assert [name for name, schema in attributes.items() if not schema.get("description")] == []
