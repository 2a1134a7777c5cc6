"""The page on how to add a source quotes the example as it is, and its commands run."""

import re
from pathlib import Path

import pytest

from pipelines_project_tests.examples.reader import ROOT, checkout

PAGE = "docs/add_a_source.md"
EXAMPLE = ROOT / "examples" / "python_source"
_QUOTED = re.compile(r"^`(\S+)`:\n\n```(?:python|yaml|sql)\n(.*?)^```", re.DOTALL | re.MULTILINE)
# The page says of these what they are.
_NOT_QUOTED = {"pipelines_project/sources/reading_room/__init__.py"}


def test_the_page_quotes_every_file_of_the_example_as_it_is() -> None:
    quoted = dict(_QUOTED.findall((ROOT / PAGE).read_text(encoding="utf-8")))

    files = {
        path.relative_to(EXAMPLE).as_posix(): path.read_text(encoding="utf-8")
        for path in EXAMPLE.rglob("*.*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert quoted == {name: text for name, text in files.items() if name not in _NOT_QUOTED}


def test_component_and_source_have_fewer_than_eighty_lines() -> None:
    modules = (EXAMPLE / "pipelines_project").rglob("*.py")

    assert 40 < sum(len(path.read_text(encoding="utf-8").splitlines()) for path in modules) < 80


@pytest.mark.stack
@pytest.mark.long
def test_the_page_leads_to_a_source_that_is_landed_loaded_and_tested(tmp_path: Path) -> None:
    place = checkout(tmp_path)

    printed = place.follow(PAGE)

    assert "5 passed" in printed
    visits = "select count(*), count(distinct month) from reading_room.visits"
    assert place.rows(visits) == [(182 * 3, 6)]
    mart = "select sum(visits)::int, count(*) from reading_room_marts.branch_days"
    assert place.rows(mart) == [(182 * 3, 182)]
