"""A load that does not have every line of its files is refused before it is committed."""

from pathlib import Path
from typing import Any

import pytest

from pipelines_project.landing.causes import root_cause
from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.new_load import NewLoad
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.json_lines import MONTH, jsonl, land_lines, write_lines

_NAMES = ("local_jsonl", "events", MONTH)


@pytest.fixture
def landed_before(landing: LandingZone, tmp_path: Path) -> str:
    """A month of four rows and one quarantined line, and its load id."""
    write_lines(tmp_path, jsonl(*({"v": n} for n in range(4))) + "{\n")
    return land_lines(landing, tmp_path, on_bad_line="quarantine").load_id


def _refusal(landing: LandingZone, raw: Path, **settings: Any) -> str:
    with pytest.raises(Exception, match="events") as raised:
        land_lines(landing, raw, on_bad_line="quarantine", **settings)
    cause = root_cause(raised.value)
    assert isinstance(cause, LandingError)
    return str(cause)


@pytest.mark.parametrize("lost", ["rows", "quarantined"])
def test_rows_and_quarantined_lines_must_be_the_lines_read(
    landing: LandingZone,
    tmp_path: Path,
    landed_before: str,
    monkeypatch: pytest.MonkeyPatch,
    lost: str,
) -> None:
    counted = NewLoad.rows_of

    def one_less(new: NewLoad, table: str) -> int:
        is_lost = table.endswith("_quarantine") == (lost == "quarantined")
        return counted(new, table) - is_lost

    monkeypatch.setattr(NewLoad, "rows_of", one_less)

    said = _refusal(landing, tmp_path)
    assert "5 lines were read, but" in said
    assert landing.month(*_NAMES).current_load() == landed_before


@pytest.mark.stack
@pytest.mark.parametrize(("rows", "is_taken"), [(4, True), (2, True), (1, False), (0, False)])
def test_a_month_that_loses_most_of_its_rows_is_refused_unless_it_may_shrink(
    landing: LandingZone, tmp_path: Path, landed_before: str, rows: int, is_taken: bool
) -> None:
    write_lines(tmp_path, jsonl(*({"v": n} for n in range(rows))))
    if not is_taken:
        assert f"{rows} rows came, where 4 are landed" in _refusal(landing, tmp_path)
        assert landing.month(*_NAMES).current_load() == landed_before

    assert len(land_lines(landing, tmp_path, allow_shrink=not is_taken).rows) == rows


@pytest.mark.stack
def test_a_month_whose_landed_files_are_lost_is_landed_again_if_it_has_its_rows(
    landing: LandingZone, tmp_path: Path, landed_before: str
) -> None:
    load = landing.month(*_NAMES).current_files()
    assert load
    for file in load.files:
        Path(file).unlink()
    write_lines(tmp_path, jsonl({"v": 1}))
    assert "1 rows came, where 4 are landed" in _refusal(landing, tmp_path)
    write_lines(tmp_path, jsonl({"v": 1}, {"v": 2}))

    assert len(land_lines(landing, tmp_path).rows) == 2
