"""A damaged file ends in the old data or a refusal by name, and landing again mends the month."""

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.responses import Response
from tenacity import wait_none

from pipelines_project.landing.errors import DamagedLoadError
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.record import read_record
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.warehouse import conflicts
from pipelines_project_tests.code_location import (
    GAMES_PER_MONTH,
    WAREHOUSE,
    CodeLocation,
    Run,
    code_location,
)
from pipelines_project_tests.faults.damage import DAMAGES, damaged, flip, replace_folder
from pipelines_project_tests.faults.figures import Count
from pipelines_project_tests.jsonl_location import LANDING as LINES
from pipelines_project_tests.jsonl_location import JsonlLocation, attributes, jsonl_location
from pipelines_project_tests.landings import rows_of, tree

pytestmark = pytest.mark.faults

MONTH, OTHER_MONTH = "2024-02", "2024-01"
MONTHS = f"{OTHER_MONTH}...{MONTH}"
AGAIN = f"Land {MONTH} again"
GAMES = "select * exclude (_dlt_id, _dlt_load_id) from chess.games order by all"


@pytest.fixture(autouse=True)
def _impatient_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conflicts, "wait_random_exponential", lambda **_: wait_none())


@dataclass(frozen=True)
class Data:
    """Two months of games that are landed and loaded; one has a kept load, with fewer games.

    Attributes:
        location: what landed them; it keeps one superseded load.
        folder: the data.
        copy: the data as it was at first.
        rows: of the warehouse, without what differs from load to load.
    """

    location: CodeLocation
    folder: Path
    copy: Path
    rows: list[tuple[Any, ...]]

    @property
    def month(self) -> LandedMonth:
        return self.location.landing.month("chess", "games", MONTH)

    @property
    def warehouse(self) -> Path:
        return Path(self.location.warehouse.url)

    def load_ids(self) -> list[str]:
        return self.month.listing().committed

    def file(self, load_id: str, kind: str) -> Path:
        """Return the path of a load's record or of its data."""
        suffix = {"record": ".json", "data": ".parquet"}[kind]
        [path] = [p for p in self.month.files_of_load(load_id) if p.endswith(suffix)]
        return Path(path)

    def loaded(self) -> list[tuple[Any, ...]]:
        return self.location.warehouse.rows(GAMES)

    def assert_mended(self, run: Run) -> None:
        """Check that a run has brought back all rows, whole, and that all checks know it."""
        assert run.result.success, run.error
        failed = {name for name, check in run.checks().items() if not check.passed}
        assert failed <= {"current_month_is_fresh"}
        current = self.month.current_files()
        assert current
        self.month.check_content(current.record)
        landed = rows_of(self.location.landing, current)
        of_month = [row for row in self.loaded() if MONTH in row]
        assert len(landed) == len(of_month) == 2 * GAMES_PER_MONTH
        assert Counter(self.loaded()) == Counter(self.rows)


@pytest.fixture(scope="module")
def landed_twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Data]:
    folder = tmp_path_factory.mktemp("damage")
    games = json.loads(GeneratedArchives(GAMES_PER_MONTH).games("erik", MONTH))
    games["games"].pop()
    with code_location(folder / "data", None, True) as all_sources:
        location = all_sources.with_attributes(keep_loads=1)
        path = f"erik/games/{MONTH.replace('-', '/')}"
        location.faults.answer_next(path, Response(json.dumps(games)))
        assert location.materialize(MONTHS).result.success
        assert location.materialize(MONTH).result.success
        rows = location.warehouse.rows(GAMES)
        shutil.copytree(folder / "data", folder / "copy")
        yield Data(location, folder / "data", folder / "copy", rows)


@pytest.fixture
def data(landed_twice: Data, count: Count) -> Data:
    replace_folder(landed_twice.folder, landed_twice.copy)
    count("damaged files", 1)
    return landed_twice


def _entries(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return size and time of everything below a folder, which may be unreadable."""
    stats = {path: path.lstat() for path in folder.rglob("*")}
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in stats.items()}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_load_is_not_loaded_and_landing_again_replaces_it(
    data: Data, damage: str
) -> None:
    [current, kept] = data.load_ids()
    path = data.file(current, "data")
    data.warehouse.unlink()
    with damaged(path, damage):
        refused = data.location.materialize(MONTHS, WAREHOUSE)

        for text in (f"- {MONTH}: ", str(path), AGAIN):
            assert text in refused.error
        assert {*data.location.rows_by_month()} == {OTHER_MONTH}
        again = data.location.materialize(MONTH)
        [said] = again.materialized().values()
        assert str(path) in said["replaced_damaged_load"]
        # It does not push out the load that is kept, unless it may be read again some day.
        assert data.load_ids() == [said["load_id"], current if damage == "unreadable" else kept]
        data.assert_mended(again)


@pytest.mark.parametrize("damage", DAMAGES)
def test_landing_again_replaces_a_load_whose_record_is_damaged(data: Data, damage: str) -> None:
    [current, kept] = data.load_ids()
    path = data.file(current, "record")
    with damaged(path, damage):
        loaded = data.location.materialize(MONTH, WAREHOUSE)

        # Without a record the newest load is the kept one, which the warehouse does not take.
        assert damage == "missing" or (str(path) in loaded.error and AGAIN in loaded.error)
        assert damage != "missing" or "replace_newer_load" in loaded.error
        assert Counter(data.loaded()) == Counter(data.rows)
        again = data.location.materialize(MONTH)
        [said] = again.materialized().values()
        assert damage == "missing" or str(path) in said["replaced_damaged_load"]
        assert data.load_ids() == [said["load_id"], kept]
        data.assert_mended(again)


def test_no_bit_of_a_record_can_change_without_being_noticed(data: Data) -> None:
    path = data.file(data.load_ids()[0], "record")
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content)
        flip(path, at)
        with pytest.raises(DamagedLoadError, match="is damaged"):
            read_record(data.month.fs, str(path))


@pytest.mark.parametrize("kind", ["data", "record"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_kept_load_is_refused_by_name_and_goes_when_the_month_is_tidied(
    data: Data, damage: str, kind: str
) -> None:
    [current, kept] = data.load_ids()
    path = data.file(kept, kind)
    with damaged(path, damage):
        before = _entries(data.folder / "landing")
        run = data.location.restore(MONTH, load_id=kept)

        assert not run.result.success
        assert kept in run.error
        assert str(path) in run.error or (damage, kind) == ("missing", "record")
        assert _entries(data.folder / "landing") == before
        # What may be read again some day goes only by a wish.
        wish = {"keep_loads": 0} if (damage, kind) == ("unreadable", "data") else {}
        tidied = data.location.tidy(MONTH, **wish)
        assert tidied.result.success, tidied.error
        assert {*data.month.listing().files} == {current}
        data.assert_mended(data.location.materialize(MONTH))


@pytest.mark.parametrize("damage", [damage for damage in DAMAGES if damage != "unreadable"])
def test_a_damaged_warehouse_file_is_moved_away_and_all_months_are_loaded_from_landing(
    data: Data, damage: str
) -> None:
    """DuckDB reads the file by itself, so that nothing here makes it unreadable."""
    landed = tree(data.folder / "landing")
    with damaged(data.warehouse, damage):
        run = data.location.materialize(MONTH, WAREHOUSE)

        if damage == "a flipped bit" and run.result.success:
            # It is in a block without data.
            assert Counter(data.loaded()) == Counter(data.rows)
        elif run.result.success:
            # DuckDB begins a new file, and the check names the month that it lacks.
            check = data.location.check()["warehouse_rows_match_landing"]
            assert {*cast(Any, check.metadata["wrong"].value)} == {OTHER_MONTH}
        else:
            assert f"{data.folder.name}/{data.warehouse.name}" in run.error
        data.warehouse.rename(data.folder / "damaged")
        again = data.location.materialize(MONTHS, WAREHOUSE)
        data.assert_mended(again)
        assert tree(data.folder / "landing") == landed


@pytest.mark.parametrize("folder", ["landing/chess/games", f"landing/chess/games/month={MONTH}"])
def test_a_file_where_a_folder_should_be_is_named_and_nothing_else_is_touched(
    data: Data, folder: str
) -> None:
    place = data.folder / folder
    place.rename(data.folder / "moved")
    place.touch()
    rest = tree(data.folder / "moved")

    run = data.location.materialize(MONTH)

    # What leads to the data is a link, which errors may name or what it leads to.
    assert f"{data.folder.name}/{folder}" in run.error
    assert Counter(data.loaded()) == Counter(data.rows)
    assert tree(data.folder / "moved") == rest
    place.unlink()
    (data.folder / "moved").rename(place)
    data.assert_mended(data.location.materialize(MONTH))


def test_directories_with_names_of_files_go_as_stale_with_what_is_in_them(data: Data) -> None:
    for name in ("_1.5.json", "1.5.x.parquet", "_2.5.json.new"):
        (Path(data.month.path) / name / "inner").mkdir(parents=True)

    data.assert_mended(data.location.materialize(MONTH))

    assert {*data.month.listing().files} == {*data.load_ids()}
    assert len(data.load_ids()) == 2


def test_a_directory_with_the_name_of_a_record_from_the_future_is_discarded_by_its_load_id(
    data: Data,
) -> None:
    load_id = f"{time.time() + 3600:.3f}"
    path = Path(data.month.record_path(load_id))
    path.mkdir()

    run = data.location.materialize(MONTH)

    assert f"discard_load_id: '{load_id}'" in run.error
    assert Counter(data.loaded()) == Counter(data.rows)
    assert data.location.tidy(MONTH, discard_load_id=load_id).result.success
    assert not path.exists()
    data.assert_mended(data.location.materialize(MONTH))


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JsonlLocation]:
    """A month of lines, one of which is quarantined, landed and loaded."""
    folder = tmp_path_factory.mktemp("lines")
    raw = folder / "raw" / "events" / MONTH / "a.jsonl"
    raw.parent.mkdir(parents=True)
    raw.write_text('{"id": 1}\n{"id": 2}\nno line')
    table = attributes(folder / "raw", on_bad_line="quarantine")
    with jsonl_location(folder, table) as location:
        assert location.materialize(MONTH).result.success
        yield location


@pytest.mark.parametrize("damage", DAMAGES)
def test_landing_again_replaces_a_load_whose_quarantine_is_damaged(
    lines: JsonlLocation, count: Count, damage: str
) -> None:
    month = lines.landing.month("local_jsonl", "events", MONTH)
    current = month.current_files()
    assert current
    [path] = map(
        Path, [p for p, file in month.paths(current.record).items() if file.table != month.table]
    )
    with damaged(path, damage):
        run = lines.materialize(MONTH)

        assert run.result.success, run.error
        assert str(path) in run.materialized(LINES)[MONTH]["replaced_damaged_load"]
        again = month.current_files()
        assert again
        month.check_content(again.record)
        rows = {file.table: file.rows for file in again.record.files}
        assert rows == {"events": 2, "events_quarantine": 1}
        assert lines.rows("select id from local_jsonl.events order by id") == [(1,), (2,)]
    count("damaged files", 1)
