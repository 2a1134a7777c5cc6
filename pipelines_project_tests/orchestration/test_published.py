"""A source that is published to Glue, run as Dagster runs it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.code_location import (
    GAMES_PER_MONTH,
    LANDING,
    CodeLocation,
    code_location,
)
from pipelines_project_tests.glue.athena import Athena, athena_of
from pipelines_project_tests.landings import ids_ago
from pipelines_project_tests.object_store import Fault, Gate

pytestmark = pytest.mark.stack

MONTH, OTHER = "2024-02", "2024-01"
CHECK = "athena_reads_current_loads"


@pytest.fixture
def athena(store: Gate) -> Athena:
    """An empty database of Glue."""
    return athena_of(store)


@pytest.fixture
def chess(
    store: Gate, athena: Athena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CodeLocation]:
    """The chess source, published, beside a chess.com that tells what has not changed."""
    zone = LandingZone(url=f"s3://{store.bucket()}/landing")
    monkeypatch.setenv("LANDING_URL", zone.url)
    monkeypatch.setenv("GLUE_DATABASE", athena.database)
    with code_location(tmp_path, None, True) as location:
        # Not those that are kept, which know the bucket of another test.
        yield replace(location, landing=zone, service=None).with_attributes(publish="glue")


def test_a_month_is_published_by_the_run_that_lands_it_and_mended_by_one_that_finds_it_not_modified(
    chess: CodeLocation, athena: Athena
) -> None:
    place = chess.landing.month("chess", "games", MONTH)
    run = chess.materialize(f"{OTHER}...{MONTH}", LANDING)
    assert run.result.success, run.error
    assert run.checks()[CHECK].passed
    assert run.materialized()[MONTH]["glue_table"] == f"{athena.database}.chess__games"
    assert athena.columns("chess__games")["end_time"] == "timestamp"
    current = place.current_files()
    assert current is not None
    assert athena.named(place) == current.files
    assert current.record.rows_of("games") == 2 * GAMES_PER_MONTH

    # A run was killed between the record and the manifest: the same rows, another load.
    _land_the_same_rows_again(chess)
    assert not chess.check()[CHECK].passed
    again = chess.materialize(MONTH, LANDING)

    assert again.materialized()[MONTH]["not_modified"]
    assert again.checks()[CHECK].passed
    newer = place.current_files()
    assert newer is not None
    assert newer.load_id != current.load_id
    assert athena.named(place) == newer.files
    assert len(place.listing().files) == 1


def _land_the_same_rows_again(chess: CodeLocation) -> None:
    """Land a month as a run does whose machine stops before it has published anything."""
    place = chess.landing.month("chess", "games", MONTH)
    load = place.current_files()
    assert load is not None
    new = ids_ago(0)[0]
    names = {file.name: file.name.replace(load.load_id, new) for file in load.record.files}
    for name, copied in names.items():
        content = place.fs.cat_file(f"{place.path}/{name}", start=0)
        place.fs.pipe_file(f"{place.path}/{copied}", content)
    files = [replace(file, name=names[file.name]) for file in load.record.files]
    place.commit(replace(load.record, load_id=new, files=files))


def test_where_glue_refuses_no_file_goes_and_the_run_says_what_to_do(
    store: Gate, chess: CodeLocation, athena: Athena
) -> None:
    place = chess.landing.month("chess", "games", MONTH)
    assert chess.materialize(MONTH, LANDING).result.success
    before = athena.named(place)
    store.fail(Fault("denied", part="POST /", times=1000))

    run = chess.materialize(MONTH, LANDING, land_unchanged=True)

    assert not run.result.success
    assert "not published to Athena" in run.error
    assert "older files that Athena may still read. Once mended:" in run.error
    assert "chess_delete_stale_files --partition 2024-02" in run.error
    assert athena.named(place) == before
    assert len(place.listing().committed) == 2
    store.clear()
    assert chess.tidy(MONTH).result.success
    assert athena.named(place) != before
    assert len(place.listing().committed) == 1


def test_a_restored_month_is_published(chess: CodeLocation, athena: Athena) -> None:
    place = chess.landing.month("chess", "games", MONTH)
    assert chess.materialize(MONTH, LANDING).result.success
    first = place.current_load()
    assert chess.materialize(MONTH, LANDING, keep_loads=1, land_unchanged=True).result.success

    assert chess.restore(MONTH, load_id=first).result.success

    current = place.current_files()
    assert current is not None
    assert athena.named(place) == current.files
    assert len(place.listing().committed) == 1
