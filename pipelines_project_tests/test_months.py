"""A partition is one calendar month in UTC, and nothing else is taken for one."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines_project.months import (
    checked_month,
    month_of,
    month_start,
    month_window,
    months_between,
    months_in_flux,
    names_month,
    next_month,
    previous_month,
    stretches,
)
from pipelines_project.orchestration.table_assets import monthly_partitions

MONTHS = st.builds("{:04d}-{:02d}".format, st.integers(1000, 2999), st.integers(1, 12))


@given(MONTHS)
def test_every_month_is_a_key(month: str) -> None:
    assert checked_month(month) == month


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2023",
        "2023-1",
        "2023-00",
        "2023-13",
        "0000-01",
        "0001-01",
        "9999-12",
        "2023-01-01",
        "23-01",
        "2023/01",
        "2023-01\n",
        " 2023-01",
        "../2023-01",
        "2023-01' or true --",
        "٢٠٢٣-01",
        "2023-০১",
    ],
)
def test_what_is_no_month_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="is not a month") as refusal:
        checked_month(text)

    assert repr(text) in str(refusal.value)


def test_a_month_of_ten_thousand_characters_is_refused_in_a_short_message() -> None:
    with pytest.raises(ValueError, match="is not a month") as refusal:
        checked_month("2" * 10_000)

    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2023, 3, 1, tzinfo=UTC), "2023-03"),
        (datetime(2023, 3, 31, 23, 59, 59, tzinfo=UTC), "2023-03"),
        (datetime(2023, 4, 1, tzinfo=UTC), "2023-04"),
        (datetime(2023, 4, 1, 0, 30, tzinfo=timezone(timedelta(hours=2))), "2023-03"),
    ],
)
def test_the_partitions_run_from_the_first_month_to_the_current_one(
    now: datetime, last: str
) -> None:
    keys = monthly_partitions("2022-11").get_partition_keys(current_time=now)

    assert keys[:3] == ["2022-11", "2022-12", "2023-01"]
    assert keys[-1] == last


def test_a_partition_lasts_from_the_first_instant_of_its_month_to_that_of_the_next() -> None:
    window = monthly_partitions("2022-11").time_window_for_partition_key("2022-12")

    assert window.start.timestamp() == month_start("2022-12").timestamp()
    assert window.end.timestamp() == month_start("2023-01").timestamp()


def test_the_first_month_of_a_source_must_be_a_month() -> None:
    with pytest.raises(ValueError, match="'2022-11-01' is not a month"):
        monthly_partitions("2022-11-01")


def test_a_moment_belongs_to_its_month_in_utc() -> None:
    new_year_in_berlin = datetime(2023, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))

    assert month_of(new_year_in_berlin) == "2022-12"
    assert month_of(new_year_in_berlin + timedelta(hours=1)) == "2023-01"


def test_the_months_around_a_new_year_follow_each_other() -> None:
    assert next_month("2022-12") == "2023-01"
    assert previous_month("2023-01") == "2022-12"
    assert next_month("2024-02") == "2024-03"


# No key can name the month after the last.
@given(MONTHS.filter(lambda month: month != "2999-12"))
def test_the_next_month_begins_where_the_month_ends(month: str) -> None:
    following = next_month(month)

    assert previous_month(following) == month
    assert 28 <= (month_start(following) - month_start(month)).days <= 31
    assert month_start(following).day == 1


@pytest.mark.parametrize(
    ("now", "months"),
    [
        (datetime(2023, 1, 1, tzinfo=UTC), ["2022-12", "2023-01"]),
        (datetime(2023, 1, 3, 23, 59, 59, tzinfo=UTC), ["2022-12", "2023-01"]),
        (datetime(2023, 1, 4, tzinfo=UTC), ["2023-01"]),
        (datetime(2024, 2, 29, tzinfo=UTC), ["2024-02"]),
        (datetime(2023, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), ["2022-12"]),
        (datetime(2023, 1, 4, 0, 30, tzinfo=timezone(timedelta(hours=1))), ["2022-12", "2023-01"]),
    ],
)
def test_the_month_before_is_in_flux_for_the_first_three_days_in_utc(
    now: datetime, months: list[str]
) -> None:
    assert months_in_flux(now) == months


def test_stretches_break_where_a_month_is_missing_and_not_at_a_new_year() -> None:
    months = ["2023-02", "2022-11", "2022-12", "2023-01", "2023-05", "2023-04", "2024-05"]

    assert stretches(months) == [
        ("2022-11", "2023-02"),
        ("2023-04", "2023-05"),
        ("2024-05", "2024-05"),
    ]
    assert stretches([]) == []


@given(st.sets(st.integers(0, 60)))
def test_the_stretches_hold_exactly_the_months_and_never_touch(numbers: set[int]) -> None:
    every_month = ["2020-01"]
    while len(every_month) <= 62:
        every_month.append(next_month(every_month[-1]))

    held: list[str] = []
    for first, last in stretches(every_month[number] for number in numbers):
        assert not held or next_month(held[-1]) < first
        held += [month for month in every_month if first <= month <= last]

    assert held == [every_month[number] for number in sorted(numbers)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{month.start}", "2024-12-01"),
        ("from={month.start}&to={month.end}", "from=2024-12-01&to=2025-01-01"),
        ("{month.start:%s}", "1733011200"),
        ("{month.end:%Y%m%dT%H:%M:%SZ}", "20250101T00:00:00Z"),
        (
            '{"a": "{resources.posts.id}", "b": {months}}',
            '{"a": "{resources.posts.id}", "b": {months}}',
        ),
    ],
)
def test_the_bounds_of_a_month_replace_their_placeholders(text: str, expected: str) -> None:
    assert month_window(text, "2024-12") == expected
    assert names_month(text) == (text != expected)


@pytest.mark.parametrize("placeholder", ["{month}", "{month.first}", "{month.start.day}"])
def test_an_unknown_placeholder_of_the_month_is_refused_by_name(placeholder: str) -> None:
    with pytest.raises(ValueError, match=re.escape(placeholder)):
        month_window(f"since {placeholder}", "2024-12")


# Years beyond 2999 are no keys.
@pytest.mark.stack
@given(MONTHS.filter(lambda month: month < "2990"), st.integers(0, 40))
def test_months_between_two_are_one_unbroken_stretch_with_both(first: str, count: int) -> None:
    last = first
    for _ in range(count):
        last = next_month(last)

    found = months_between(first, last)

    assert len(found) == count + 1
    assert stretches(found) == [(first, last)]
    assert count == 0 or months_between(last, first) == []
