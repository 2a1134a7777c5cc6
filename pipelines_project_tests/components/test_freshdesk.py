"""The Freshdesk source from API to warehouse: nothing missing, nothing old, no key to be seen."""

import json
import logging
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines_project import definitions
from pipelines_project.components.freshdesk import FreshdeskSource
from pipelines_project.sandbox.freshdesk import KEY
from pipelines_project.sandbox.freshdesk_quota import Quota
from pipelines_project.sandbox.help_desk import HelpDesk, StoredHelpDesk, recorded_help_desk
from pipelines_project.sandbox.made_up_help_desk import MadeUpHelpDesk
from pipelines_project.sources.freshdesk.columns import TABLES
from pipelines_project_tests.code_location import CodeLocation
from pipelines_project_tests.freshdesk_location import (
    both,
    freshdesk_location,
    landing_key,
    warehouse_key,
)
from pipelines_project_tests.landings import rows_of

_YEAR = "2024-01...2024-12"


def _warehouse_state(location: CodeLocation) -> dict[int, tuple[Any, ...]]:
    query = """select id, strftime(updated_at, '%Y-%m-%dT%H:%M:%SZ'), status, spam, deleted,
        strftime(updated_at, '%Y-%m') = month from freshdesk.tickets"""
    rows = location.warehouse.rows(query)
    state = {row[0]: row[1:] for row in rows}
    assert len(state) == len(rows)
    return state


def _service_state(desk: HelpDesk) -> dict[int, tuple[Any, ...]]:
    return {
        row["id"]: (row["updated_at"], row["status"], row["spam"], row["deleted"], True)
        for row in desk.rows("tickets") or []
    }


@pytest.mark.stack
@pytest.mark.long
def test_the_warehouse_equals_the_service_after_a_year_twice_and_an_old_month_again(
    tmp_path: Path,
) -> None:
    made_up = MadeUpHelpDesk(12, "2024-01", as_of=datetime(2024, 12, 20, tzinfo=UTC))
    desk = StoredHelpDesk({"tickets": made_up.rows("tickets") or []})
    with freshdesk_location(tmp_path, desk) as location:
        for _ in range(2):
            assert location.materialize(_YEAR, *both("tickets")).result.success
            assert _warehouse_state(location) == _service_state(desk)

        march = [row for row in desk.rows("tickets") or [] if "2024-03" in row["updated_at"]]
        assert len(march) >= 8
        before = _warehouse_state(location)
        for row in march[::2]:
            desk.change("tickets", row["id"], updated_at="2024-12-24T08:00:00Z", status=5)

        # Half of March is gone from March, and not landed anywhere else yet.
        assert location.materialize("2024-03", *both("tickets")).result.success
        assert _warehouse_state(location) == before
        assert location.materialize("2024-12", *both("tickets")).result.success
        assert _warehouse_state(location) == _service_state(desk)
        assert location.materialize("2024-03", *both("tickets")).result.success
        assert _warehouse_state(location) == _service_state(desk)
        assert all(check.passed for check in _merge_checks(location, "tickets").values())


def _merge_checks(location: CodeLocation, table: str) -> dict[str, dg.AssetCheckEvaluation]:
    selection = dg.AssetSelection.checks_for_assets(
        dg.AssetKey.from_user_string(warehouse_key(table))
    )
    job = dg.define_asset_job("checks_alone", selection)
    defs = dg.Definitions.merge(location.defs, dg.Definitions(jobs=[job]))
    checks = location.run(defs.resolve_job_def("checks_alone")).checks()
    checks.pop("tickets_refer_to_known_rows", None)
    assert checks
    return checks


_RECORDED = ["tickets", "contacts", "companies", "agents", "groups"]


@pytest.mark.stack
def test_recorded_answers_land_with_every_field(recorded_data: Path, tmp_path: Path) -> None:
    folder = recorded_data / "freshdesk"
    answered = {table: json.loads((folder / f"{table}.json").read_bytes()) for table in _RECORDED}
    months = {
        month: [table for table, rows in answered.items() if month in _months_of(rows)]
        for month in sorted({month for rows in answered.values() for month in _months_of(rows)})
    }
    with freshdesk_location(tmp_path, recorded_help_desk(folder)) as location:
        for month, tables in months.items():
            assert location.materialize(month, *both(*tables)).result.success
        for table, rows in answered.items():
            landed = {
                row["id"]: row
                for month in _months_of(rows)
                for row in _landed_rows(location, table, month)
            }
            loaded = location.warehouse.rows(f"select id from freshdesk.{table}")
            assert {row_id for (row_id,) in loaded} == {*landed} == {row["id"] for row in rows}
            for row in rows:
                for name, value in _flat(row).items():
                    assert _read_back(landed[row["id"]], name) == value, (table, name)


def _months_of(rows: list[dict[str, Any]]) -> set[str]:
    return {row["updated_at"][:7] for row in rows}


def _landed_rows(location: CodeLocation, table: str, month: str) -> list[dict[str, Any]]:
    place = location.landing.month("freshdesk", table, month)
    return rows_of(location.landing, place.current_files())


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and name != "custom_fields":
            fields |= _flat(value, f"{prefix}{name}__")
        else:
            fields[f"{prefix}{name}"] = value
    for name, value in (row.get("custom_fields") or {}).items():
        if value is not None:
            fields[f"custom_fields__{name}"] = value
    return fields


def _read_back(row: Mapping[str, Any], name: str) -> Any:
    """Return a landed value as the API writes it; a column that is missing is an error."""
    value = row[name]
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if name.endswith(("emails", "tags", "domains")) or name == "custom_fields":
        return value and json.loads(value)
    return value


@pytest.mark.stack
def test_tickets_that_share_an_instant_both_land(recorded_data: Path, tmp_path: Path) -> None:
    desk = recorded_help_desk(recorded_data / "freshdesk")
    moments = {row["id"]: row["updated_at"] for row in desk.rows("tickets") or []}
    assert moments[3] == moments[7]
    with freshdesk_location(tmp_path, desk) as location:
        location.materialize(moments[3][:7], *both("tickets"))
        rows = location.warehouse.rows("select id from freshdesk.tickets where id in (3, 7)")

    assert sorted(rows) == [(3,), (7,)]


@pytest.mark.stack
@pytest.mark.long
def test_each_table_can_be_asked_for_alone_and_a_list_once_for_many_months(tmp_path: Path) -> None:
    desk = MadeUpHelpDesk(5, "2024-01", as_of=datetime(2024, 3, 20, tzinfo=UTC))
    with freshdesk_location(tmp_path, desk) as location:
        for table in TABLES:
            run = location.materialize("2024-01...2024-02", landing_key(table))
            rows = [
                month["dagster/partition_row_count"]
                for month in run.materialized(landing_key(table)).values()
            ]
            assert len(rows) == 2
            assert sum(rows) > 0
        asked = {table: len(location.faults.asked(table)) for table in TABLES}
        # The recorded answers, which are loaded too, have no roles.
        assert location.materialize("2024-01", warehouse_key("roles")).result.success
        [(roles,)] = location.warehouse.rows("select count(*) from freshdesk.roles")
        assert roles > 0

    assert asked == {
        "tickets": 6,
        "contacts": 3,
        "companies": 1,
        "agents": 1,
        "groups": 1,
        "roles": 1,
    }


@pytest.mark.stack
def test_requests_that_are_refused_now_and_then_are_counted_and_lose_nothing(
    tmp_path: Path,
) -> None:
    desk = MadeUpHelpDesk(5, "2024-01", as_of=datetime(2024, 3, 20, tzinfo=UTC))
    with freshdesk_location(tmp_path, desk, quota=Quota(refuse_every=3)) as location:
        run = location.materialize("2024-01", *both("tickets"))

        assert run.materialized(landing_key("tickets"))["2024-01"]["http_requests"] == 4
        assert set(_warehouse_state(location)) == {
            row["id"] for row in desk.rows("tickets") or [] if "2024-01" in row["updated_at"]
        }


@pytest.mark.stack
def test_an_account_that_refuses_for_ever_fails_every_month_and_waits_once(tmp_path: Path) -> None:
    quota = Quota(refuse_every=1)
    desk = StoredHelpDesk({"tickets": []})
    with freshdesk_location(tmp_path, desk, quota=quota, rate_limit_wait_seconds=1.5) as location:
        run = location.materialize(_YEAR, *both("tickets"))

    assert "12 of 12 months of landing/freshdesk/tickets failed" in run.error
    assert "127.0.0.1 answers 429" in run.error
    assert quota.requests == 2


_SECRET = "s3cret-key-of-the-tests"


@pytest.mark.stack
@pytest.mark.parametrize("served_key", [_SECRET, "another"])
def test_neither_key_nor_header_is_in_any_log_or_stored_metadata(
    tmp_path: Path,
    served_key: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Of a run that succeeds, and of one whose key is not the right one."""
    desk = MadeUpHelpDesk(5, "2024-01", as_of=datetime(2024, 1, 20, tzinfo=UTC))
    with (
        caplog.at_level(logging.DEBUG),
        freshdesk_location(tmp_path, desk, key=_SECRET, served_key=served_key) as location,
    ):
        for name in ("dlt", "urllib3"):
            caplog.set_level(logging.DEBUG, logger=name)
        run = location.materialize("2024-01", *both("tickets"))
        events = [str(event) for event in location.instance.all_logs(run.result.run_id)]
        shown = [*events, repr(location.defs), json.dumps(_reprs(location.defs))]
        sent = location.faults.requests[0].headers["authorization"]

    assert run.result.success == (served_key == _SECRET)
    files = [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    out = capfd.readouterr()
    encoded = b64encode(f"{_SECRET}:X".encode()).decode()
    assert sent == f"Basic {encoded}"
    for text in (caplog.text, out.out, out.err, run.error, *events, *shown, *files):
        assert _SECRET not in text
        assert encoded not in text


def _reprs(defs: dg.Definitions) -> list[str]:
    return [repr(each) for each in (*(defs.assets or ()), *(defs.jobs or ()))]


@pytest.mark.stack
@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"key": ""}, "FRESHDESK_API_KEY is not set"),
        ({"api_url": "", "domain": ""}, "FRESHDESK_DOMAIN is not set"),
        ({"api_url": "", "domain": "acme.example.com"}, "FRESHDESK_DOMAIN is 'acme.example.com'"),
        ({"api_url": "http://example.com"}, "FRESHDESK_API_URL is 'http://example.com'"),
    ],
)
def test_a_run_without_a_setting_fails_at_once_and_names_it(
    tmp_path: Path, settings: dict[str, Any], named: str
) -> None:
    with freshdesk_location(tmp_path, StoredHelpDesk({}), **settings) as location:
        run = location.materialize("2024-01", *both("groups"))

    assert named in run.error
    assert location.faults.requests == []


@pytest.mark.stack
def test_the_code_location_loads_without_any_setting_of_freshdesk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DOMAIN", "API_KEY", "API_URL", "START_MONTH"):
        monkeypatch.delenv(f"FRESHDESK_{name}", raising=False)

    keys = definitions.load().resolve_asset_graph().get_all_asset_keys()
    assert {key.to_user_string() for key in keys} >= {
        *both(*TABLES),
        "landing/chess/games",
        "marts/freshdesk/ticket_months",
        "marts/freshdesk/agent_load",
    }


@pytest.mark.stack
def test_the_schedule_is_hourly_and_off() -> None:
    defs = definitions.load()
    schedule = defs.resolve_schedule_def("freshdesk_materialize_schedule")

    assert schedule.cron_schedule == "15 * * * *"
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED


def test_a_wrong_key_fails_with_what_to_do(tmp_path: Path) -> None:
    with freshdesk_location(tmp_path, StoredHelpDesk({"groups": []}), key="x") as location:
        run = location.materialize("2024-01", *both("groups"))

    assert "does not know the key: correct FRESHDESK_API_KEY" in run.error
    assert KEY not in run.error


@pytest.mark.stack
def test_a_ticket_whose_deletion_did_not_touch_it_is_marked_when_its_month_runs_again(
    tmp_path: Path,
) -> None:
    moment = datetime(2024, 1, 5, tzinfo=UTC)
    made_up = MadeUpHelpDesk(5, "2024-01", as_of=moment + timedelta(days=2))
    desk = StoredHelpDesk({"tickets": made_up.rows("tickets") or []})
    with freshdesk_location(tmp_path, desk) as location:
        location.materialize("2024-01", *both("tickets"))
        desk.change("tickets", 1, deleted=True)
        location.materialize("2024-01", *both("tickets"))

        assert _warehouse_state(location) == _service_state(desk)
        assert _warehouse_state(location)[1][3] is True


def test_only_tickets_are_fetched_for_several_months_at_once() -> None:
    """The other lists are fetched once in a run: each month at once would fetch them anew."""
    tables = FreshdeskSource(domain="acme", months_at_once=5).monthly_tables()

    at_once = {table.name: table.months_at_once for table in tables}
    assert at_once == {**dict.fromkeys(TABLES, 1), "tickets": 5}


@pytest.mark.parametrize("months", [0, 33])
def test_months_at_once_are_bounded(months: int) -> None:
    with pytest.raises(ValueError, match="must be at least 1 and at most 32"):
        FreshdeskSource(domain="acme", months_at_once=months)
