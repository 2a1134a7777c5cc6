"""The soak repeats a plan, and finds what it is there to find."""

import time
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.faults.live_data import Month
from pipelines_project_tests.faults.soak.plan import plan
from pipelines_project_tests.faults.soak.reconciliation import Reconciliation
from pipelines_project_tests.faults.soak.served import Part, Versions, rows
from pipelines_project_tests.landings import place_of, write_load

_MONTH = Month("chess", "games", "2024-03")
_HIKARU, _ERIK = (Part("chess", "2024-03", name) for name in ("hikaru", "erik"))


def test_a_seed_repeats_its_plan() -> None:
    first, again, other = ([*islice(plan(seed), 50)] for seed in (3, 3, 4))

    assert first == again != other


def _look(folder: Path, landed: Sequence[Mapping[str, Any]], versions: Versions) -> None:
    """Check a landing zone with such rows of one month, as the soak does."""
    load_id = str(time.time())
    place = place_of(LandingZone(url=str(folder / "data/landing")), _MONTH.month, "games", "chess")
    write_load(place, load_id, [[{**row, "_dlt_load_id": load_id} for row in landed]])
    Reconciliation(folder, versions).check_landed(_MONTH)


_FIRST = rows(_HIKARU, 1) + rows(_ERIK, 1)


def test_what_is_served_is_no_difference(tmp_path: Path) -> None:
    _look(tmp_path, _FIRST, Versions())


@pytest.mark.parametrize(
    ("landed", "found"),
    [
        (_FIRST[1:], "1 rows of version 1 are lost"),
        ([*_FIRST, _FIRST[0]], "1 rows too many"),
        (rows(_HIKARU, 1), "nothing of"),
        (rows(_HIKARU, 2)[:3] + rows(_HIKARU, 1)[3:] + rows(_ERIK, 1), "a mixture of versions"),
    ],
    ids=["lost", "doubled", "a part is missing", "mixed"],
)
def test_rows_that_are_no_whole_version_are_found(
    tmp_path: Path, landed: Sequence[Mapping[str, Any]], found: str
) -> None:
    with pytest.raises(AssertionError, match=found):
        _look(tmp_path, landed, Versions())


def test_a_load_that_is_older_than_its_id_says_is_found(tmp_path: Path) -> None:
    versions = Versions()
    versions.advance(_ERIK)

    with pytest.raises(AssertionError, match="version 2 was served already"):
        _look(tmp_path, _FIRST, versions)


def test_a_load_that_is_gone_again_is_found(tmp_path: Path) -> None:
    reconciliation = Reconciliation(tmp_path, Versions())
    reconciliation.landed(_MONTH, str(time.time()))

    with pytest.raises(AssertionError, match="0 is current"):
        reconciliation.check_landed(_MONTH)
