"""Price lists, landed, corrected and renamed on purpose as their README says."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines_project_tests.examples.reader import checkout

pytestmark = [pytest.mark.stack, pytest.mark.long]


def test_a_correction_rewrites_the_history_and_a_version_renames_a_column(tmp_path: Path) -> None:
    place = checkout(tmp_path)

    printed = place.follow("examples/price_history/README.md")

    assert '"dry_run": true' in printed
    versions = "select price, valid_from::date, valid_to::date from prices.articles"
    assert place.rows(f"{versions} where article = 'green tea' order by valid_from") == [
        (Decimal("4.20"), date(2024, 1, 1), date(2024, 3, 1)),
        (Decimal("4.60"), date(2024, 3, 1), date(2024, 4, 1)),
        (Decimal("4.90"), date(2024, 4, 1), date(2024, 5, 1)),
        (Decimal("5.10"), date(2024, 5, 1), None),
    ]
    assert place.rows(f"{versions} where article = 'salt' order by valid_from") == [
        (Decimal("0.90"), date(2024, 1, 1), date(2024, 3, 1)),
        (Decimal("0.95"), date(2024, 3, 1), date(2024, 4, 1)),
        (Decimal("1.10"), date(2024, 6, 1), None),
    ]
    assert place.rows("select count(*) from prices_marts.price_changes") == [(5,)]
    assert place.rows("select count(pieces), count(distinct month) from prices.stock") == [(32, 6)]
    assert place.rows("select count(*) from ledger.versions") == [(1,)]
