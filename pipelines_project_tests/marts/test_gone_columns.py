"""A model that reads a column which a version has changed says what to write instead."""

from pathlib import Path

import duckdb
import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project.marts.build import build
from pipelines_project.marts.mart import Mart
from pipelines_project.marts.model import parse_model
from pipelines_project.warehouse.database import Warehouse, WarehouseError
from pipelines_project.warehouse.load_month import load_month
from pipelines_project.warehouse.loaders.replace_month import ReplaceMonth
from pipelines_project.warehouse.versions.apply_versions import apply_versions
from pipelines_project.warehouse.versions.files import read_versions
from pipelines_project_tests.landings import ids_ago, place_of, write_load

pytestmark = pytest.mark.every_warehouse


@pytest.fixture
def changed(tmp_path: Path, landing: LandingZone, warehouse: Warehouse) -> Warehouse:
    """A warehouse of which a version has renamed one column of a table, and dropped another."""
    place = place_of(landing)
    write_load(place, ids_ago(0)[0], [[{"id": 1, "name": "a", "note": "b"}]])
    folder = tmp_path / "versions"
    folder.mkdir()
    (folder / "001_change.sql").write_text(
        "alter table demo.events rename column name to title;"
        "alter table demo.events drop column note"
    )
    with warehouse.connect() as connection:
        load_month(connection, place, ReplaceMonth(("id",)))
        apply_versions(connection, "demo", read_versions(folder, "demo"))
    return warehouse


def _mart(folder: Path, sql: str) -> Mart:
    path = folder / "names.sql"
    path.write_text(sql)
    return Mart("demo", parse_model(path))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "select name from demo.events",
            "A version has renamed demo.events.name: write title in the model",
        ),
        (
            "select e.name from demo.events e",
            "A version has renamed demo.events.name: write title in the model",
        ),
        (
            "select note from demo.events",
            "A version has dropped demo.events.note: leave it out of the model",
        ),
    ],
)
def test_the_error_says_what_the_version_has_made_of_the_column(
    tmp_path: Path, changed: Warehouse, sql: str, said: str
) -> None:
    with pytest.raises(WarehouseError, match=said):
        build(changed, _mart(tmp_path, sql))


def test_another_column_that_is_not_there_is_told_as_duckdb_tells_it(
    tmp_path: Path, changed: Warehouse
) -> None:
    with pytest.raises(duckdb.BinderException, match="nmae"):
        build(changed, _mart(tmp_path, "select nmae from demo.events"))
