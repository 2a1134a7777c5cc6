"""The tutorial, followed as it is written."""

import re
from pathlib import Path

import pytest

from pipelines_project_tests.examples.reader import ROOT, checkout

pytestmark = [pytest.mark.stack, pytest.mark.long]

_PAGE = "docs/tutorial.md"
_SHOWN = re.compile(r"```text\n(.*?)```", re.DOTALL)


def test_the_tutorial_makes_a_source_a_model_and_prints_what_it_shows(tmp_path: Path) -> None:
    place = checkout(tmp_path)

    printed = place.follow(_PAGE)

    shown = "\n".join(_SHOWN.findall((ROOT / _PAGE).read_text(encoding="utf-8"))).splitlines()
    assert len(shown) > 10
    assert [line for line in shown if line not in printed] == []
    assert place.rows("select month, count(*) from bikes.counts group by all order by all") == [
        ("2024-01", 10),
        ("2024-02", 10),
        ("2024-03", 10),
    ]
    assert place.rows("select count(*) from bikes_marts.counter_months") == [(6,)]
