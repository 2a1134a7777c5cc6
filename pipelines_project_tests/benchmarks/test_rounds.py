"""Contenders take turns, each round in an empty folder that they share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.case import SECONDS, Case, Contender, Figures
from benchmarks.rounds import medians, take_turns


def _case(log: list[str], **limits: int) -> Case[str]:
    @contextmanager
    def prepared(size: int, folder: Path) -> Iterator[str]:
        assert not [*folder.iterdir()]
        yield f"input of {size}"
        log.append(f"end of {size}")

    def contender(name: str) -> Contender[str]:
        def run(ready: str, place: Path) -> Figures:
            log.append(f"{name}, {ready}, after {sorted(path.name for path in place.iterdir())}")
            (place / name).mkdir()
            return {SECONDS: float(len(log))}

        return Contender(run, **(limits if name == "slow" else {}))

    contenders = {name: contender(name) for name in ("ours", "slow")}
    return Case("case", "A case.", "rows", {1: 2, 2: 1}, prepared, contenders)


def _took(case: Case[str], folder: Path) -> dict[tuple[str, int], int]:
    measured = take_turns(case, case.sizes, folder, lambda _: None)
    return {(each.contender, each.size): len(each.rounds) for each in measured}


def test_contenders_take_turns_in_an_empty_folder(tmp_path: Path) -> None:
    log: list[str] = []
    took = _took(_case(log), tmp_path)

    turn = ["ours, input of {}, after []", "slow, input of {}, after ['ours']"]
    assert log == [
        *(line.format(1) for line in [*turn, *turn, "end of {}"]),
        *(line.format(2) for line in [*turn, "end of {}"]),
    ]
    assert took == {("ours", 1): 2, ("slow", 1): 2, ("ours", 2): 1, ("slow", 2): 1}
    assert not [*tmp_path.iterdir()]


def test_a_slow_contender_has_fewer_rounds_and_sizes(tmp_path: Path) -> None:
    assert _took(_case([], rounds=1), tmp_path)[("slow", 1)] == 1
    assert ("slow", 2) not in _took(_case([], largest=1), tmp_path)


def test_the_median_is_that_of_all_rounds(tmp_path: Path) -> None:
    measured = take_turns(_case([]), {1: 3}, tmp_path, lambda _: None)

    assert medians(measured) == {("ours", 1): {SECONDS: 3.0}, ("slow", 1): {SECONDS: 4.0}}


def test_an_input_that_cannot_be_worked_on_is_an_error(tmp_path: Path) -> None:
    case = _case([])
    (tmp_path / "round").mkdir()

    with pytest.raises(FileExistsError):
        take_turns(case, case.sizes, tmp_path, lambda _: None)
