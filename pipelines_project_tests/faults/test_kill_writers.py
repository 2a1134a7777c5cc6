"""Other writers of the warehouse are killed: old or new is whole, and a re-run ends it."""

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from pipelines_project.sql_text import quoted
from pipelines_project.warehouse.database import Warehouse
from pipelines_project_tests.faults.figures import IS_FULL, Count
from pipelines_project_tests.faults.forked_runs import ForkedRuns, forked_runs
from pipelines_project_tests.faults.live_data import LiveData
from pipelines_project_tests.faults.operations import Harm, Sabotage
from pipelines_project_tests.faults.stores import Stores
from pipelines_project_tests.faults.writers import WRITERS, Data, Writer, write

pytestmark = pytest.mark.faults

_CHANGE = re.compile(r"write |sql (commit|__exit__)|sql execute (?!(select|from|describe|set)\b)")
_OWN = ("applied_at",)
_PARTS = range(4 if IS_FULL else 1)
"""The kill points of a writer are dealt out to so many tests, which run side by side."""

State = dict[str, Any]
"""What a reader finds in the warehouse: by table, its columns and rows; and the indexes."""


@dataclass(frozen=True)
class Bench:
    """Where writers run."""

    live: LiveData
    runs: ForkedRuns

    def run(self, name: str, sabotage: Sabotage | None = None) -> Any:
        return self.runs.run(write, name, str(self.live.data), sabotage=sabotage)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("writers")
    live, name = LiveData(Stores(folder)), next(iter(WRITERS))
    live.data.mkdir()
    _prepare(live, WRITERS[name])
    environment = {
        "LANDING_URL": str(live.data / "landing"),
        "WAREHOUSE_URL": str(live.data / "warehouse.duckdb"),
    }
    with forked_runs(folder, environment, write, name, str(live.data)) as runs:
        yield Bench(live, runs)


def _prepare(live: LiveData, writer: Writer) -> Data:
    data = Data(live.data)
    for act in writer.before:
        act(data)
    return data


@pytest.mark.parametrize("part", _PARTS)
@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_killed_at_any_operation_leaves_old_or_new_and_a_rerun_ends_it(
    bench: Bench, count: Count, name: str, part: int
) -> None:
    live, writer = bench.live, WRITERS[name]
    live.restore()
    data, start = _prepare(live, writer), f"before {name}, {part}"
    live.save(start)
    whole = [_state(data.warehouse)]
    for act in writer.between:
        act(data)
        whole.append(_state(data.warehouse))
    live.restore(start)
    clean = bench.run(name)
    assert clean.code == 0, clean.log
    whole.append(_state(data.warehouse))
    assert all(one != other for one, other in pairwise(whole))

    for at in _points(clean.operations)[part :: len(_PARTS)]:
        live.restore(start)
        killed = bench.run(name, Sabotage(Harm.KILLED, at))
        try:
            assert killed.code == -signal.SIGKILL, killed.log
            assert _state(data.warehouse) in whole
            again = bench.run(name)
            assert again.code == 0, again.log
            assert _state(data.warehouse) == whole[-1]
            assert _left(data.warehouse) == []
        except Exception as error:
            error.add_note(f"killed before {at}: {clean.operations[at]}")
            raise
        count("kill points", 1)


def _points(operations: list[str]) -> list[int]:
    """Return the operations to be killed before: every one, or some of those that change a thing.

    Among these are the last commit and what comes after it.
    """
    if IS_FULL:
        return [*range(len(operations))]
    changes = [at for at, text in enumerate(operations) if _CHANGE.match(text)]
    last = max(at for at in changes if operations[at].startswith("sql commit"))
    return sorted({*changes[:: max(1, len(changes) // 8)], last, last + 1})


def _state(warehouse: Warehouse) -> State:
    with warehouse.connect() as connection:

        def rows(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()

        found: State = {"indexes": rows("select index_name, sql from duckdb_indexes() order by 1")}
        for schema, table in rows(
            "select schema_name, table_name from duckdb_tables() where not temporary order by all"
        ):
            name = f"{schema}.{table}"
            columns = [each for each in rows(f"describe {name}") if each[0] not in _OWN]
            names = [each[0] for each in columns]
            listed = ", ".join(map(quoted, names))
            of_source = "where source = 'demo'" if "source" in names else ""
            held = rows(f"select {listed} from {name} {of_source} order by all")
            # What is being built is nothing to a reader, nor is a ledger without entries.
            if not schema.endswith("_rebuilt") and (held or schema != "ledger"):
                found[name] = [columns, held]
        return found


def _left(warehouse: Warehouse) -> list[Any]:
    """Return what is left of a table that was made to take another's place."""
    return warehouse.rows("""
        select schema_name, table_name from duckdb_tables()
        where schema_name like '%rebuilt' or table_name like '%\\_\\_new' escape '\\'
    """)
