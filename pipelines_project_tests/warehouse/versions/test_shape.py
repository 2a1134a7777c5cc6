"""What a series of changes makes of a table's columns."""

import pytest

from pipelines_project.warehouse.versions.shape import Shape, shapes_after
from pipelines_project.warehouse.versions.statements import parse


def _after(*statements: str) -> Shape:
    changes = [change for sql in statements for change in parse(sql, "s")]
    return shapes_after(changes)["t"]


def _rename(column: str, to: str) -> str:
    return f"alter table s.t rename column {column} to {to}"


def _drop(column: str) -> str:
    return f"alter table s.t drop column {column}"


def test_a_landed_column_has_the_name_that_it_was_given_last() -> None:
    shape = _after(_rename("a", "b"), _rename("b", "c"), _drop("d"))

    assert [shape.name(landed) for landed in "abcde"] == ["c", "c", "c", None, "e"]
    assert shape.names("aed") == ["c", "e"]


def test_two_columns_can_change_their_names() -> None:
    shape = _after(_rename("a", "x"), _rename("b", "a"), _rename("x", "b"))

    assert shape.names("ab") == ["b", "a"]


def test_a_dropped_column_leaves_its_name_to_another() -> None:
    shape = _after(_drop("b"), _rename("a", "b"))

    assert [shape.name("a"), shape.name("b")] == ["b", None]


def test_types_and_indexes_follow_a_renaming() -> None:
    shape = _after(
        "alter table s.t alter column a type bigint",
        "create index i on s.t (a, b)",
        _rename("a", "c"),
    )

    assert shape.types == {"c": ("BIGINT",)}
    assert shape.indexes["i"].columns == ("c", "b")


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        ([_drop("a"), _rename("a", "b")], "a was renamed or dropped before"),
        ([_rename("a", "b"), _drop("a")], "a was renamed or dropped before"),
        ([_rename("a", "b"), "create index i on s.t (a)"], "a was renamed or dropped before"),
        ([_rename("a", "c"), _rename("b", "c")], "another column was renamed to c before"),
        (["create index i on s.t (a)", _drop("a")], "drop the index i first"),
        (["create index i on s.t (a)"] * 2, "there is an index i already"),
        (["drop index s.i"], "no version has created the index i"),
        (["drop table s.t", _drop("a")], "t was dropped before"),
    ],
)
def test_a_change_that_cannot_follow_those_before_it_is_refused(
    statements: list[str], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        _after(*statements)
