"""The whole code location beside a chess.com of its own, run as Dagster runs it."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster.components.testing.utils import component_defs

from pipelines_project import definitions
from pipelines_project.components.chess import ChessSource
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_archives import Archives
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.faults import Faults
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.kept import Service, empty_instance, service

LANDING = "landing/chess/games"
WAREHOUSE = "warehouse/chess/games"
MARTS = ("marts/chess/openings", "marts/chess/player_months")

TIDY = "chess_games_delete_stale_files"
LAND = "chess_games_land"

GAMES_PER_MONTH = 20
"""Of each player of the made-up chess.com."""


@dataclass(frozen=True)
class Run:
    """One run that has ended."""

    result: dg.ExecuteInProcessResult
    instance: dg.DagsterInstance

    @property
    def error(self) -> str:
        """What the failed steps say, or nothing."""
        failures = self.result.filter_events(lambda event: event.is_step_failure)
        return "\n".join(_text(event.step_failure_data) for event in failures)

    def log(self, level: str) -> list[str]:
        """Return what the run's log has of a level."""
        entries = self.instance.all_logs(self.result.run_id)
        return [each.user_message for each in entries if logging.getLevelName(each.level) == level]

    @property
    def failed_steps(self) -> list[str]:
        """The ops that failed."""
        failures = self.result.filter_events(lambda event: event.is_step_failure)
        return [(each.step_key or "").rpartition(".")[2] for each in failures]

    @property
    def output_metadata(self) -> dict[str, Any]:
        """What the ops of a job say of their outputs."""
        outputs = self.result.filter_events(lambda event: event.is_successful_output)
        said = [event.step_output_data.metadata for event in outputs]
        return {name: value.value for metadata in said for name, value in metadata.items()}

    def materialized(self, key: str = LANDING) -> dict[str, dict[str, Any]]:
        """Return the metadata of each month that the instance has recorded for the run."""
        records = self.instance.fetch_materializations(dg.AssetKey.from_user_string(key), 1000)
        found = [
            record.asset_materialization
            for record in records.records
            if record.run_id == self.result.run_id and record.asset_materialization
        ]
        return {
            each.partition or "": {name: value.value for name, value in each.metadata.items()}
            for each in reversed(found)
        }

    def checks(self) -> dict[str, dg.AssetCheckEvaluation]:
        """Return the evaluation of every check that has run, by its name."""
        return {each.check_name: each for each in self.result.get_asset_check_evaluations()}


def _text(failure: Any) -> str:
    said = failure.user_failure_data
    return said.description if said else failure.error.to_string()


@dataclass(frozen=True)
class CodeLocation:
    """What `defs/` holds, with the settings of its place.

    Attributes:
        defs: the definitions.
        instance: keeps the runs and their events.
        landing: where they land.
        warehouse: where they load.
        faults: makes the chess.com that they ask answer wrongly.
        api_url: its address.
        service: keeps definitions for the next test.
    """

    defs: dg.Definitions
    instance: dg.DagsterInstance
    landing: LandingZone
    warehouse: Warehouse
    faults: Faults
    api_url: str
    service: Service | None = None

    def with_attributes(self, **attributes: Any) -> "CodeLocation":
        """Return the chess source alone with other attributes, in the same place."""
        settings: dict[str, Any] = {"players": "hikaru,erik", "contact": "tests@example.com"}
        settings |= {"start_month": "2021-01", "api_url": self.api_url}
        settings |= attributes
        resources = {"landing": self.landing, "warehouse": self.warehouse}

        def load() -> dg.Definitions:
            return component_defs(component=ChessSource(**settings), resources=resources)

        defs = self.service.loaded(("alone", settings), load) if self.service else load()
        return replace(self, defs=defs)

    def materialize(self, months: str, *keys: str, **config: Any) -> Run:
        """Materialize months of assets in one run, which may fail.

        Args:
            months: one month, or the first and the last as `2024-01...2024-06`; `""` for none.
            keys: the assets; none for landing and warehouse.
            config: of the landing asset.
        """
        return self.run(
            self.defs.resolve_implicit_global_asset_job_def(),
            months,
            assets=[dg.AssetKey.from_user_string(key) for key in keys or (LANDING, WAREHOUSE)],
            config={"ops": {"landing__chess__games": {"config": config}}} if config else {},
        )

    def tidy(self, months: str, **config: Any) -> Run:
        """Run the job that deletes the months' stale files."""
        job = self.defs.resolve_job_def("chess_delete_stale_files")
        return self.run(job, months, config={"ops": {TIDY: {"config": config}}})

    def restore(self, month: str, table: str = "games", **config: Any) -> Run:
        """Run the job that lands a kept load of the month again."""
        job = self.defs.resolve_job_def("chess_restore_month")
        op = {"config": {"table": table, **config}}
        return self.run(job, month, config={"ops": {"chess_restore_month_of_table": op}})

    def check(self) -> dict[str, dg.AssetCheckEvaluation]:
        """Run the checks alone."""
        keys = [dg.AssetKey.from_user_string(key) for key in (LANDING, WAREHOUSE)]
        job = dg.define_asset_job("checks_alone", dg.AssetSelection.checks_for_assets(*keys))
        defs = dg.Definitions.merge(self.defs, dg.Definitions(jobs=[job]))
        return self.run(defs.resolve_job_def("checks_alone")).checks()

    def run(
        self,
        job: dg.JobDefinition,
        months: str = "",
        *,
        assets: Sequence[dg.AssetKey] | None = None,
        config: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Run:
        """Run a job as a backfill's run, with the months in its tags, and more tags."""
        first, _, last = months.partition("...")
        result = job.execute_in_process(
            instance=self.instance,
            asset_selection=assets,
            run_config=dict(config or {}),
            partition_key=first if first and not last else None,
            tags={**(tags or {}), **(range_tags(first, last) if last else {})},
            raise_on_error=False,
        )
        return Run(result, self.instance)

    def months_materialized(self, key: str = LANDING) -> set[str]:
        """Return the months that the asset has in Dagster's eyes."""
        return self.instance.get_materialized_partitions(dg.AssetKey.from_user_string(key))

    def rows_by_month(self) -> dict[str, int]:
        """Return the rows of each month in the warehouse."""
        query = "select month, count(*) from chess.games group by month order by month"
        return dict(self.warehouse.rows(query))


def range_tags(first: str, last: str) -> dict[str, str]:
    """Return the tags that Dagster gives to a run of several months."""
    prefix = "dagster/asset_partition_range"
    return {f"{prefix}_start": first, f"{prefix}_end": last}


@contextmanager
def code_location(
    folder: Path,
    archives: Archives | None = None,
    validators: bool = False,
    /,
    **settings: str,
) -> Iterator[CodeLocation]:
    """Give the code location with its data below a folder and a chess.com of its own.

    Args:
        folder: where landing zone and warehouse are.
        archives: the games of its chess.com; made up for any player without.
        validators: whether it gives ETags, by which a month is known that has not changed.
        settings: more environment variables, or others.
    """
    faults = Faults()
    made_up = GeneratedArchives(GAMES_PER_MONTH)
    app = chess_app(archives or made_up, faults=faults, validators=validators)
    with service(app, folder) as chess, empty_instance() as instance:
        landing = LandingZone(url=str(chess.folder / "landing"))
        warehouse = Warehouse(
            url=settings.get("WAREHOUSE_URL", str(chess.folder / "warehouse.duckdb")),
            data_url=settings.get("WAREHOUSE_DATA_URL", ""),
        )
        environment = {
            "LANDING_URL": landing.url,
            "WAREHOUSE_URL": warehouse.url,
            "REPORT_PATH": str(chess.folder / "report.html"),
            "CHESS_API_URL": f"{chess.url}/pub",
            "CHESS_PLAYERS": "hikaru,erik",
            "CHESS_CONTACT": "tests@example.com",
            "CHESS_START_MONTH": "2021-01",
            **settings,
        }
        api_url = environment["CHESS_API_URL"]
        defs = chess.loaded(environment, lambda: _load(environment))
        yield CodeLocation(defs, instance, landing, warehouse, faults, api_url, chess)


def _load(environment: Mapping[str, str]) -> dg.Definitions:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return definitions.load()
