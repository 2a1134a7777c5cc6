"""The ledger makes transactions that write to one table exclude each other."""

import duckdb
import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project.warehouse.database import Warehouse
from pipelines_project.warehouse.ledger import (
    HeldLoad,
    create_ledger,
    held_load,
    take_turn,
    write_ledger,
)
from pipelines_project_tests.landings import place_of


def test_two_transactions_cannot_have_their_turn_at_one_table(
    landing: LandingZone, warehouse: Warehouse
) -> None:
    january, february = place_of(landing, "2023-01"), place_of(landing, "2023-02")
    other_table = place_of(landing, "2023-01", table="others")
    with warehouse.connect() as one, one.cursor() as two:
        create_ledger(one, january.source)
        for place in (january, other_table):
            write_ledger(one, place, HeldLoad("1.5", 10, None))
        two.execute("use warehouse")
        one.begin()
        two.begin()
        take_turn(one, january.source, january.table)

        take_turn(two, other_table.source, other_table.table)
        with pytest.raises(duckdb.TransactionException, match=r"[Cc]onflict"):
            take_turn(two, february.source, february.table)
        one.commit()
        assert held_load(one, january) == HeldLoad("1.5", 10, None)
