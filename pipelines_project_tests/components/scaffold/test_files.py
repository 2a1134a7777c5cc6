"""The document that is proposed for a folder: which files are one table, keys, months, dialects."""

import gzip
import json
from pathlib import Path
from typing import Any

import click
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines_project.components.scaffold.file_groups import file_groups
from pipelines_project.components.scaffold.files import FilesScaffolder
from pipelines_project_tests.components.scaffold.scaffolding import (
    comment_above,
    scaffolded,
    tables_of,
)
from pipelines_project_tests.document_location import document_location


def sales_document(tmp_path: Path, **params: Any) -> str:
    given = {"raw_url": str(tmp_path / "raw"), **params}
    return scaffolded(FilesScaffolder, "Files", tmp_path / "sales", **given)


def write(tmp_path: Path, path: str, content: str | bytes) -> None:
    file = tmp_path / "raw" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize(
    ("paths", "template", "months"),
    [
        (["orders/2024-01/a1.csv", "orders/2024-02/a2.csv"], "orders/%Y-%m/a*.csv", 2),
        (["2024/03/orders.csv", "2024/04/orders.csv"], "%Y/%m/orders.csv", 2),
        (["year=2024/month=05/r=x/p.parquet"], "year=%Y/month=%m/r=%{r}/p.parquet", 1),
        (["daily/2024/d-2024-01-31.jsonl"], "daily/%Y/d-%Y-%m-*.jsonl", 1),
        (["app_20240131T101010.csv", "app_20240201.csv"], "app_%Y%m*.csv", 2),
        (["e/2024-01/6ba7b810-9dad-11d1-80b4-00c04fd430c8.csv"], "e/%Y-%m/*.csv", 1),
        (["a/2024-01.csv", "a/2024-02.csv.gz"], "a/%Y-%m.csv*", 2),
        (["budget 2024.xlsx", "budget 2025.xlsx"], "budget *.xlsx", 0),
        (["[a] 50%/2024-01.csv"], "?a? 50?/%Y-%m.csv", 1),
    ],
)
def test_files_that_differ_in_month_day_and_number_are_one_group(
    paths: list[str], template: str, months: int
) -> None:
    [group], unknown = file_groups(dict.fromkeys(paths, 1))
    assert (group.template, len(group.months), unknown) == (template, months, {})


@pytest.mark.stack
def test_a_table_is_proposed_for_each_group_with_keys_and_types_from_a_sample(
    tmp_path: Path,
) -> None:
    write(tmp_path, "receipts/2024-02/berlin.csv", "id;amount\n1;2.50\n")
    write(tmp_path, "receipts/2024-03/paris.csv.gz", gzip.compress(b"id;amount\n2;1.00\n"))
    write(tmp_path, "export/2024-02/orders.csv", "order_id,total\n1,2\n")
    write(tmp_path, "export/2024-02/customers.csv", "name\nAda\nAda\n")
    write(tmp_path, "payments.csv", "id,booked\n1,2024-01-02\n2,2024-02-03\n")
    write(tmp_path, "cities.csv", "id,name\n1,K\xf6ln\n".encode("cp1252"))
    write(tmp_path, "events/2024-04/part-0001.jsonl", json.dumps({"id": 1}))
    write(tmp_path, "README.md", "no table")
    pq.write_table(pa.table({"uuid": ["a"]}), tmp_path / "raw" / "events_2024_05.parquet")

    document = sales_document(tmp_path)

    assert {name: table["files"] for name, table in tables_of(document).items()} == {
        "cities": "cities.csv",
        "customers": "export/%Y-%m/customers.csv",
        "events": "events_%Y_%m.parquet",
        "events_2": "events/%Y-%m/part-*.jsonl",
        "orders": "export/%Y-%m/orders.csv",
        "payments": "payments.csv",
        "receipts": "receipts/%Y-%m/*.csv*",
    }
    tables = tables_of(document)
    assert tables["receipts"]["delimiter"] == ";"
    assert tables["cities"]["encoding"] == "cp1252"
    assert tables["orders"]["key"] == ["order_id"]
    assert tables["payments"]["month_column"] == "booked"
    assert "key" not in tables["customers"]
    assert "Add key" in comment_above(document, "customers")
    assert "id bigint, booked date" in comment_above(document, "payments")
    assert 'start_month: "2024-02"' in document
    assert "Left out: 1 with md" in document


@pytest.mark.stack
def test_the_document_loads_unchanged_and_lands_a_month(tmp_path: Path) -> None:
    write(tmp_path, "receipts/2024-02/berlin.csv", "id;amount\n1;2.50\n")
    write(tmp_path, "receipts/2024-03/paris.csv", "id;amount\n2;1.00\n")

    with document_location(tmp_path, sales_document(tmp_path)) as sales:
        run = sales.materialize("2024-03", "landing/sales/receipts", "warehouse/sales/receipts")
        assert run.result.success
        assert sales.rows("select id, amount::text, month from sales.receipts") == [
            (2, "1.00", "2024-03")
        ]


def test_a_file_that_cannot_be_read_is_said_above_its_table(tmp_path: Path) -> None:
    write(tmp_path, "broken.parquet", "this is no parquet")

    document = sales_document(tmp_path)

    assert "broken.parquet could not be read" in comment_above(document, "broken")


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        # A blank row is no header.
        pytest.param("Receipts\n\nid,amount\n1,2\n", {"start_row": 2}, marks=pytest.mark.stack),
        pytest.param(
            "Receipts,\nas of,\nid,amount\n1,2\n", {"start_row": 3}, marks=pytest.mark.stack
        ),
        ("Receipts of 2024\nid;amount\n1;2\n3;4\n", {"start_row": 2, "delimiter": ";"}),
        (",amount\n0,2\n", {}),
        (",amount\nx,y\n", {}),
        ("text\nAda\nBob\n", {}),
    ],
)
def test_a_header_below_titles_is_found(
    tmp_path: Path, text: str, settings: dict[str, Any]
) -> None:
    write(tmp_path, "receipts.csv", text)

    table = tables_of(sales_document(tmp_path))["receipts"]

    assert {name: table[name] for name in ("start_row", "delimiter") if name in table} == settings


def test_a_header_below_titles_is_found_in_a_sheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in (["Receipts of 2024"], [], ["id", "amount"], [1, 2.5]):
        sheet.append(row)
    (tmp_path / "raw").mkdir()
    book.save(tmp_path / "raw" / "receipts.xlsx")

    document = sales_document(tmp_path)

    assert tables_of(document)["receipts"]["start_row"] == 2
    assert "what stands above row 2 of that file is no header" in comment_above(
        document, "receipts"
    )


def test_a_path_that_fits_the_files_of_another_table_is_said(tmp_path: Path) -> None:
    write(tmp_path, "1.csv", "a\n1\n")
    write(tmp_path, "orders.csv", "b\n1\n")

    document = sales_document(tmp_path)

    assert "fits orders.csv too" in document


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"raw_url": None}, "--raw-url is needed"),
        ({"raw_url": "s3://key:s3cret@bucket/raw"}, "what may be a secret"),
        ({"raw_url": "https://host/raw?sig=s3cret"}, "what may be a secret"),
        ({"raw_url": "none/there"}, "no folder none/there"),
        ({}, "no file that can be read"),
    ],
)
def test_what_cannot_be_proposed_is_said_and_leaves_no_folder(
    tmp_path: Path, params: dict[str, Any], said: str
) -> None:
    write(tmp_path, "notes.txt", "no table")

    with pytest.raises(click.ClickException) as caught:
        sales_document(tmp_path, **params)

    assert said in caught.value.message
    assert "s3cret" not in caught.value.message
    assert not (tmp_path / "sales").exists()
