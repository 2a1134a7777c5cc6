"""The table in Glue: its columns follow the months, and nobody else's table is touched."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from s3fs import S3FileSystem

from pipelines_project.glue.external_table import ExternalTable
from pipelines_project.glue.publication import Publication
from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.glue.athena import Athena, athena_of, published_table
from pipelines_project_tests.landings import MONTH, ids_ago, place_of, write_load
from pipelines_project_tests.object_store import Fault, Gate

pytestmark = pytest.mark.stack

LATER = "2023-02"


def _publish(
    athena: Athena, zone: LandingZone, month: str, row: dict[str, Any], **settings: Any
) -> list[str]:
    """Publish a load of one row with these columns, and return what Athena cannot read of it."""
    place = place_of(zone, month)
    write_load(place, ids_ago(0)[0], [pa.table({name: [each] for name, each in row.items()})])
    table = replace(published_table(athena), **settings)
    return Publication(table, zone).publish(place).unreadable


def test_the_table_reads_manifests_by_month(athena: Athena, zone: LandingZone) -> None:
    _publish(athena, zone, MONTH, {"id": 1})

    table = athena.table()
    stored = table["StorageDescriptor"]
    assert table["PartitionKeys"] == [{"Name": "month", "Type": "string"}]
    assert stored["Location"] == f"{zone.url}/demo/events/_symlink_format_manifest/"
    assert stored["InputFormat"] == "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat"
    assert table["Parameters"]["projection.month.range"] == "2023-01,NOW"


def test_a_month_before_the_first_is_read_too(athena: Athena, zone: LandingZone) -> None:
    _publish(athena, zone, "2022-11", {"id": 1}, start_month="2023-06")
    _publish(athena, zone, MONTH, {"id": 1}, start_month="2023-06")

    assert athena.table()["Parameters"]["projection.month.range"] == "2022-11,NOW"


def test_new_columns_are_added_and_none_is_lost(athena: Athena, zone: LandingZone) -> None:
    _publish(athena, zone, MONTH, {"id": 1, "gone_later": True})
    _publish(athena, zone, LATER, {"id": 1, "name": "one"})

    expected = {"id": "bigint", "gone_later": "boolean", "name": "string"}
    assert athena.columns() == expected
    assert _publish(athena, zone, MONTH, {"id": 1, "gone_later": False}) == []
    assert athena.columns() == expected


def test_a_type_that_differs_between_months_is_told_until_it_is_declared(
    athena: Athena, zone: LandingZone
) -> None:
    _publish(athena, zone, MONTH, {"amount": 1})

    told = _publish(athena, zone, LATER, {"amount": 1.5})

    expected = f"amount: double in the month's files, bigint in {athena.database}.demo__events"
    assert told == [expected]
    wrong = Publication(published_table(athena), zone).wrong(place_of(zone, LATER))
    assert wrong == expected
    # As the record of a test's load calls the type.
    declared = {"amount": "double"}
    assert _publish(athena, zone, LATER, {"amount": 1.5}, columns=declared) == []
    assert athena.columns() == {"amount": "double"}


def test_a_wider_type_that_aws_documents_is_taken(athena: Athena, zone: LandingZone) -> None:
    _publish(athena, zone, MONTH, {"id": pa.scalar(1, pa.int32())})
    assert athena.columns() == {"id": "int"}

    assert _publish(athena, zone, LATER, {"id": 1}) == []
    assert _publish(athena, zone, MONTH, {"id": pa.scalar(1, pa.int32())}) == []

    assert athena.columns() == {"id": "bigint"}


def test_a_column_without_a_type_in_athena_is_left_out(athena: Athena, zone: LandingZone) -> None:
    at = pa.scalar(1, pa.time64("us"))

    told = _publish(athena, zone, MONTH, {"id": 1, "at": at})

    assert told == ["at: Athena has no type for time64[us]"]
    assert athena.columns() == {"id": "bigint"}


def test_descriptions_are_comments_as_long_as_glue_takes_them(
    athena: Athena, zone: LandingZone
) -> None:
    said = {"id": "what\ntells one\tfrom another " + "and " * 80}

    _publish(athena, zone, MONTH, {"id": 1}, column_descriptions=said, description="One\nevent. ")

    [column] = athena.table()["StorageDescriptor"]["Columns"]
    assert column["Comment"].startswith("what tells one from another and")
    assert len(column["Comment"]) == 255
    assert athena.table()["Description"] == "One event."


def test_columns_that_runs_add_at_once_are_all_there(athena: Athena, zone: LandingZone) -> None:
    table, place = published_table(athena), f"{zone.url}/demo/events/_symlink_format_manifest/"
    one, other = (ExternalTable(athena.glue, table, place) for _ in range(2))
    one.take(MONTH, {"id": "bigint"}, {})
    other.take(MONTH, {"id": "bigint"}, {})

    one.take(MONTH, {"a": "string"}, {})
    other.take(MONTH, {"b": "string"}, {})

    assert athena.columns() == {"id": "bigint", "a": "string", "b": "string"}


def test_a_table_that_another_landing_zone_has_is_left_alone(
    store: Gate, athena: Athena, zone: LandingZone
) -> None:
    _publish(athena, zone, MONTH, {"id": 1})
    before = athena.table()
    other = LandingZone(url=f"s3://{store.bucket()}/landing")

    with pytest.raises(LandingError, match=rf"reads {zone.url}.*left as it is.*GLUE_DATABASE"):
        _publish(athena, other, MONTH, {"id": 1, "name": "one"})

    assert athena.table() == before
    assert athena.named(place_of(other)) == []


def test_what_others_have_set_stays(athena: Athena, zone: LandingZone) -> None:
    _publish(athena, zone, MONTH, {"id": 1})
    kept = ("Name", "TableType", "PartitionKeys", "StorageDescriptor", "Parameters")
    changed = {name: athena.table()[name] for name in kept}
    changed["Parameters"]["team"] = "events"
    athena.glue.update_table(DatabaseName=athena.database, TableInput=changed)

    _publish(athena, zone, MONTH, {"id": 1, "name": "one"})

    assert athena.table()["Parameters"]["team"] == "events"


def test_a_database_that_is_not_there_is_named(athena: Athena, zone: LandingZone) -> None:
    with pytest.raises(LandingError, match=r"no database nowhere.*GLUE_DATABASE"):
        _publish(athena, zone, MONTH, {"id": 1}, glue_database="nowhere")


def test_a_refusal_of_aws_says_what_was_not_done(
    store: Gate, athena: Athena, zone: LandingZone
) -> None:
    write_load(place_of(zone), ids_ago(0)[0])
    store.fail(Fault("denied", part="POST /"))

    with pytest.raises(LandingError, match=r"not published to Athena.*no file was deleted"):
        Publication(published_table(athena), zone).publish(place_of(zone))


def test_keys_and_region_are_those_of_the_landing_zone(
    store: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = "DESTINATION__FILESYSTEM__CREDENTIALS__"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    monkeypatch.setenv(f"{credentials}AWS_ACCESS_KEY_ID", "own")
    monkeypatch.setenv(f"{credentials}AWS_SECRET_ACCESS_KEY", "own")
    monkeypatch.setenv(f"{credentials}REGION_NAME", "eu-west-1")
    S3FileSystem.clear_instance_cache()
    athena = athena_of(store, "eu-west-1")

    _publish(athena, LandingZone(url=f"s3://{store.bucket()}/landing"), MONTH, {"id": 1})

    assert store.signed == {("own", "eu-west-1")}


def test_a_missing_region_is_told(
    store: Gate, zone: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    athena = athena_of(store)
    write_load(place_of(zone), ids_ago(0)[0])
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    with pytest.raises(LandingError, match="must specify a region"):
        Publication(published_table(athena), zone).publish(place_of(zone))
