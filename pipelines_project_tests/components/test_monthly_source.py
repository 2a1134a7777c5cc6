"""The component: what a source's attributes make of it, its schedule, and which are refused."""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster.components.testing import create_defs_folder_sandbox

from pipelines_project.components.chess import ChessSource
from pipelines_project.months import month_of, previous_month
from pipelines_project_tests.code_location import (
    LANDING,
    WAREHOUSE,
    CodeLocation,
    code_location,
)

_ATTRIBUTES = {"players": "hikaru", "contact": "me@example.com", "start_month": "2023-01"}


@pytest.fixture(scope="module")
def chess(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeLocation]:
    with code_location(tmp_path_factory.mktemp("chess")) as location:
        yield location


def _load(attributes: dict[str, Any]) -> None:
    """Load a chess source whose defs.yaml has these attributes."""
    document = {
        "type": "pipelines_project.components.ChessSource",
        "attributes": attributes,
    }
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.defs_folder_path / "chess"
        folder.mkdir()
        (folder / "defs.yaml").write_text(yaml.safe_dump(document))
        with warnings.catch_warnings():
            # Dagster warns of what it does itself; loading a real project hides that.
            warnings.simplefilter("ignore")
            with sandbox.build_all_defs() as defs:
                assert defs.assets


def test_a_source_with_only_the_attributes_that_it_needs_loads() -> None:
    _load(_ATTRIBUTES)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("players", ""),
        ("players", "hikaru,"),
        ("players", "hikaru,magnus carlsen"),
        ("players", "hikaru/../erik"),
        ("players", "x" * 51),
        ("players", ["hikaru"]),
        ("contact", None),
        ("start_month", "2023"),
        ("start_month", "2023-13"),
        ("start_month", "2023-1"),
        ("start_month", "0000-01"),
        ("start_month", 202301),
        ("api_url", "api.chess.com/pub"),
        ("api_url", "ftp://api.chess.com"),
        ("api_url", "https://api.chess.com/pub?key=1"),
        ("cron", "every morning"),
        ("cron", "99 * * * *"),
        ("cron", ""),
        ("months_per_run", 0),
        ("months_per_run", -1),
        ("months_per_run", "many"),
        ("keep_loads", -1),
        ("keep_loads", "all"),
        ("publish", "athena"),
        ("allow_shrink", "perhaps"),
        ("fresh_within_hours", 0),
        ("fresh_within_hours", "soon"),
        ("plyers", "hikaru"),
    ],
)
def test_a_wrong_value_is_refused_with_file_and_attribute(attribute: str, value: Any) -> None:
    said = _refusal(_ATTRIBUTES | {attribute: value})

    assert "defs.yaml" in said
    assert attribute in said


@pytest.mark.parametrize(
    ("landing_url", "database", "told"),
    [
        ("", "", "a landing zone in S3, because Athena reads there: LANDING_URL is not set"),
        ("gs://bucket/landing", "", "LANDING_URL is 'gs://bucket/landing'"),
        ("s3://bucket/landing", "My-Database", "GLUE_DATABASE is 'My-Database'"),
    ],
)
def test_publishing_is_refused_where_athena_could_not_read(
    monkeypatch: pytest.MonkeyPatch, landing_url: str, database: str, told: str
) -> None:
    monkeypatch.setenv("LANDING_URL", landing_url)
    monkeypatch.setenv("GLUE_DATABASE", database)

    said = _refusal(_ATTRIBUTES | {"publish": "glue"})

    assert "publish" in said
    assert told in said


@pytest.mark.parametrize("missing", ["players", "contact"])
def test_an_attribute_without_a_default_is_asked_for(missing: str) -> None:
    said = _refusal({name: value for name, value in _ATTRIBUTES.items() if name != missing})

    assert "defs.yaml" in said
    assert missing in said


def _refusal(attributes: dict[str, Any]) -> str:
    """Return what is said of attributes that do not load, by every error of the chain."""
    with pytest.raises(Exception, match=r"defs\.yaml") as raised:
        _load(attributes)
    error, said = raised.value, []
    while error:
        said.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(said)


def test_every_attribute_is_described() -> None:
    fields = ChessSource.model_fields

    assert {"players", "contact", "api_url", "start_month", "cron", "months_per_run"} <= {*fields}
    assert {"allow_shrink", "keep_loads", "fresh_within_hours"} <= {*fields}
    assert [name for name, field in fields.items() if not field.description] == []


def test_months_begin_at_the_start_month_and_end_with_the_current_one(chess: CodeLocation) -> None:
    graph = chess.with_attributes(start_month="2023-05").defs.resolve_asset_graph()

    for key in (LANDING, WAREHOUSE):
        partitions = graph.get(dg.AssetKey.from_user_string(key)).partitions_def
        assert partitions
        months = partitions.get_partition_keys()
        assert (months[0], months[-1]) == ("2023-05", month_of(datetime.now(UTC)))


def test_one_run_takes_any_number_of_months_unless_months_per_run_says_otherwise(
    chess: CodeLocation,
) -> None:
    split = chess.with_attributes(months_per_run=3).defs.resolve_asset_graph()
    whole = chess.with_attributes().defs.resolve_asset_graph()

    for key in (LANDING, WAREHOUSE):
        asset = dg.AssetKey.from_user_string(key)
        assert whole.get(asset).backfill_policy == dg.BackfillPolicy.single_run()
        assert split.get(asset).backfill_policy == dg.BackfillPolicy.multi_run(3)


@pytest.mark.stack
@pytest.mark.parametrize("months", ["2023-03...2023-04", "2023-01", "2023-02...2023-02"])
def test_a_split_backfill_lands_loads_and_checks_its_months(
    chess: CodeLocation, months: str
) -> None:
    run = chess.with_attributes(months_per_run=2).materialize(months)

    asked = sorted({*months.split("...")})
    checks = run.checks()
    assert run.result.success
    assert [*run.materialized()] == [*run.materialized(WAREHOUSE)] == asked
    assert checks["warehouse_rows_match_landing"].metadata["months"].value == asked


def _tick(location: CodeLocation, moment: datetime) -> list[dg.RunRequest]:
    """Return what the schedule asks for at a moment."""
    schedule = location.defs.resolve_schedule_def("chess_materialize_schedule")
    context = dg.build_schedule_context(
        location.instance,
        scheduled_execution_time=moment,
        repository_def=location.defs.get_repository_def(),
    )
    return [*(schedule.evaluate_tick(context).run_requests or [])]


@pytest.mark.parametrize(
    ("moment", "months"),
    [
        ("2024-03-01T05:30", ["2024-02", "2024-03"]),
        ("2024-03-03T17:30", ["2024-02", "2024-03"]),
        ("2024-03-04T05:30", ["2024-03"]),
        ("2024-03-31T17:30", ["2024-03"]),
        ("2024-01-02T05:30", ["2023-12", "2024-01"]),
    ],
)
def test_the_schedule_asks_for_the_current_month_and_at_first_for_the_one_before(
    chess: CodeLocation, moment: str, months: list[str]
) -> None:
    requests = _tick(chess, datetime.fromisoformat(moment).replace(tzinfo=UTC))

    assert [request.partition_key for request in requests] == months


def test_the_schedule_asks_for_no_month_before_the_first(chess: CodeLocation) -> None:
    source = chess.with_attributes(start_month="2024-03")

    requests = _tick(source, datetime(2024, 3, 2, 6, tzinfo=UTC))

    assert [request.partition_key for request in requests] == ["2024-03"]


def test_each_tick_of_the_schedule_has_run_keys_of_its_own(chess: CodeLocation) -> None:
    first = datetime(2024, 3, 2, 5, 30, tzinfo=UTC)
    ticks = [first, first, first + timedelta(hours=12), first + timedelta(days=1)]

    keys = [[request.run_key for request in _tick(chess, tick)] for tick in ticks]

    assert keys[0] == keys[1]
    assert len({key for each in keys for key in each}) == 6


def test_the_schedule_is_off_until_someone_switches_it_on(chess: CodeLocation) -> None:
    schedule = chess.defs.resolve_schedule_def("chess_materialize_schedule")

    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert schedule.cron_schedule == "30 5,17 * * *"
    assert schedule.execution_timezone in (None, "UTC")
    assert schedule.job_name == "chess_materialize"


def test_the_cron_of_the_schedule_is_an_attribute(chess: CodeLocation) -> None:
    defs = chess.with_attributes(cron="0 7 * * 1").defs

    schedule = defs.resolve_schedule_def("chess_materialize_schedule")
    assert schedule.cron_schedule == "0 7 * * 1"


def test_a_source_without_cron_has_no_schedule(chess: CodeLocation) -> None:
    assert not chess.with_attributes(cron=None).defs.schedules


def test_what_the_schedule_asks_for_lands_loads_and_models_the_month(chess: CodeLocation) -> None:
    month = previous_month(month_of(datetime.now(UTC)))

    run = chess.run(chess.defs.resolve_job_def("chess_materialize"), month)

    assert run.result.success
    assert [*run.materialized(LANDING)] == [*run.materialized(WAREHOUSE)] == [month]
    assert run.materialized("marts/chess/openings")[""]["dagster/row_count"] > 0
    assert run.materialized("marts/chess/player_months")[month]["dagster/partition_row_count"] > 0
