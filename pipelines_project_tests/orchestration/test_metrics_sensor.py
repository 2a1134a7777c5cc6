"""The sensor that pushes metrics, to a server that reads them as Prometheus does."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import dagster as dg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines_project.components.chess import ChessSource
from pipelines_project.orchestration.metrics_sensor import metrics_sensor
from pipelines_project.sandbox.server import serving
from pipelines_project_tests.code_location import LANDING, CodeLocation

_LANDING = {"layer": "landing", "source": "chess", "table": "games"}
_WAREHOUSE = {**_LANDING, "layer": "warehouse"}


@dataclass
class Gateway:
    """A push gateway, which keeps what was pushed last."""

    url: str = ""
    status: int = 200
    pushed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    async def take(self, request: Request) -> Response:
        self.pushed.append(
            (f"{request.method} {request.url.path}", (await request.body()).decode())
        )
        return Response(status_code=self.status)

    def value(self, name: str, labels: dict[str, str]) -> float | None:
        """Return the value of a metric in the last push."""
        families = text_string_to_metric_families(self.pushed[-1][1])
        samples = [sample for family in families for sample in family.samples]
        return next((s.value for s in samples if (s.name, s.labels) == (name, labels)), None)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    app = Starlette(routes=[Route("/{path:path}", made.take, methods=["PUT", "POST"])])
    with serving(app) as url:
        made.url = url
        yield made


def _tick(url: str, instance: dg.DagsterInstance) -> str:
    tables = ChessSource(players="erik", contact="a@example.org").monthly_tables()
    result = metrics_sensor(url, tables)(dg.build_sensor_context(instance))
    assert isinstance(result, dg.SkipReason)
    return str(result.skip_message)


@pytest.mark.stack
def test_months_failures_rows_and_ages_are_pushed_as_prometheus_takes_them(
    chess: CodeLocation, gateway: Gateway
) -> None:
    chess.faults.answer_always("hikaru/games/2024/03", Response(status_code=404))
    chess.materialize("2024-01...2024-03", LANDING)

    assert _tick(gateway.url, chess.instance) == "pushed the metrics of 1 tables"

    # Another push takes the place of all that is there of the job.
    assert gateway.pushed[-1][0] == "PUT /metrics/job/pipelines"
    assert gateway.value("pipelines_months", _LANDING) == 2
    assert gateway.value("pipelines_months_failed", _LANDING) == 1
    assert gateway.value("pipelines_last_rows", _LANDING) == 40
    assert (gateway.value("pipelines_last_seconds", _LANDING) or 0) > 0
    [newest] = chess.instance.fetch_materializations(dg.AssetKey(LANDING.split("/")), 1).records
    told = gateway.value("pipelines_last_made_timestamp_seconds", _LANDING)
    assert told == pytest.approx(newest.timestamp)
    assert gateway.value("pipelines_months", _WAREHOUSE) == 0
    assert gateway.value("pipelines_last_rows", _WAREHOUSE) is None


def test_a_gateway_that_is_down_fails_nothing_and_its_address_is_not_told(
    instance: dg.DagsterInstance, gateway: Gateway
) -> None:
    gateway.status = 500

    for url in (gateway.url, "http://user:secret@127.0.0.1:1"):
        said = _tick(url, instance)
        assert said.startswith("the push gateway failed: ")
        assert "127.0.0.1" not in said


def test_without_a_gateway_there_is_no_sensor(chess: CodeLocation) -> None:
    names = {each.name for each in chess.defs.get_repository_def().sensor_defs}

    assert "push_metrics" not in names
