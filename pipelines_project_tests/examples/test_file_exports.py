"""CSV and Excel files, made, looked at, landed and loaded as their README says."""

from decimal import Decimal
from pathlib import Path

import pytest

from pipelines_project_tests.examples.reader import checkout

pytestmark = [pytest.mark.stack, pytest.mark.long]

_MONTHS = [f"2024-{month:02d}" for month in range(1, 7)]
_DAYS = [31, 29, 31, 30, 31, 30]


def test_every_row_is_loaded_but_the_bad_one_which_is_in_quarantine(tmp_path: Path) -> None:
    place = checkout(tmp_path)

    printed = place.follow("examples/file_exports/README.md")

    assert "/Receipt No." in printed
    receipts = [days * 2 * 3 for days in _DAYS]
    receipts[2] -= 1
    for table, rows in {
        "orders": _DAYS,
        "receipts": receipts,
        "visitors": [days * 2 for days in _DAYS],
        "targets": [2] * 6,
    }.items():
        query = f"select month, count(*) from exports.{table} group by month order by month"
        assert place.rows(query) == list(zip(_MONTHS, rows, strict=True)), table
    bad = "select month, source_file, source_line, line from exports.receipts_quarantine"
    [(month, file, line, text)] = place.rows(bad)
    assert (month, line) == ("2024-03", 43)
    assert "12.5O" in text
    assert file.endswith("receipts/2024-03/south.csv")
    assert place.rows("select count(city), max(day)::varchar from exports.orders") == [
        (122, "2024-06-30")
    ]
    march = "select taken, target, manager from exports_marts.store_months where month = '2024-03'"
    # 93 receipts, each 0.75 more than the one before; the south's 42nd is the bad one.
    whole = sum((5 + n * Decimal("0.75") for n in range(93)), Decimal(0))
    assert place.rows(f"{march} order by store") == [
        (whole, 4030, "Ada"),
        (whole - (5 + 41 * Decimal("0.75")), 4030, None),
    ]
