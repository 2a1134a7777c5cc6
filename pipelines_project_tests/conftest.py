"""What many tests stand on: an empty landing zone and warehouse, an instance, recorded answers."""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from pipelines_project.landing_zone import LandingZone
from pipelines_project.warehouse import Warehouse


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits of dlt's HTTP session, by its own settings."""
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "3")
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.01")


@pytest.fixture
def landing(tmp_path: Path) -> LandingZone:
    """An empty landing zone on the local disk."""
    return LandingZone(url=str(tmp_path / "landing"))


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """An empty DuckDB file."""
    return Warehouse(url=str(tmp_path / "warehouse.duckdb"), lock_timeout_seconds=10)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance of its own."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def recorded_data() -> Path:
    """The folder of answers that real services gave, which is not part of the project."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RECORDED_DATA", default))
    if not folder.is_dir():
        pytest.skip("no recorded answers: set RECORDED_DATA to their folder")
    return folder
