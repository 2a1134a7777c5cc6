"""Lines that are read once land as they would if they were read twice."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project.sources.files import json_lines, line_pieces, quick_lines
from pipelines_project_tests.json_lines import (
    LandedLines,
    jsonl,
    land_lines,
    write_lines,
)

LandBoth = Callable[..., bool]


@pytest.fixture
def land_both(landing: LandingZone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LandBoth:
    """Land the files quickly if they can be, and with care, and tell whether they could be.

    It fails unless both are the same.
    """
    taken: list[bool] = []

    def noted(*arguments: Any) -> Any:
        found = quick_lines.quick_lines(*arguments)
        taken.append(found is not None)
        return found

    def landed(**settings: Any) -> bool:
        taken.clear()
        monkeypatch.setattr(json_lines, "quick_lines", noted)
        first = land_lines(landing, tmp_path, **settings)
        monkeypatch.setattr(json_lines, "quick_lines", lambda *_: None)
        _assert_same(first, land_lines(landing, tmp_path, **settings))
        return taken == [True]

    return landed


def _assert_same(quick: LandedLines, careful: LandedLines) -> None:
    own = "_dlt_load_id"
    assert quick.rows.schema.equals(careful.rows.schema, check_metadata=True)
    assert quick.rows.drop([own]).equals(careful.rows.drop([own]))
    assert set(quick.column(own)) == {quick.load_id}
    facts = ("lines_read", "lines_quarantined", "schema_changes", "fingerprint")
    assert [quick.details[f] for f in facts] == [careful.details[f] for f in facts]
    assert quick.quarantined == careful.quarantined == []


ROWS = [
    {"id": n, "ratio": n / 7, "ok": n % 2 == 0, "text": f"\0é\U0001f600 {n}", "o": {"A": n}}
    | ({"user": {"home": {"zip": "07"}}, "nothing": None} if n % 3 else {"user": {}})
    for n in range(12)
]


@pytest.mark.stack
@pytest.mark.parametrize("block_bytes", [64, line_pieces.BLOCK_BYTES])
@pytest.mark.parametrize("provenance", [True, False])
def test_plain_lines_of_several_files_are_read_once(
    land_both: LandBoth,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    block_bytes: int,
    provenance: bool,
) -> None:
    monkeypatch.setattr(line_pieces, "BLOCK_BYTES", block_bytes)
    write_lines(tmp_path, jsonl(*ROWS))
    write_lines(tmp_path, b"\xef\xbb\xbf" + jsonl(*ROWS).replace("\n", "\r\n").encode(), "b.jsonl")

    assert land_both(provenance=provenance)


@pytest.mark.stack
@pytest.mark.parametrize(
    ("late", "changed"),
    [
        ({"id": 1.5}, "id"),
        ({"id": "x"}, "id"),
        ({"id": 2**63}, "id"),
        ({"ratio": 2**53 + 1}, "ratio"),
        ({"text": 5}, "text"),
        ({"text": ["x"]}, "text"),
        ({"nothing": 1}, "nothing"),
        ({"new": 1}, "new"),
        ({"o": {"a": 1}}, "o"),
        ({"o": 5}, "o"),
    ],
)
def test_a_surprise_after_the_first_lines_is_read_with_care(
    land_both: LandBoth,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    late: Mapping[str, Any],
    changed: str,
) -> None:
    monkeypatch.setattr(line_pieces, "BLOCK_BYTES", 64)
    write_lines(tmp_path, jsonl(*ROWS, {**ROWS[1], **late}))

    assert changed in late
    assert not land_both()


BEFORE = {"id": "BIGINT", "text": "VARCHAR", "o__a": "BIGINT"}


@pytest.mark.stack
@pytest.mark.parametrize("contract", ["evolve", "freeze", "quarantine"])
def test_lines_that_keep_the_contract_are_read_once(
    land_both: LandBoth, tmp_path: Path, contract: str
) -> None:
    write_lines(tmp_path, jsonl({"id": 1, "text": "t", "o": {"a": 1}}, {"o": None, "id": 2}))

    assert land_both(before=BEFORE, contract=contract)


def test_a_change_that_the_contract_takes_in_is_told(land_both: LandBoth, tmp_path: Path) -> None:
    write_lines(tmp_path, jsonl({"id": 1, "new": True}, {"text": "x"}))

    assert land_both(before=BEFORE)


def test_an_object_that_is_always_null_is_no_column(land_both: LandBoth, tmp_path: Path) -> None:
    write_lines(tmp_path, jsonl({"o": None}, {"o": None}))

    assert land_both(before=BEFORE)
