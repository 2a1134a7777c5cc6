"""What is tried again because another writer was in the way, in whatever language it is told."""

import duckdb
import pytest

from pipelines_project.sql_text import literal
from pipelines_project.warehouse.attachment import Kind, kind_of
from pipelines_project.warehouse.conflicts import LoadChangedError, is_untold, retried
from pipelines_project.warehouse.database import Warehouse


def _attempts(error: Exception) -> int:
    """Return how often work that always fails like this is tried."""
    attempts = 0

    def work() -> None:
        nonlocal attempts
        attempts += 1
        raise error

    with pytest.raises(type(error)):
        retried()(work)
    return attempts


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (duckdb.TransactionException("Konflikt"), 8),
        (LoadChangedError("landed again"), 8),
        (duckdb.Error("FEHLER:  konnte Zugriff nicht serialisieren"), 3),
        (duckdb.ConversionException("could not serialize"), 1),
        (duckdb.Error("Out of Memory Error: could not allocate"), 1),
    ],
)
def test_the_class_of_an_error_tells_whether_it_passes(
    monkeypatch: pytest.MonkeyPatch, error: Exception, attempts: int
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)

    assert _attempts(error) == attempts


@pytest.mark.every_warehouse
def test_what_postgresql_says_is_of_the_class_that_tells_nothing(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        if kind_of(connection) is not Kind.POSTGRES:
            pytest.skip("it says nothing here")
        said = "raise exception using errcode = '40001', message = 'konnte nicht serialisieren'"
        block = literal(f"do $$ begin {said}; end $$")
        with pytest.raises(duckdb.Error) as error:
            connection.execute(f"call postgres_execute('warehouse', {block})")

    assert is_untold(error.value)
