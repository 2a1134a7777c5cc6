"""OpenLineage is told of runs and of tables, at a server that keeps what it gets."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipelines_project.orchestration import lineage_sensor as module
from pipelines_project.orchestration.lineage_sensor import lineage_sensor
from pipelines_project.sandbox.server import serving
from pipelines_project_tests.code_location import CodeLocation

Events = list[dict[str, Any]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Events]:
    """What a service of OpenLineage, which the environment names, has been told."""
    events: Events = []

    async def take(request: Request) -> Response:
        events.append(json.loads(await request.body()))
        return Response(status_code=201)

    with serving(Starlette(routes=[Route("/api/v1/lineage", take, methods=["POST"])])) as url:
        monkeypatch.setenv("OPENLINEAGE_URL", url)
        # The library reads the address when it is imported.
        for name in [name for name in sys.modules if name.startswith("dagster_openlineage")]:
            monkeypatch.delitem(sys.modules, name)
        yield events


def _tick(instance: dg.DagsterInstance) -> None:
    """Let the sensor look at the event log, as the daemon does."""
    ticked: Any = lineage_sensor()(dg.build_sensor_context(instance))
    assert all("failed" not in each.skip_message for each in ticked)


# dagster-openlineage 0.2.1 reads the event log so; Dagster keeps the function until 2.0.
@pytest.mark.stack
@pytest.mark.filterwarnings("ignore:Function `EventMethods.get_event_records`:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Use fetch_[a-z_]+ instead of get_event_records:UserWarning")
def test_a_run_and_the_tables_that_it_made_are_told_with_their_columns(
    chess: CodeLocation, told: Events
) -> None:
    pytest.importorskip("dagster_openlineage", reason="needs the extra openlineage")
    run = chess.materialize("2024-01")
    assert run.result.success

    _tick(chess.instance)

    outputs = {each["name"]: each for event in told for each in event.get("outputs") or []}
    assert {"landing/chess/games", "warehouse/chess/games"} <= {*outputs}
    columns = outputs["landing/chess/games"]["facets"]["schema"]["fields"]
    assert {"name": "url", "type": "text"}.items() <= next(
        each for each in columns if each["name"] == "url"
    ).items()
    assert {"START", "COMPLETE"} <= {event["eventType"] for event in told}
    assert {event["run"]["runId"] for event in told}


def test_without_the_extra_a_tick_says_how_to_install_it(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)

    result = lineage_sensor()(dg.build_sensor_context(instance))

    assert isinstance(result, dg.SkipReason)
    assert "'.[openlineage]'" in str(result.skip_message)


def test_without_an_address_there_is_no_sensor(chess: CodeLocation) -> None:
    names = {each.name for each in chess.defs.get_repository_def().sensor_defs}

    assert "tell_openlineage" not in names
