"""A month whose current load is damaged, in whatever way, is mended by landing it again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.extract import DltResource

from pipelines_project.landing.errors import DamagedLoadError, LandingError
from pipelines_project.landing.land_month import land_month
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.record import RecordedFile
from pipelines_project.landing.shrink_guard import accept, refuse_shrink
from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.fetch import Fetch, NotModifiedError
from pipelines_project_tests.landings import MONTH, ids_ago, place_of, rows_of, write_load

ROWS = [{"id": number} for number in range(10)]


def _cut(file: Path, _: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


def _emptied(file: Path, _: Path) -> None:
    file.write_bytes(b"")


def _flipped(file: Path, _: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:20] + bytes([content[20] ^ 1]) + content[21:])


def _folder(file: Path, _: Path) -> None:
    file.unlink()
    file.mkdir()
    (file / "inner").write_text("x")


def _missing(file: Path, _: Path) -> None:
    file.unlink()


def _no_parquet(file: Path, _: Path) -> None:
    file.write_bytes(bytes(len(file.read_bytes())))


def _half_record(_: Path, record: Path) -> None:
    record.write_bytes(record.read_bytes()[:50])


def _emptied_record(_: Path, record: Path) -> None:
    record.write_bytes(b"")


def _record_is_folder(_: Path, record: Path) -> None:
    record.unlink()
    record.mkdir()


Harm = Callable[[Path, Path], None]
OF_FILES: list[Harm] = [_cut, _emptied, _flipped, _folder, _missing, _no_parquet]
OF_RECORDS: list[Harm] = [_half_record, _emptied_record, _record_is_folder]


def _damaged(landing: LandingZone, harm: Harm) -> tuple[LandedMonth, str]:
    """Land ten rows, harm their load, and return the month and what is harmed."""
    place = place_of(landing)
    [current] = ids_ago(10)
    write_load(place, current, [ROWS])
    file, record = Path(place.path, f"{current}.part0.parquet"), Path(place.record_path(current))
    harm(file, record)
    return place, str(record if harm in OF_RECORDS else file)


def _source(rows: list[dict[str, Any]], fetches: list[Fetch]) -> Callable[[str, Fetch], Any]:
    """Return a source that answers that nothing is new whenever it is told of earlier facts."""

    def extract(month: str, fetch: Fetch) -> DltResource:
        def answer() -> Any:
            fetches.append(fetch)
            if fetch.facts_before:
                raise NotModifiedError
            fetch.facts["asked"] = month
            yield from rows

        return dlt.resource(answer(), name="events")

    return extract


@pytest.mark.stack
@pytest.mark.parametrize("harm", [*OF_FILES, *OF_RECORDS])
def test_a_damaged_load_is_fetched_again_whole_and_replaced(
    landing: LandingZone, harm: Harm
) -> None:
    place = place_of(landing)
    fetches: list[Fetch] = []
    first = land_month(place, _source(ROWS, fetches), accept, land_unchanged=False)
    again = land_month(place, _source(ROWS, fetches), accept, land_unchanged=False)
    assert (again.not_modified, again.load_id) == (True, first.load_id)
    record, file = map(Path, place.files_of_load(first.load_id))
    harm(file, record)
    fetches.clear()

    landed = land_month(place, _source(ROWS, fetches), refuse_shrink, land_unchanged=False)

    assert [fetch.facts_before for fetch in fetches] == [{}]
    assert (landed.not_modified, landed.rows) == (False, 10)
    assert landed.load_id != first.load_id
    assert str(record if harm in OF_RECORDS else file) in landed.replaced_damaged
    assert [row["id"] for row in rows_of(landing, place.current_files())] == [*range(10)]

    place.delete(place.stale_files())
    assert [*place.listing().files] == [landed.load_id]
    after = land_month(place, _source(ROWS, fetches), accept, land_unchanged=False)
    assert after.not_modified
    assert after.replaced_damaged == ""


@pytest.mark.parametrize("harm", OF_FILES)
def test_its_rows_are_known_by_the_record_and_not_by_the_file(
    landing: LandingZone, harm: Harm
) -> None:
    place, _ = _damaged(landing, harm)
    current = place.current_load()
    fetches: list[Fetch] = []

    with pytest.raises(LandingError, match="4 rows came, where 10 are landed"):
        land_month(place, _source(ROWS[:4], fetches), refuse_shrink)

    assert [fetch.rows_before for fetch in fetches] == [10]
    assert place.listing().committed == [current]


@pytest.mark.parametrize("harm", OF_RECORDS)
def test_without_a_record_its_rows_are_known_by_the_file(landing: LandingZone, harm: Harm) -> None:
    place, _ = _damaged(landing, harm)
    current = place.current_load()

    with pytest.raises(LandingError, match="4 rows came, where 10 are landed"):
        land_month(place, _source(ROWS[:4], []), refuse_shrink)

    assert place.listing().committed == [current]


def _read(place: LandedMonth) -> None:
    load = place.current_files()
    assert load
    place.check_content(load.record)


@pytest.mark.parametrize("harm", [*OF_FILES, *OF_RECORDS])
def test_a_reader_is_told_what_is_damaged_and_what_mends_it(
    landing: LandingZone, harm: Harm
) -> None:
    place, harmed = _damaged(landing, harm)
    write_load(place, ids_ago(20)[0])

    with pytest.raises(DamagedLoadError) as error:
        _read(place)

    for part in (harmed, f"demo/events {MONTH}", f"Land {MONTH} again"):
        assert part in str(error.value)


def test_a_failed_fetch_leaves_the_damaged_load_as_it_is(landing: LandingZone) -> None:
    place, _ = _damaged(landing, _cut)
    before = place.listing()

    def broken_off(*_: Any) -> DltResource:
        def rows() -> Any:
            yield {"id": 1}
            raise ValueError("the answer broke off")

        return dlt.resource(rows(), name="events")

    with pytest.raises(Exception, match="broke off"):
        land_month(place, broken_off, accept)

    assert place.listing() == before


def test_the_quarantine_of_a_load_is_part_of_it(landing: LandingZone) -> None:
    place = place_of(landing)
    [current] = ids_ago(10)
    record = write_load(place, current, [ROWS], committed=False)
    refused = f"{place.quarantine_path}/{current}.refused.parquet"
    own = Path(place.path, record.files[0].name)
    landing.fs.makedirs(place.quarantine_path, exist_ok=True)
    Path(refused).write_bytes(own.read_bytes())
    size = own.stat().st_size
    record.files.append(RecordedFile("events_quarantine", Path(refused).name, 10, size, "another"))
    place.commit(record)

    landed = land_month(place, _source(ROWS, []), accept)

    assert refused in landed.replaced_damaged
