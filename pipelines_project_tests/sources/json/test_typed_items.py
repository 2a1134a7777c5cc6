"""The objects of a list are parsed by Arrow into their columns, or refused where it is not sure."""

from typing import Any

import pytest

from pipelines_project.sources.json.arrow_parser import UnfitJsonError, schema_of
from pipelines_project.sources.json.shape import Shape
from pipelines_project.sources.json.typed_items import typed_items

SHAPE: Shape = {
    "i": "BIGINT",
    "d": "DOUBLE",
    "b": "BOOLEAN",
    "s": "VARCHAR",
    "o": {"x": "BIGINT", "y": {"z": "VARCHAR"}},
}
SCHEMA = schema_of(SHAPE)
_LIKE_NUMBERS = {"d": [1.5], "s": [" 0.1234567890123456789 -0 "]}


def _taken(document: bytes) -> dict[str, list[Any]]:
    """Return the values of each path, joined by dots, that are not all null."""
    assert SCHEMA
    count, found = typed_items(document, "items", SCHEMA)
    assert all(len(values) == count for values in found.values())
    return {
        ".".join(path): values.to_pylist()
        for path, values in found.items()
        if values.null_count < count
    }


@pytest.mark.parametrize(
    ("document", "values"),
    [
        (b'{"items": []}', {}),
        (b'{"items": [{}, {}]}', {}),
        (b'{"items":[{"i":9223372036854775807},{"i":null},{}]}', {"i": [2**63 - 1, None, None]}),
        (b'{\n "items": [\r\n{"i":\n1},\n\n{"i": 2}]\n}\n', {"i": [1, 2]}),
        (b'{"items":[{"o":{"x":5}},{"o":null},{"o":{}}]}', {"o.x": [5, None, None]}),
        (b'{"items":[{"o":{"y":{"z":"\\u00e9\\n\xc3\xa9"}}}]}', {"o.y.z": ["é\né"]}),
        (b'{"items":[{"d":0.30000000000000004},{"d":10}]}', {"d": [0.1 + 0.2, 10.0]}),
        (b'{"items":[{"d":5e-324},{"d":1.50},{"d":1E5}]}', {"d": [5e-324, 1.5, 1e5]}),
        (b'{"items":[{"d":1.5,"s":" 0.1234567890123456789 -0 "}]}', _LIKE_NUMBERS),
    ],
)
def test_objects_of_the_shape_become_the_values_of_its_paths(
    document: bytes, values: dict[str, list[Any]]
) -> None:
    assert _taken(document) == values


@pytest.mark.parametrize(
    "item",
    [
        b"null",
        b"1",
        b'"text"',
        b"[]",
        b'{"new":null}',
        b'{"I":1}',
        b'{"i":1,"i":1}',
        b'{"i":1,"\\u0069":2}',
        b'{"o":{"x":1,"x":2}}',
        b'{"o":{"new":1}}',
        b'{"o":[]}',
        b'{"o":1}',
        b'{"i":1.0}',
        b'{"i":1e3}',
        b'{"i":"1"}',
        b'{"i":9223372036854775808}',
        b'{"b":1}',
        b'{"s":1}',
        b'{"s":{}}',
        b'{"s":"\xff"}',
        b'{"s":"\\ud800"}',
        b'{"d":"1"}',
        b'{"d":-0}',
        b'{"d":-0.0}',
        b'{"d":NaN}',
        b'{"d":1e400}',
        b'{"d":1e-400}',
        b'{"d":9007199254740993}',
        b'{"d":0.1234567890123456789}',
        b'{"d":12345678901234567.5}',
    ],
)
@pytest.mark.parametrize("before", [b"", b'{"i":5,"d":1.5,"o":{"x":1}},'])
def test_an_object_that_is_not_surely_of_the_shape_is_refused(before: bytes, item: bytes) -> None:
    with pytest.raises(UnfitJsonError):
        _taken(b'{"items":[' + before + item + b"]}")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'null{"items":[]}',
        b'{"items":[]}null',
        b'{"items":null}',
        b'{"items":{}}',
        b'{"items":[],"more":1}',
        b'{"items":[],"items":[{"i":1}]}',
        b'{"items":[]}{"items":[]}',
        b'{"items":[{"i":1}',
        b'{"items":[]} x',
        b'\xef\xbb\xbf{"items":[],"more":1}',
    ],
)
def test_a_document_that_is_not_one_list_is_refused(document: bytes) -> None:
    with pytest.raises(UnfitJsonError):
        _taken(document)
