"""The API of a library, served, looked at, landed and loaded as its README says."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines_project_tests.examples.reader import checkout

pytestmark = [pytest.mark.stack, pytest.mark.long]

_DAYS = {"2024-01": 31, "2024-02": 29, "2024-03": 31, "2024-04": 30, "2024-05": 31, "2024-06": 30}


def test_six_lists_are_landed_and_loaded_and_no_secret_is_printed(tmp_path: Path) -> None:
    place = checkout(tmp_path)

    printed = place.follow("examples/rest_api/README.md")

    months = f"{datetime.now(UTC):%Y-%m}"
    for table, rows_a_day in {"loans": 4, "visits": 3, "wishes": 1, "fines": 1}.items():
        counted = dict(
            place.rows(
                f"select month, count(*) from library.{table} "
                f"where month < '{months}' group by month"
            )
        )
        assert counted == {month: days * rows_a_day for month, days in _DAYS.items()}, table
    renewed = "select count(*) from library.renewals where _loans_id % 3 >= number"
    assert place.rows(renewed) == place.rows("select count(*) from library.renewals")
    assert place.rows(
        "select sum(id % 3) from library.loans where month < '2024-07'"
    ) == place.rows("select count(*) from library.renewals where month < '2024-07'")
    assert place.rows("select count(*) from library.books") == [(120,)]
    # The shell shows the settings that were pasted; nothing after them does.
    said = printed.partition("source .venv/bin/activate")[2]
    assert "library/fines" in said
    assert "of-the-library" not in said
