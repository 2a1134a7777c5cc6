"""A kept load is restored if it is what was committed, to the byte; otherwise nothing changes."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines_project.landing import restore as restoring
from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.new_load import Details, NewLoad, Verify
from pipelines_project.landing.record import FORMAT, read_record, sealed
from pipelines_project.landing.restore import restore
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests import json_lines
from pipelines_project_tests.json_lines import jsonl, land_lines, landed_lines, write_lines
from pipelines_project_tests.landings import change_record, land, place_of, rows_of, tree

ROW = {
    "id": 1,
    "amount": Decimal("1.5"),
    "at": datetime(2023, 1, 31, 23, 59, 59, 123456, tzinfo=UTC),
    "day": date(2023, 1, 31),
    "hour": time(1, 2, 3),
    "items": [1, {"a": None}],
    "raw": b"\x00\xff",
    "rate": 0.1,
    "is_it": True,
    "text": "ü",
    "nothing": None,
}


Kept = tuple[LandedMonth, str]


@pytest.fixture(scope="module")
def landed_twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Two rows of every type landed, then a month without rows: the folder, and the first load."""
    folder = tmp_path_factory.mktemp("landed_twice")
    place = place_of(LandingZone(url=str(folder)))
    load_id = land(place, [ROW, {"id": 2, "late": "x"}]).load_id
    land(place, [], {"id": {"data_type": "bigint"}})
    return folder, load_id


@pytest.fixture
def kept(landed_twice: tuple[Path, str], landing: LandingZone) -> Kept:
    """A copy of that month, and its first load, which is kept."""
    shutil.copytree(landed_twice[0], landing.url)
    return place_of(landing), landed_twice[1]


def _tables(place: LandedMonth, load_id: str) -> dict[str, pa.ChunkedArray]:
    [file] = read_record(place.fs, place.record_path(load_id)).files
    table = pq.ParquetFile(f"{place.path}/{file.name}").read()
    return {name: table[name] for name in table.column_names if name != "_dlt_load_id"}


@pytest.mark.stack
def test_values_types_and_ids_are_those_of_the_kept_load(landing: LandingZone, kept: Kept) -> None:
    place, old = kept

    new = restore(place, old).load_id

    assert place.current_load() == new
    assert _tables(place, new) == _tables(place, old)
    rows = rows_of(landing, place.current_files())
    assert {row["_dlt_load_id"] for row in rows} == {new}
    assert rows[0]["amount"] == Decimal("1.5")
    record = read_record(landing.fs, place.record_path(new))
    assert [file.rows for file in record.files] == [2]


def test_a_load_without_rows_is_restored(landing: LandingZone) -> None:
    place = place_of(landing)
    empty = land(place, [], {"id": {"data_type": "bigint"}}).load_id
    land(place, [ROW])

    assert restore(place, empty).rows == 0

    load = place.current_files()
    assert load
    assert pq.read_schema(load.files[0]).names == ["id", "_dlt_id", "_dlt_load_id"]
    assert rows_of(landing, load) == []


@pytest.mark.stack
def test_rows_are_shown_of_a_restored_load_if_they_were_of_the_kept_one(
    landing: LandingZone,
) -> None:
    place = place_of(landing)
    shown = land(place, [{"id": 1}], shows_rows=True)
    hidden = land(place, [{"id": 2}])

    restored = restore(place, shown.load_id)

    assert restored.sample == shown.sample
    assert restored.sample is not None
    assert restore(place, hidden.load_id).sample is None


@pytest.mark.stack
def test_quarantined_lines_are_restored_with_the_rows(landing: LandingZone, tmp_path: Path) -> None:
    write_lines(tmp_path, jsonl({"id": 1}, {"id": 2}) + "{\n")
    before = land_lines(landing, tmp_path, on_bad_line="quarantine")
    write_lines(tmp_path, jsonl({"id": 3}))
    land_lines(landing, tmp_path, on_bad_line="quarantine", allow_shrink=True)
    place = landing.month("local_jsonl", "events", json_lines.MONTH)

    restore(place, before.load_id)

    after = landed_lines(landing)
    without_id = [
        [{**r, "_dlt_load_id": ""} for r in part]
        for part in (
            before.rows.to_pylist(),
            after.rows.to_pylist(),
            before.quarantined,
            after.quarantined,
        )
    ]
    assert without_id[0] == without_id[1]
    assert without_id[2] == without_id[3]
    assert len(without_id[3]) == 1


@pytest.mark.stack
def test_a_load_of_many_row_groups_is_restored_group_by_group(
    landing: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(landing)
    parts = [pa.table({"id": range(n * 1000, n * 1000 + 1000)}) for n in range(5)]
    old = land(place, parts).load_id
    land(place, [{"id": 0}])
    monkeypatch.setattr(pq.ParquetFile, "read", None)

    assert restore(place, old).rows == 5000

    rows = rows_of(landing, place.current_files())
    assert sorted(row["id"] for row in rows) == [*range(5000)]


def _delete_file(path: Path, _: Path) -> None:
    path.unlink()


def _cut_off(path: Path, _: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _change_byte(path: Path, _: Path) -> None:
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)


def _half_record(_: Path, record: Path) -> None:
    record.write_text(record.read_text()[:50])


def _other_format(_: Path, record: Path) -> None:
    stated = json.loads(record.read_text())
    del stated["sha256"]
    record.write_bytes(sealed(json.dumps(stated | {"format": FORMAT + 1}).encode()))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_delete_file, "is missing"),
        (_cut_off, "bytes, not"),
        (_change_byte, "has not the sha256"),
        (_half_record, "record .* is damaged"),
        (_other_format, f"has format {FORMAT + 1}"),
    ],
)
def test_a_load_that_is_not_what_was_committed_is_refused(
    landing: LandingZone, kept: Kept, harm: Callable[[Path, Path], None], said: str
) -> None:
    place, old = kept
    record, file = map(Path, place.files_of_load(old))
    harm(file, record)
    before = tree(Path(landing.url))

    with pytest.raises(LandingError, match=said) as raised:
        restore(place, old)

    assert f"load {old}" in str(raised.value)
    assert place.path in str(raised.value)
    assert tree(Path(landing.url)) == before


def test_a_load_whose_record_has_other_rows_than_its_files_is_refused(
    landing: LandingZone,
    kept: Kept,
) -> None:
    place, old = kept
    [file] = read_record(landing.fs, place.record_path(old)).files
    change_record(place, old, files=[{**asdict(file), "rows": 3}])
    current = place.current_load()

    with pytest.raises(LandingError, match=r"'events': 2\} rows were read, not \{'events': 3\}"):
        restore(place, old)

    assert place.current_load() == current


def test_a_file_that_the_record_does_not_name_is_not_restored(kept: Kept) -> None:
    place, old = kept
    file = Path(place.files_of_load(old)[1])
    file.with_name(f"{old}.another.parquet").write_bytes(file.read_bytes())

    assert restore(place, old).rows == 2


def test_a_load_without_a_record_is_not_kept(kept: Kept) -> None:
    place, old = kept
    Path(place.record_path(old)).unlink()

    with pytest.raises(LandingError, match=f"load '{old}' is not kept. Kept are:\n- none"):
        restore(place, old)


def test_a_kept_load_that_cannot_be_restored_is_listed_as_such(kept: Kept) -> None:
    place, old = kept
    Path(place.record_path(old)).write_text("{")

    with pytest.raises(LandingError, match=rf"- {old}, .* cannot be restored$"):
        restore(place, None)


@pytest.mark.parametrize("asked", ["1.5", "../1.5", "nan", "", None])
def test_a_load_that_is_not_kept_is_refused_and_the_kept_ones_are_listed(
    kept: Kept, asked: str | None
) -> None:
    place, old = kept

    with pytest.raises(LandingError, match=rf"Kept are:\n- {old}, landed at .*, 2 rows$"):
        restore(place, asked)


def test_the_current_load_is_not_restored(landing: LandingZone, kept: Kept) -> None:
    place, old = kept
    current = place.current_load()

    with pytest.raises(LandingError, match=f"load '{current}' is the current one already"):
        restore(place, current)
    with pytest.raises(LandingError, match=r"demo/other 2023-01: .* Kept are:\n- none"):
        restore(place_of(landing, table="other"), old)


def _when_it_is_read(monkeypatch: pytest.MonkeyPatch, action: Callable[[], Any]) -> None:
    """Let something happen when the kept rows are read, and nothing of them is committed yet."""
    read = restoring.landed_rows

    def then(*args: Any) -> Any:
        monkeypatch.undo()
        action()
        return read(*args)

    monkeypatch.setattr(restoring, "landed_rows", then)


def test_a_load_that_is_deleted_while_it_is_read_is_not_restored(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, old = kept
    current = place.current_load()
    _when_it_is_read(monkeypatch, lambda: place.delete([place.record_path(old)]))

    with pytest.raises(LandingError, match=f"load {old} was deleted while it was read"):
        restore(place, old)

    assert place.current_load() == current


def _when_staged(monkeypatch: pytest.MonkeyPatch, action: Callable[[], Any]) -> None:
    """Let something happen when a load is staged, and nothing of it is committed yet."""
    verify = restoring.has_rows

    def then(expected: Any) -> Verify:
        def verified(new: NewLoad) -> Details:
            action()
            return verify(expected)(new)

        return verified

    monkeypatch.setattr(restoring, "has_rows", then)


@pytest.mark.stack
def test_a_restored_load_gives_way_to_one_that_was_begun_later(
    landing: LandingZone, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, old = kept

    def land_meanwhile() -> None:
        with ThreadPoolExecutor(1) as other_run:
            other_run.submit(land, place, [{"id": 9}]).result()

    _when_staged(monkeypatch, land_meanwhile)

    with pytest.raises(LandingError, match="was landed while"):
        restore(place, old)

    assert [row["id"] for row in rows_of(landing, place.current_files())] == [9]
    assert old in place.listing().committed


def test_rows_that_get_lost_on_the_way_are_an_error(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, old = kept
    current = place.current_load()
    read = pq.ParquetFile.read_row_group

    def one_less(self: pq.ParquetFile, *args: Any) -> pa.Table:
        return read(self, *args).slice(1)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", one_less)

    with pytest.raises(LandingError, match="'events': 1} rows were read"):
        restore(place, old)

    assert place.current_load() == current
