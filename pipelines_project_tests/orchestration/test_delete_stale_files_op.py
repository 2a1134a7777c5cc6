"""The op that deletes stale files, after `land` and alone in its job."""

import re
import time
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project_tests.code_location import LANDING, CodeLocation
from pipelines_project_tests.landings import ids_ago, tree, write_load

MONTH = "2024-02"


@pytest.fixture
def loads() -> list[str]:
    """Three load ids of the last minutes, oldest first."""
    return ids_ago(180, 120, 60)


@pytest.fixture
def place(chess: CodeLocation, loads: list[str]) -> LandedMonth:
    """A month that was landed three times and never tidied."""
    place = chess.landing.month("chess", "games", MONTH)
    for load_id in loads:
        write_load(place, load_id, [[{"player": "erik", "url": "one"}]])
    return place


def _files(chess: CodeLocation) -> dict[str, bytes | None]:
    return tree(Path(chess.landing.url))


def test_only_the_current_load_is_left(
    chess: CodeLocation, place: LandedMonth, loads: list[str]
) -> None:
    run = chess.tidy(MONTH)

    said = run.output_metadata[MONTH]
    assert place.listing().committed == [*place.listing().files] == loads[2:]
    assert said["stale_files_deleted"] == len(said["stale_files"]) == 4
    assert {path.rsplit("/", 1)[-1] for path in said["stale_files"]} == {
        *(f"{load_id}.part0.parquet" for load_id in loads[:2]),
        *(place.record_path(load_id).rsplit("/", 1)[-1] for load_id in loads[:2]),
    }


def test_a_second_run_finds_nothing_left_to_delete(chess: CodeLocation, place: LandedMonth) -> None:
    chess.tidy(MONTH)
    before = _files(chess)

    run = chess.tidy(MONTH)

    assert run.output_metadata == {MONTH: {"stale_files_deleted": 0, "stale_files": []}}
    assert _files(chess) == before


def test_a_dry_run_lists_what_would_go_and_deletes_nothing(
    chess: CodeLocation, place: LandedMonth
) -> None:
    before = _files(chess)

    run = chess.tidy(MONTH, dry_run=True)

    said = run.output_metadata[MONTH]
    (told,) = [line for line in run.log("INFO") if MONTH in line]
    assert told == f"{MONTH}: 4 files would be deleted: {', '.join(said['stale_files'])}"
    assert _files(chess) == before
    assert (said["stale_files_deleted"], len(said["stale_files"])) == (0, 4)
    assert chess.tidy(MONTH).output_metadata[MONTH]["stale_files"] == said["stale_files"]


@pytest.mark.parametrize("kept", [0, 1, 2, 9])
def test_so_many_superseded_loads_are_kept_as_the_config_says(
    chess: CodeLocation, place: LandedMonth, loads: list[str], kept: int
) -> None:
    chess.tidy(MONTH, keep_loads=kept)

    assert place.listing().committed == loads[::-1][: kept + 1]


def test_the_source_says_how_many_are_kept_where_the_config_does_not(
    chess: CodeLocation, place: LandedMonth, loads: list[str]
) -> None:
    keeping = chess.with_attributes(keep_loads=1)

    keeping.tidy(MONTH)
    assert place.listing().committed == loads[:0:-1]

    keeping.tidy(MONTH, keep_loads=0)
    assert place.listing().committed == loads[2:]


def test_a_negative_number_of_loads_to_keep_is_refused(
    chess: CodeLocation, place: LandedMonth
) -> None:
    before = _files(chess)

    run = chess.tidy(MONTH, keep_loads=-1)

    assert re.search("keep_loads\\s+Input should be greater than or equal to 0", run.error)
    assert _files(chess) == before


def test_other_months_are_left_alone(chess: CodeLocation, place: LandedMonth) -> None:
    other = chess.landing.month("chess", "games", "2024-03")
    for load_id in ids_ago(50, 40):
        write_load(other, load_id)

    chess.tidy(MONTH)

    assert len(other.listing().committed) == len(other.listing().files) == 2


def test_a_range_of_months_is_tidied_in_one_run(chess: CodeLocation, place: LandedMonth) -> None:
    other = chess.landing.month("chess", "games", "2024-03")
    for load_id in ids_ago(50, 40):
        write_load(other, load_id)

    said = chess.tidy("2024-01...2024-03").output_metadata

    assert {month: each["stale_files_deleted"] for month, each in said.items()} == {
        "2024-01": 0,
        "2024-02": 4,
        "2024-03": 2,
    }


def test_a_load_of_a_clock_that_was_ahead_is_reported_and_can_be_discarded(
    chess: CodeLocation, place: LandedMonth, loads: list[str]
) -> None:
    ahead = str(time.time() + 600)
    write_load(place, ahead)
    assert chess.tidy(MONTH, dry_run=True).output_metadata[MONTH]["loads_ahead_of_clock"] == [ahead]

    said = chess.tidy(MONTH, discard_load_id=ahead).output_metadata[MONTH]

    assert said["stale_files_deleted"] == 2
    assert "loads_ahead_of_clock" not in said
    # What is stale beside it stays: the load that is current now may be one of those.
    assert place.listing().committed == loads[::-1]
    assert {*place.listing().files} == {*loads}


@pytest.mark.parametrize("which", ["current", "superseded", "not a load id", "nan"])
def test_a_load_that_is_not_ahead_of_the_clock_is_not_discarded(
    chess: CodeLocation, place: LandedMonth, loads: list[str], which: str
) -> None:
    load_id = {"current": loads[2], "superseded": loads[0]}.get(which, which)
    before = _files(chess)

    run = chess.tidy(MONTH, discard_load_id=load_id)

    assert f"- {MONTH}: " in run.error
    assert load_id in run.error
    assert _files(chess) == before


@pytest.fixture
def stubborn(place: LandedMonth, loads: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A file of the oldest load that the storage does not delete."""
    path = f"{place.path}/{loads[0]}.stubborn.parquet"
    Path(path).touch()
    delete = LocalFileSystem.rm_file

    def rm_file(fs: LocalFileSystem, file: str) -> None:
        if file == path:
            raise PermissionError(13, "Permission denied", file)
        delete(fs, file)

    monkeypatch.setattr(LocalFileSystem, "rm_file", rm_file)
    return path


def test_a_file_that_cannot_be_deleted_is_named_and_the_others_go(
    chess: CodeLocation, place: LandedMonth, loads: list[str], stubborn: str
) -> None:
    run = chess.tidy("2024-01...2024-02")

    assert run.error.startswith(
        f"1 of 2 months of {LANDING} were not tidied:\n- {MONTH}: could not delete {stubborn}: "
    )
    left = place.listing()
    assert (left.committed, {*left.files}) == (loads[2:], {loads[0], loads[2]})
    assert [*left.files[loads[0]]] == [stubborn]


@pytest.mark.stack
def test_a_month_whose_files_cannot_be_deleted_is_not_recorded_and_its_rows_are_whole(
    chess: CodeLocation, place: LandedMonth, loads: list[str], stubborn: str
) -> None:
    run = chess.materialize("2024-02...2024-03", LANDING, allow_shrink=True)

    assert f"- {MONTH}: could not delete {stubborn}" in run.error
    assert chess.months_materialized() == {"2024-03"}
    assert place.listing().committed[0] > loads[2]


def test_a_folder_in_the_place_of_a_stale_file_goes_with_what_is_in_it(
    chess: CodeLocation, place: LandedMonth, loads: list[str]
) -> None:
    folder = Path(place.path) / f"{loads[0]}.folder.parquet"
    folder.mkdir()
    (folder / "within").touch()

    assert chess.tidy(MONTH).result.success

    assert [*place.listing().files] == loads[2:]


def test_nothing_is_deleted_while_the_current_load_is_damaged(
    chess: CodeLocation, place: LandedMonth, loads: list[str]
) -> None:
    damaged = f"{place.path}/{loads[2]}.part0.parquet"
    Path(damaged).write_bytes(b"cut")
    before = _files(chess)

    run = chess.tidy(MONTH)

    assert f"- {MONTH}: chess/games {MONTH}: {damaged} has 3 bytes, not" in run.error
    assert f"Land {MONTH} again" in run.error
    assert _files(chess) == before


@pytest.mark.stack
def test_the_asset_takes_the_same_config(chess: CodeLocation) -> None:
    chess.materialize(MONTH, LANDING)
    run = chess.materialize(MONTH, LANDING, keep_loads=1)

    place = chess.landing.month("chess", "games", MONTH)
    assert run.materialized()[MONTH]["stale_files_deleted"] == 0
    assert len(place.listing().committed) == len(place.listing().files) == 2


def test_a_month_that_was_never_landed_has_nothing_to_delete(chess: CodeLocation) -> None:
    run = chess.tidy(MONTH)

    assert run.output_metadata == {MONTH: {"stale_files_deleted": 0, "stale_files": []}}
