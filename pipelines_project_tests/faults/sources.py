"""The sources under test, one row each, and the work that is done with their assets.

A row is served as it was, and then as it is now: with more rows, one column more and a column of
another type, so that a re-run changes everything that a re-run can change.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import dagster as dg
from starlette.responses import Response

from pipelines_project.landing_zone import LandingZone
from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.faults import Faults
from pipelines_project.sandbox.server import serving
from pipelines_project.warehouse import Warehouse
from pipelines_project_tests.code_location import CodeLocation
from pipelines_project_tests.faults.live_data import Month

MONTH, OTHER_MONTH = "2024-02", "2024-01"


@dataclass(frozen=True)
class Source:
    """A source under test.

    Attributes:
        name: the source.
        tables: its tables that are under test.
        environment: the settings that lead it to what is served.
        serve: makes version 1, 2, … of `MONTH` the one that is served; 1 is smaller than 2.
    """

    name: str
    tables: tuple[str, ...]
    environment: Mapping[str, str]
    serve: Callable[[int], None]

    @property
    def keys(self) -> list[str]:
        """The keys of the assets under test."""
        return [f"{layer}/{self.name}/{t}" for layer in ("landing", "warehouse") for t in self.tables]

    def months(self, month: str = MONTH) -> list[Month]:
        """One month of each table."""
        return [Month(self.name, table, month) for table in self.tables]


def _games(archives: GeneratedArchives, version: int) -> Response:
    answer = json.loads(archives.games("erik", MONTH))["games"]
    for number, game in enumerate(answer):
        game["version"] = version if version == 1 else version + 0.5
        if version > 1:
            game["league"] = f"{version}.{number}"
    return Response(
        json.dumps({"games": answer[: 10 + version]}), media_type="application/json"
    )


@contextmanager
def chess() -> Iterator[Source]:
    """Give the chess source beside a chess.com of its own."""
    archives, faults = GeneratedArchives(20), Faults()
    with serving(chess_app(archives, faults=faults)) as url:
        environment = {
            "CHESS_API_URL": f"{url}/pub",
            "CHESS_PLAYERS": "hikaru,erik",
            "CHESS_CONTACT": "tests@example.com",
            "CHESS_START_MONTH": "2021-01",
        }

        def serve(version: int) -> None:
            path = f"erik/games/{MONTH.replace('-', '/')}"
            faults.answer_always(path, _games(archives, version))

        serve(1)
        yield Source("chess", ("games",), environment, serve)


SOURCES = {"chess": chess}


class Outcome(NamedTuple):
    """How a run ended: in Dagster's eyes, what it says of its failure, which checks failed."""

    success: bool
    error: str
    failed_checks: list[str]


def materialize(defs: dg.Definitions, data: str, months: str, keys: list[str]) -> Outcome:
    """Run the assets over months, as a process of Dagster's does, with their checks."""
    with dg.DagsterInstance.ephemeral(tempdir=f"{data}/dagster") as instance:
        location = CodeLocation(
            defs,
            instance,
            LandingZone(url=f"{data}/landing"),
            Warehouse(url=f"{data}/warehouse.duckdb"),
            Faults(),
            "",
        )
        run = location.materialize(months, *keys)
        failed = [name for name, check in run.checks().items() if not check.passed]
        return Outcome(run.result.success, run.error, failed)


def environment_of(data: str, source: Source) -> dict[str, Any]:
    """Return the settings of the definitions for data of a folder."""
    return {
        "LANDING_URL": f"{data}/landing",
        "WAREHOUSE_URL": f"{data}/warehouse.duckdb",
        "RUNTIME__REQUEST_MAX_ATTEMPTS": "2",
        "RUNTIME__REQUEST_BACKOFF_FACTOR": "0.01",
        **source.environment,
    }
