"""Rows of a source that declares nothing land with one type a column, and no value is lost."""

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import dlt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dlt.extract import DltResource
from dlt.extract.exceptions import ResourceExtractionError
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pipelines_project.sandbox.server import serving
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.typed_rows import kept_rows, refuse_variants, typed
from pipelines_project.sources.typed_rows.json_text import json_text

Land = Callable[..., pa.Table]
_NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def land(tmp_path: Path) -> Land:
    """What lands a resource by a real dlt pipeline and reads the parquet."""
    runs = iter(range(10**6))
    # Landing sets it for the whole process.
    dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] = False

    def landed(resource: Any, **hints: Any) -> pa.Table:
        if not isinstance(resource, DltResource):
            resource = dlt.resource(resource, name="readings", **hints)
        folder = tmp_path / str(next(runs))
        pipeline = dlt.pipeline(
            f"typed{folder.name}",
            pipelines_dir=str(folder / "pipelines"),
            destination=dlt.destinations.filesystem(str(folder / "out")),
            dataset_name="data",
        )
        try:
            pipeline.run(typed(resource), loader_file_format="parquet")
        finally:
            pipeline.deactivate()
        refuse_variants(pipeline.default_schema, "readings")
        tables = [t for t in pipeline.default_schema.data_table_names()]
        assert tables == ["readings"]
        return pq.read_table(folder / "out" / "data" / "readings")

    return landed


def _refusal(rows: list[Any], **hints: Any) -> str:
    """Return why a resource of the rows refuses them while it is read."""
    with pytest.raises(ResourceExtractionError) as refused:
        list(typed(dlt.resource(rows, name="readings", **hints)))
    cause = _cause(refused.value)
    assert isinstance(cause, SourceError)
    return str(cause)


def _values(table: pa.Table, column: str) -> list[Any]:
    return table[column].to_pylist()


def _cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None and not isinstance(error, SourceError):
        error = error.__cause__
    return error


def test_whole_numbers_and_fractions_are_one_column_of_doubles(land: Land) -> None:
    table = land([{"temperature": 10}, {"temperature": 9.7}, {"temperature": None}])

    assert table.column_names == ["temperature", "_dlt_id"]
    assert _values(table, "temperature") == [10.0, 9.7, None]


def test_a_column_with_a_word_in_it_is_text_as_each_value_was_written(land: Land) -> None:
    table = land([[{"t": 10}, {"t": 9.7}], [{"t": "n/a"}, {"t": True}, {"t": {"a": [1]}}]])

    assert _values(table, "t") == ["10", "9.7", "n/a", "true", '{"a":[1]}']


def test_what_dlt_would_do_with_such_rows_is_refused(tmp_path: Path) -> None:
    pipeline = dlt.pipeline(
        "split",
        pipelines_dir=str(tmp_path / "pipelines"),
        destination=dlt.destinations.filesystem(str(tmp_path / "out")),
    )
    rows = [{"temperature": 10}, {"temperature": 9.7}]
    pipeline.extract(dlt.resource(rows, name="readings"))
    pipeline.normalize()
    pipeline.deactivate()

    with pytest.raises(SourceError, match=r"readings has .* into temperature__v_double: declare"):
        refuse_variants(pipeline.default_schema, "readings")


_OF_ONE_TYPE: list[tuple[list[Any], list[Any]]] = [
    ([2**53, 0.5], [float(2**53), 0.5]),
    ([2**53 + 1, 0.5], ["9007199254740993", "0.5"]),
    ([2**63 - 1, -(2**63)], [2**63 - 1, -(2**63)]),
    ([2**63, 1], ["9223372036854775808", "1"]),
    ([Decimal("1.10"), 2], [Decimal("1.10"), Decimal(2)]),
    ([Decimal("1e-12"), Decimal(10**25)], [Decimal("1e-12"), Decimal(10**25)]),
    ([Decimal("1e-30"), Decimal(10**25)], ["1E-30", "10000000000000000000000000"]),
    ([Decimal("NaN"), Decimal("1.5")], ["NaN", "1.5"]),
    ([Decimal("1.5"), 0.5], ["1.5", "0.5"]),
    ([_NOON, _NOON.astimezone(timezone(timedelta(hours=2)))], [_NOON, _NOON]),
    ([_NOON.replace(tzinfo=None)], [_NOON.replace(tzinfo=None)]),
    (
        [_NOON, _NOON.replace(tzinfo=None)],
        ["2024-05-01T12:00:00+00:00", "2024-05-01T12:00:00"],
    ),
    ([date(2024, 5, 1)], [date(2024, 5, 1)]),
    ([date(2024, 5, 1), _NOON], ["2024-05-01", "2024-05-01T12:00:00+00:00"]),
    ([time(1, 2, 3, 4)], [time(1, 2, 3, 4)]),
    ([time(1, 2, tzinfo=UTC)], ["01:02:00+00:00"]),
    ([timedelta(days=1, microseconds=5)], ["PT86400.000005S"]),
    ([-timedelta(seconds=90)], ["PT-90S"]),
    ([b"\x00\xff"], [b"\x00\xff"]),
    ([UUID(int=1)], ["00000000-0000-0000-0000-000000000001"]),
    (["2024-05-01T12:00:00Z"], ["2024-05-01T12:00:00Z"]),
    ([True, 1], ["true", "1"]),
    ([[], ["x", {"y": [2**70]}], (1,)], ["[]", '["x",{"y":[1180591620717411303424]}]', "[1]"]),
    ([{}, None], ["{}", None]),
    ([float("inf"), 1.0], [float("inf"), 1.0]),
]
"""What a column's values are, and what they land as."""


def test_a_column_has_the_one_type_that_holds_all_its_values(land: Land) -> None:
    rows = [
        {f"v{at}": values[n] for at, (values, _) in enumerate(_OF_ONE_TYPE) if n < len(values)}
        for n in range(3)
    ]
    table = land(rows)

    assert table.column_names == [*(f"v{at}" for at in range(len(_OF_ONE_TYPE))), "_dlt_id"]
    for at, (values, landed) in enumerate(_OF_ONE_TYPE):
        assert _values(table, f"v{at}") == [*landed, *[None] * (3 - len(landed))], values


@pytest.mark.stack
def test_a_column_that_is_always_null_is_there_only_if_it_is_declared(land: Land) -> None:
    rows = [{"id": 1, "a": None, "b": None, "c": {"d": None}}]
    table = land(rows, columns={"a": {"data_type": "double"}})

    assert table.column_names == ["a", "id", "_dlt_id"]


def test_no_rows_are_an_empty_table_with_what_is_declared(land: Land) -> None:
    table = land([], columns={"at": {"data_type": "timestamp"}, "n": {"data_type": "bigint"}})

    assert (len(table), table.column_names) == (0, ["at", "n", "_dlt_id"])


def test_objects_are_columns_named_as_dlt_names_them_and_no_name_is_taken_twice(
    land: Land,
) -> None:
    row = {"Id": 1, "id": 2, "a": {"B c": {"x": 6}}, "a__b_c__x": 3, "_dlt_id": "own", " ": 4}
    table = land([row, {"id": 5}], primary_key="id")

    [first, second] = table.to_pylist()
    assert (first["id"], second["id"], first["a__b_c__x"], first["_empty"]) == (2, 5, 3, 4)
    assert first["_dlt_id"] != "own"
    others = {value for name, value in first.items() if name not in ("id", "_dlt_id")}
    assert others == {1, 3, 4, 6, "own"}


def test_an_object_with_more_keys_than_a_table_has_columns_is_json(land: Land) -> None:
    rows = [{"id": n, "by_user": {f"u{n}_{k}": k for k in range(50)}} for n in range(30)]
    table = land(rows)

    assert [json.loads(text) for text in _values(table, "by_user")] == [r["by_user"] for r in rows]


_DECLARED: list[tuple[Any, Any, Any]] = [
    ("double", 10, 10.0),
    ("double", "9.70", 9.7),
    ("bigint", 12.0, 12),
    ("bigint", "12", 12),
    ("text", 7, "7"),
    ("text", True, "true"),
    ("bool", 1, True),
    ("timestamp", "2024-05-01T12:00:00Z", _NOON),
    ("timestamp", "2024-05-01T14:00:00+02:00", _NOON),
    ("timestamp", 1714564800, _NOON),
    ("date", "2024-05-01", date(2024, 5, 1)),
    ("decimal", "1.5", Decimal("1.5")),
    ("json", {"a": [1]}, '{"a":[1]}'),
    ("json", '{"a": 1}', '{"a": 1}'),
]
"""A type, a value, and what it lands as."""


def test_a_declared_type_takes_what_says_the_same(land: Land) -> None:
    columns = {f"v{at}": {"data_type": each[0]} for at, each in enumerate(_DECLARED)}
    row = {f"v{at}": value for at, (_, value, _) in enumerate(_DECLARED)}
    table = land([row, dict.fromkeys(row)], columns=columns)

    for at, (data_type, value, landed) in enumerate(_DECLARED):
        assert _values(table, f"v{at}") == [landed, None], (data_type, value)


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        ("bigint", 9.7),
        ("bigint", "n/a"),
        ("bigint", True),
        ("bigint", 2**63),
        ("double", 2**53 + 1),
        ("double", "n/a"),
        ("double", "0.12345678901234567890"),
        ("bool", 5),
        ("bool", "maybe"),
        ("timestamp", "soon"),
        ("timestamp", "2024-05-01T12:00:00.123456789Z"),
        ("date", "2024-05-01T12:00:00Z"),
        ("decimal", Decimal("0.1234567891")),
        ("json", "not json"),
        ("bigint", {"a": 1}),
    ],
)
def test_a_value_that_does_not_fit_its_declared_type_is_refused_by_name(
    data_type: str, value: Any
) -> None:
    rows = [{"id": f"k{n}", "v": None if n < 2_500 else value} for n in range(2_501)]
    said = _refusal(rows, columns={"v": {"data_type": data_type}}, primary_key="id")

    assert said.startswith("readings: row 2501 (id k2500) has ")
    assert f"in v, which is declared {data_type}: " in said


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"id": 7, "v": {"w": object()}}, "has a value of the type object in v__w"),
        ({"id": 7, "v": {1: 2}}, "has the key 1, which is no string in v"),
        ({"id": 7, "v": "\ud800"}, "in v: .*surrogates"),
        ({"id": 7, "v": [object()]}, "in v: a value of the type object"),
    ],
)
def test_what_no_column_takes_is_refused_by_name(row: Any, why: str) -> None:
    said = _refusal([{"id": 1}, row])

    assert re.search(rf"readings: row 2 has .*{why}|row 2 {why}", said)


def test_a_null_in_a_column_that_is_declared_without_is_refused(land: Land) -> None:
    with pytest.raises(PipelineStepFailed) as refused:
        land([{"v": 1}, {}], columns={"v": {"data_type": "bigint", "nullable": False}})

    assert "row 2 has null in v" in str(_cause(refused.value))


@pytest.mark.parametrize(
    ("items", "why"),
    [
        (["text"], "yields 'text', a str"),
        ([{"a": 1}, pa.table({"a": [1]})], "yields rows and Arrow tables"),
        ([dlt.mark.with_table_name({"a": 1}, "others")], "yields rows with a table"),
    ],
)
def test_what_is_no_row_of_the_table_is_refused_by_name(
    land: Land, items: list[Any], why: str
) -> None:
    def yielded() -> Iterator[Any]:
        yield from items

    with pytest.raises(PipelineStepFailed) as refused:
        land(yielded)

    assert f"readings {why}" in str(_cause(refused.value))


def test_hints_that_depend_on_a_row_are_refused() -> None:
    resource = dlt.resource([{"a": 1}], name="readings", table_name=lambda row: row["a"])

    with pytest.raises(SourceError, match="readings has hints that are functions of a row"):
        typed(resource)


@pytest.mark.stack
def test_a_cursor_is_no_hint_that_depends_on_a_row(land: Land) -> None:
    resource = dlt.resource([{"at": 1}, {"at": 2}, {"at": 3}], name="readings")
    resource.apply_hints(incremental=dlt.sources.incremental("at", initial_value=2, end_value=3))

    assert _values(land(resource), "at") == [2]


def test_columns_that_come_with_the_rows_are_declared(land: Land) -> None:
    columns: Any = {"a": {"data_type": "double"}, "b": {"data_type": "text"}, "c": {}}

    def yielded() -> Iterator[Any]:
        for page in ([{"a": "1.5", "c": 1}], [{"a": None, "c": 2}]):
            yield dlt.mark.with_hints(page, dlt.mark.make_hints(columns=columns))

    table = land(yielded)

    assert (_values(table, "a"), _values(table, "c")) == ([1.5, None], [1, 2])
    assert table.schema.field("b").type == pa.string()


def test_the_configuration_of_a_resource_is_where_dlt_looks_for_it(
    land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dlt.resource(name="readings")
    def station(token: str = dlt.secrets.value) -> Iterator[Any]:
        yield {"token": token}

    monkeypatch.setenv("SOURCES__TEST_TYPED_ROWS__READINGS__TOKEN", "found")

    assert _values(land(station), "token") == ["found"]


def test_arrow_tables_are_handed_through(land: Land) -> None:
    table = land(lambda: iter([pa.table({"a": [[1, 2]]}), pa.table({"a": [[3]]})]))

    assert _values(table, "a") == [[1, 2], [3]]


def test_nothing_is_read_before_dlt_extracts(land: Land) -> None:
    asked: list[int] = []

    def rows() -> Iterator[dict[str, int]]:
        asked.append(1)
        yield {"a": 1}

    resource = dlt.resource(rows, name="readings")
    result = typed(resource)
    assert asked == []
    assert len(list(result)) == 1
    assert asked == [1]


@pytest.mark.stack
def test_rows_of_async_parallel_and_transforming_resources_are_typed(land: Land) -> None:
    async def slowly() -> Any:
        for value in (1, 2.5):
            await asyncio.sleep(0)
            yield [{"v": value}]

    @dlt.transformer(name="readings")
    def halves(row: dict[str, Any]) -> Iterable[dict[str, Any]]:
        yield {"v": row["v"]}
        yield {"v": row["v"] / 2}

    def two() -> Iterator[dict[str, int]]:
        yield {"v": 2}

    source = dlt.resource(two, name="source")
    assert _values(land(slowly), "v") == [1.0, 2.5]
    assert _values(land(source | halves), "v") == [2.0, 1.0]
    assert _values(land(_generator_of({"v": 1}, {"v": "x"}).parallelize()), "v") == ["1", "x"]


def _generator_of(*rows: Any) -> DltResource:
    @dlt.resource(name="readings")
    def readings() -> Iterator[Any]:
        yield from rows

    return readings


@pytest.mark.stack
def test_pages_of_a_rest_client_are_typed(land: Land) -> None:
    async def page(request: Request) -> JSONResponse:
        number = int(request.query_params["page"])
        return JSONResponse([{"t": 10}, {"t": 9.7}] if number == 1 else [])

    with serving(Starlette(routes=[Route("/readings", page)])) as url:
        pages = RESTClient(url).paginate(
            "readings", paginator=PageNumberPaginator(base_page=1, total_path=None)
        )
        assert _values(land(pages), "t") == [10.0, 9.7]


@pytest.mark.stack
def test_a_month_of_many_batches_keeps_its_order(
    land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_rows, "_BATCH_BYTES", 500)
    rows = [{"n": n, "v": n if n < 990 else n + 0.5} for n in range(1_000)]

    table = land(rows)

    assert _values(table, "n") == [*range(1_000)]
    assert _values(table, "v") == [float(row["v"]) for row in rows]


_SCALARS = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.integers(-9, 9), st.floats(allow_nan=False)),
    *(
        st.text(max_size=5),
        st.decimals(allow_nan=False),
        st.dates(),
        st.times(),
        st.binary(max_size=3),
    ),
    *(st.timedeltas(), st.uuids(), st.datetimes(), st.datetimes(timezones=st.just(UTC))),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)


def _is_said_by(value: Any, row: dict[str, Any], name: str) -> bool:
    """Tell whether the landed row has the value, in the type of its column or as text."""
    if value is None:
        return row.get(name) is None
    if name not in row and isinstance(value, dict):
        return all(_is_said_by(v, row, f"{name}__{k}") for k, v in value.items())
    landed = row.get(name)
    if isinstance(landed, str):
        return landed == json_text(value)
    return landed == value and isinstance(landed, bool) == isinstance(value, bool)


@settings(max_examples=40)
@given(st.lists(st.dictionaries(st.sampled_from(["v", "w"]), _VALUES), max_size=12))
def test_every_value_of_any_mix_comes_back(rows: list[dict[str, Any]]) -> None:
    resource = dlt.resource([{"id": n, **row} for n, row in enumerate(rows)], name="readings")
    table = pa.concat_tables(typed(resource))

    assert len(table) == len(rows)
    for row, landed in zip(rows, table.to_pylist(), strict=True):
        for name, value in row.items():
            assert _is_said_by(value, landed, name), (name, value, landed)
