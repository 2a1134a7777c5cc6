"""Two types of one column meet in a type that holds the values of both, or not at all."""

from collections.abc import Callable
from itertools import product

import duckdb
import pytest

from pipelines_project.warehouse.types import IrreconcilableTypesError, widened_type

NUMBERS = ("TINYINT", "BIGINT", "UBIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL(18,3)")
SINGLE_VALUES = (*NUMBERS, "VARCHAR", "BOOLEAN", "DATE", "TIME", "UUID", "TIMESTAMP")
OTHERS = ("TIMESTAMP WITH TIME ZONE", "BLOB", "INTEGER[]", "STRUCT(a INTEGER)", "TIMESTAMP_NS")
ALL = (*SINGLE_VALUES, *OTHERS)


def _yes(_: str) -> bool:
    return True


def _no(_: str) -> bool:
    return False


def _never(candidate: str) -> bool:
    raise AssertionError(f"no value need be looked at for {candidate}")


@pytest.mark.parametrize("kind", ALL)
def test_a_type_that_has_not_changed_stays(kind: str) -> None:
    assert widened_type(kind, kind, _never) == kind


@pytest.mark.parametrize(
    ("have", "new", "holds_both"),
    [
        ("BIGINT", "DOUBLE", "DOUBLE"),
        ("INTEGER", "BIGINT", "BIGINT"),
        ("SMALLINT", "HUGEINT", "HUGEINT"),
        ("UTINYINT", "UBIGINT", "UBIGINT"),
        ("BIGINT", "UBIGINT", "HUGEINT"),
        ("FLOAT", "DOUBLE", "DOUBLE"),
        ("FLOAT", "BIGINT", "DOUBLE"),
        ("DECIMAL(10,2)", "DOUBLE", "DOUBLE"),
        ("DECIMAL(10,2)", "DECIMAL(8,4)", "DECIMAL(12,4)"),
        ("DECIMAL(10,2)", "BIGINT", "DECIMAL(22,2)"),
        ("DECIMAL(10,2)", "HUGEINT", "DECIMAL(38,2)"),
        ("DECIMAL(38,30)", "DECIMAL(38,2)", "DECIMAL(38,30)"),
    ],
)
def test_numbers_meet_in_the_wider_number_or_in_text_if_a_value_would_change(
    have: str, new: str, holds_both: str
) -> None:
    for one, other in ((have, new), (new, have)):
        assert widened_type(one, other, _yes) == holds_both
        assert widened_type(one, other, _no) == "VARCHAR"


@pytest.mark.parametrize("kind", [*SINGLE_VALUES, "TIMESTAMP WITH TIME ZONE"])
def test_text_takes_every_single_value(kind: str) -> None:
    assert widened_type("VARCHAR", kind, _never) == "VARCHAR"
    assert widened_type(kind, "VARCHAR", _never) == "VARCHAR"


@pytest.mark.parametrize("number", NUMBERS)
def test_a_truth_value_and_a_number_meet_in_text(number: str) -> None:
    assert widened_type("BOOLEAN", number, _never) == "VARCHAR"
    assert widened_type(number, "BOOLEAN", _never) == "VARCHAR"


@pytest.mark.parametrize(
    ("have", "new"),
    [
        ("TIMESTAMP WITH TIME ZONE", "BIGINT"),
        ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP"),
        ("DATE", "TIMESTAMP"),
        ("BOOLEAN", "DATE"),
        ("BLOB", "VARCHAR"),
        ("INTEGER[]", "VARCHAR"),
        ("INTEGER[]", "BIGINT[]"),
        ("STRUCT(a INTEGER)", "STRUCT(b INTEGER)"),
        ("TIME", "DOUBLE"),
    ],
)
def test_types_that_nothing_holds_are_refused(have: str, new: str) -> None:
    for one, other in ((have, new), (new, have)):
        with pytest.raises(IrreconcilableTypesError, match="and"):
            widened_type(one, other, _yes)


@pytest.mark.parametrize("survives", [_yes, _no])
def test_every_type_that_is_chosen_is_one_of_duckdb_and_the_order_of_months_is_no_matter(
    survives: Callable[[str], bool],
) -> None:
    def met(one: str, other: str) -> str | None:
        try:
            return widened_type(one, other, survives)
        except IrreconcilableTypesError:
            return None

    chosen = {(one, other): met(one, other) for one, other in product(ALL, ALL)}

    assert all(chosen[one, other] == chosen[other, one] for one, other in chosen)
    with duckdb.connect() as connection:
        for kind in {kind for kind in chosen.values() if kind}:
            assert connection.execute(f"select null::{kind}").fetchall() == [(None,)]
