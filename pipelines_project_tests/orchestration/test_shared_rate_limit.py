"""Runs of one source, with several months in flight each, use up one limit and never go over it."""

import json
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines_project.landing.zone import LandingZone
from pipelines_project.sandbox.server import serving
from pipelines_project_tests.document_location import document_location
from pipelines_project_tests.metered import Meter

pytestmark = pytest.mark.stack

_MONTHS = [f"2024-{number:02d}" for number in range(1, 13)]
_KEY = "landing/metered/rows"


@contextmanager
def _served(meter: Meter, pages: int) -> Iterator[str]:
    """Serve so many pages of rows a month, as the meter allows, and give the address."""

    async def answer(request: Request) -> Response:
        month, page = request.query_params["month"], int(request.query_params["page"])
        rows = [{"id": f"{month}/{page}/{n}", "n": n} for n in range(5)]
        return JSONResponse(rows if page <= pages else [])

    with serving(meter.over(Starlette(routes=[Route("/rows", answer)]))) as url:
        yield url


def _document(url: str, at_once: int, rate: dict[str, Any]) -> str:
    return f"""
type: pipelines_project.components.RestApi
attributes:
  source: metered
  start_month: "2024-01"
  months_at_once: {at_once}
  client:
    base_url: {url}
    rate_limit: {json.dumps(rate)}
    paginator: {{type: page_number, base_page: 1, total_path: null}}
  tables:
    - name: rows
      key: [id]
      endpoint: {{path: rows, params: {{month: "{{month.start:%Y-%m}}"}}, data_selector: $}}
"""


def _land(folder: Path, document: str, months: Sequence[str] = _MONTHS) -> None:
    with document_location(folder, document) as location:
        run = location.materialize(f"{months[0]}...{months[-1]}", _KEY)
        assert run.result.success, run.error
        assert sorted(run.materialized(_KEY)) == months


def _rows(folder: Path, months: Sequence[str] = _MONTHS) -> dict[str, list[str]]:
    """Return the ids of each month in the order in which they lie in its files."""
    zone = LandingZone(str(folder / "landing"))
    found: dict[str, list[str]] = {}
    for month in months:
        load = zone.month("metered", "rows", month).current_files()
        assert load
        tables: Any = [pq.read_table(path) for path in load.files]
        found[month] = [row for table in tables for row in table.column("id").to_pylist()]
    return found


def test_months_landed_at_once_have_their_own_rows(tmp_path: Path) -> None:
    api, months = Meter(latency=0.1), _MONTHS[:2]
    with _served(api, pages=1) as url:
        _land(tmp_path, _document(url, 2, {}), months)

    assert _rows(tmp_path, months) == {m: [f"{m}/1/{n}" for n in range(5)] for m in months}
    assert len(api.arrived) == 2 * len(months)
    assert api.most_at_once == 2


@pytest.mark.long
def test_two_runs_use_95_percent_of_one_limit_at_300_ms_and_are_never_refused(
    tmp_path: Path,
) -> None:
    """Two processes of six months each at once could ask 400 times in ten seconds."""
    api = Meter(latency=0.3, allowed=100, window=10.0)
    land = (
        "import sys; from pathlib import Path\n"
        "from pipelines_project_tests.orchestration.test_shared_rate_limit import _land\n"
        "_land(Path(sys.argv[1]), sys.argv[2])\n"
    )
    folders = [tmp_path / "one", tmp_path / "two"]
    with _served(api, pages=19) as url:
        document = _document(url, 6, {"requests_per_minute": 600, "window_seconds": 10})
        runs = [subprocess.Popen([sys.executable, "-c", land, at, document]) for at in folders]
        assert [run.wait() for run in runs] == [0, 0]

    assert api.refused == 0
    assert api.most_in_a_window() <= api.allowed
    first = api.arrived[0]
    # The last window is not used up, because then all is fetched.
    windows = int((api.arrived[-1] - first) / api.window)
    used = bisect_left(api.arrived, first + windows * api.window)
    assert used >= 0.95 * windows * api.allowed
    with _served(Meter(), pages=19) as url:
        _land(tmp_path / "serial", _document(url, 1, {}))
    assert _rows(folders[0]) == _rows(folders[1]) == _rows(tmp_path / "serial")
