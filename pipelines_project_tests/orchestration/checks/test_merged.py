"""Each check of a merged table passes where its truth holds, and tells where it does not."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import dagster as dg
import pytest

from pipelines_project.sandbox.help_desk import StoredHelpDesk
from pipelines_project_tests.code_location import CodeLocation
from pipelines_project_tests.freshdesk_location import freshdesk_location, warehouse_key
from pipelines_project_tests.landings import write_load

_UNIQUE = "tickets_have_unique_ids"
_IN_MONTH = "tickets_were_updated_in_their_month"
_MATCH = "warehouse_rows_match_landing"
_KNOWN = "tickets_refer_to_known_rows"


def _row(row_id: int, day: str, **fields: Any) -> dict[str, Any]:
    moment = datetime.fromisoformat(f"2024-{day}T00:00:00+00:00")
    return {"id": row_id, "updated_at": moment, **fields}


_ROWS = {
    "tickets": [
        _row(1, "01-05", requester_id=11, responder_id=21, group_id=31, spam=False, deleted=False),
        _row(
            2, "01-06", requester_id=21, responder_id=None, group_id=None, spam=True, deleted=None
        ),
        _row(3, "02-07", requester_id=11, responder_id=21, group_id=31, spam=False, deleted=False),
    ],
    "contacts": [_row(11, "01-01", blocked=False, deleted=False)],
    "agents": [_row(21, "01-01")],
    "groups": [_row(31, "01-01")],
}
_DESK = StoredHelpDesk({})


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two months of tickets, and one of whom they refer to, landed and loaded."""
    folder = tmp_path_factory.mktemp("sound")
    with freshdesk_location(folder, _DESK) as location:
        for table, month in (("tickets", "2024-02"), *((table, "2024-01") for table in _ROWS)):
            rows = [row for row in _ROWS[table] if row["updated_at"].strftime("%Y-%m") == month]
            place = location.landing.month("freshdesk", table, month)
            write_load(place, "1.5", [rows])
        others = [warehouse_key(table) for table in _ROWS if table != "tickets"]
        assert location.materialize("2024-01", *others).result.success
        months = "2024-01...2024-02"
        assert location.materialize(months, warehouse_key("tickets")).result.success
    return folder


@pytest.fixture
def location(landed: Path, tmp_path: Path) -> Iterator[CodeLocation]:
    copytree(landed, tmp_path / "copy")
    with freshdesk_location(tmp_path / "copy", _DESK) as location:
        yield location


def _check(location: CodeLocation, table: str = "tickets") -> dict[str, dg.AssetCheckEvaluation]:
    key = dg.AssetKey.from_user_string(warehouse_key(table))
    job = dg.define_asset_job("checks_alone", dg.AssetSelection.checks_for_assets(key))
    defs = dg.Definitions.merge(location.defs, dg.Definitions(jobs=[job]))
    return location.run(defs.resolve_job_def("checks_alone")).checks()


def _execute(location: CodeLocation, sql: str) -> None:
    with location.warehouse.connect() as connection:
        connection.execute(sql)


def _said(check: dg.AssetCheckEvaluation, name: str = "wrong") -> Any:
    return check.metadata[name].value


@pytest.mark.stack
def test_they_pass_where_all_is_sound(location: CodeLocation) -> None:
    checks = _check(location)

    names = (_UNIQUE, _IN_MONTH, _MATCH, _KNOWN)
    assert {name: check.passed for name, check in checks.items()} == dict.fromkeys(names, True)
    assert _said(checks[_MATCH], "months") == ["2024-01", "2024-02"]


@pytest.mark.stack
def test_they_pass_although_a_ticket_moved_on(location: CodeLocation) -> None:
    _execute(
        location,
        "update freshdesk.tickets set month = '2024-02', updated_at = '2024-02-03' where id = 1",
    )

    assert all(check.passed for check in _check(location).values())


@pytest.mark.stack
def test_an_id_that_is_there_twice_in_two_months_is_found(location: CodeLocation) -> None:
    _execute(
        location,
        "insert into freshdesk.tickets by name select * replace ('2024-02' as month) "
        "from freshdesk.tickets where id = 1",
    )
    checks = _check(location)

    assert not checks[_UNIQUE].passed
    assert _said(checks[_UNIQUE]) == {"1": "2 rows, of 2024-01, 2024-02"}
    assert list(_said(checks[_IN_MONTH])) == ["2024-02"]


@pytest.mark.parametrize(
    "harm",
    [
        "delete from freshdesk.tickets where id = 2",
        "update freshdesk.tickets set updated_at = '2024-01-02' where id = 2",
    ],
)
def test_a_ticket_that_the_warehouse_lacks_or_has_in_an_older_version_is_found(
    location: CodeLocation, harm: str
) -> None:
    _execute(location, harm)
    checks = _check(location)

    assert not checks[_MATCH].passed
    assert _said(checks[_MATCH]) == {"2024-01": "1 ids missing or older, for example 2"}


def test_what_nobody_knows_is_a_warning_with_the_count(location: CodeLocation) -> None:
    _execute(location, "update freshdesk.tickets set requester_id = 99, group_id = 99 where id < 3")
    known = _check(location)[_KNOWN]

    assert not known.passed
    assert known.severity is dg.AssetCheckSeverity.WARN
    assert _said(known, "wrong") == {
        # Not whose the rows are.
        "requester_id": "unknown in 2 rows",
        "group_id": "unknown in 2 rows, for example 99",
    }


def test_who_was_never_landed_is_not_known(location: CodeLocation) -> None:
    _execute(location, "drop table freshdesk.contacts; drop table freshdesk.groups")

    assert _said(_check(location)[_KNOWN], "wrong") == {
        "requester_id": "unknown in 2 rows",
        "group_id": "unknown in 2 rows, for example 31",
    }


def test_months_that_are_landed_and_not_loaded_are_found(location: CodeLocation) -> None:
    _execute(location, "drop table freshdesk.tickets")
    checks = _check(location)

    assert _said(checks[_MATCH]) == dict.fromkeys(("2024-01", "2024-02"), "nothing was ever loaded")
    assert checks[_UNIQUE].passed
    assert checks[_KNOWN].passed
