"""What many tests stand on: an empty landing zone and warehouse, an instance, recorded answers."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import hypothesis
import pytest
from s3fs import S3FileSystem
from tenacity import wait_none

from pipelines_project.landing.zone import LandingZone
from pipelines_project.orchestration import land_op
from pipelines_project.sandbox.postgres import postgres_server
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests import kept
from pipelines_project_tests.code_location import CodeLocation, code_location
from pipelines_project_tests.databases import do_not_wait_for_the_disk, emptied_database
from pipelines_project_tests.object_store import Gate, gate, moto_server, signed_in

# Nothing of what is imported and collected becomes garbage.
gc.disable()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker a processor, and one more for tests that wait for programs, servers and disks."""
    waits = str(config.getoption("markexpr")).startswith(("stack", "faults"))
    return (os.cpu_count() or 1) + waits


def pytest_collection_finish() -> None:
    """Look for garbage less often, and not among what is imported by now, which is most."""
    gc.freeze()
    gc.set_threshold(100_000)
    gc.enable()


def pytest_sessionfinish() -> None:
    """Stop what tests have shared."""
    kept.close()


# A busy machine is no fault of the code.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits of dlt's HTTP session, by its own settings, and those between attempts."""
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "3")
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0.01")
    monkeypatch.setattr(land_op, "wait_random_exponential", lambda **_: wait_none())


@pytest.fixture(autouse=True)
def _own_rate_limits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let a port that another test's server had just now begin with a limit that is unused."""
    monkeypatch.setenv("RATE_LIMITS_URL", f"sqlite:///{tmp_path / 'rate_limits.sqlite'}")


@pytest.fixture
def landing(tmp_path: Path) -> LandingZone:
    """An empty landing zone on the local disk."""
    return LandingZone(url=str(tmp_path / "landing"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `every_warehouse` on DuckLake and PostgreSQL too, by `make stack`.

    On DuckLake each takes some seconds, so CI leaves that out unless the mark is told `lake_in_ci`.
    """
    marked = metafunc.definition.get_closest_marker("every_warehouse")
    if marked and "warehouse" in metafunc.fixturenames:
        stack, long = pytest.mark.stack, pytest.mark.long
        lake = pytest.param(
            "ducklake", marks=[stack] if marked.kwargs.get("lake_in_ci") else [stack, long]
        )
        postgres = pytest.param("postgres", marks=stack)
        metafunc.parametrize("warehouse", ["file", lake, postgres], indirect=True)


@pytest.fixture
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    """An empty warehouse: a DuckDB file, unless the test is marked `every_warehouse`."""
    kind = getattr(request, "param", "file")
    if kind == "file":
        return Warehouse(url=str(tmp_path / "warehouse.duckdb"), lock_timeout_seconds=10)
    database = emptied_database(request.getfixturevalue("postgres"), "warehouse")
    if kind == "postgres":
        return Warehouse(url=database)
    return Warehouse(url=f"ducklake:postgres:{database}", data_url=str(tmp_path / "lake"))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance without runs."""
    with kept.empty_instance() as empty:
        yield empty


@pytest.fixture
def chess(tmp_path: Path) -> Iterator[CodeLocation]:
    """The code location with nothing landed yet, beside a chess.com of its own."""
    with code_location(tmp_path) as location:
        yield location


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL that starts in a second."""
    with postgres_server() as url:
        do_not_wait_for_the_disk(url)
        yield url


@pytest.fixture(scope="session")
def gated_store() -> Iterator[Gate]:
    """An S3 in a process of its own, behind a gate."""
    with moto_server() as store, gate(store) as before_it:
        yield before_it


@pytest.fixture
def store(gated_store: Gate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Gate]:
    """The same, with nothing going wrong and the environment variables by which it is found."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws_config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws_credentials"))
    for name, value in signed_in(gated_store.url).items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    gated_store.clear()
    yield gated_store
    S3FileSystem.clear_instance_cache()


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    """The folder of answers that real services gave, which is not part of the project."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RECORDED_DATA", default))
    if not folder.is_dir():
        pytest.skip("no recorded answers: set RECORDED_DATA to their folder")
    return folder
