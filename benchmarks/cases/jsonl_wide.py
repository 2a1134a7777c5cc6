"""Wide JSON lines to parquet, by kind of value: this project, DuckDB alone, dlt fed by DuckDB."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import commands
from benchmarks.case import PEAK, Case, Contender, Figures, Target, ratio
from benchmarks.cases.jsonl import MONTH, EventFiles, copy_lines, materialize
from benchmarks.commands import data_settings
from benchmarks.measure import in_process
from benchmarks.plain import arrow_lines
from pipelines_project.temporary import duckdb_session

_COLUMNS = 150
_ROWS = 100_000
# The JSON text of a value, made of `{r}`, a number that looks like chance.
_CHANCE = "cast(hash(i, {}) >> 2 as bigint)"
_INTEGER = "({r} % 1000000000)::varchar"
_VALUES = {
    "ints": _INTEGER,
    "text": f"""'"text ' || {_INTEGER} || ' of some more words, and then an end"'""",
    "mixed": f"""case {{r}} // 8 % 5
        when 0 then {_INTEGER} when 1 then (({{r}} % 1000000) / 1000)::varchar
        when 2 then '"t' || {_INTEGER} || '"' when 3 then 'null' else '[1, "x"]' end""",
    "long": f"'184467440737096' || lpad({_INTEGER}, 9, '0')",
    "deep": f"""'{{{{"a": {{{{"b": {{{{"c": {{{{"d": {{{{"n": ' || {_INTEGER}
        || ', "t": "x"}}}}}}}}}}}}}}}}}}}}'""",
}
_MOST_TIMES_DUCKDB = {"ints": 1.6, "text": 1.6, "mixed": 3, "long": 3, "deep": 3, "all": 3}
# With integers beyond 64 bits DuckDB loses digits.
_ARROW_KEEPS_ALL = {"ints", "text", "mixed", "deep"}


def write_wide_lines(kind: str, folder: Path, rows: int) -> Path:
    """Write one file of lines with 150 keys for the month, and return the folder of months.

    Args:
        kind: of the values, or `all` for columns of every kind.
        folder: where to write.
        rows: how many lines.
    """
    kinds = [*_VALUES] if kind == "all" else [kind]
    values = ", ".join(
        f"""'"c{at:03}": ' || {_VALUES[kinds[at % len(kinds)]].format(r=_CHANCE.format(at))}"""
        for at in range(_COLUMNS)
    )
    months = folder / "raw"
    (months / MONTH).mkdir(parents=True)
    with duckdb_session() as connection:
        connection.execute(
            f"copy (select '{{' || concat_ws(', ', {values}) || '}}' from range({rows}) t(i)) "
            f"to '{months}/{MONTH}/part.jsonl' "
            r"(format csv, header false, quote '', escape '', delimiter E'\x01')"
        )
    return months


def _prepared(kind: str) -> Callable:
    @contextmanager
    def prepared(rows: int, folder: Path) -> Iterator[EventFiles]:
        yield EventFiles(write_wide_lines(kind, folder, rows), folder / "landing")

    return prepared


def _contender(work: Callable[[EventFiles, Path], object]) -> Contender[EventFiles]:
    def run(files: EventFiles, place: Path) -> Figures:
        return in_process(lambda: work(files, place))

    return Contender(run)


def _targets(kind: str) -> Iterator[Target]:
    ours = ("ours", _ROWS)
    most = _MOST_TIMES_DUCKDB[kind]
    yield Target(f"{_ROWS:,} rows: ours over DuckDB alone", most, ratio(ours, ("duckdb", _ROWS)))
    if kind in _ARROW_KEEPS_ALL:
        yield Target(
            f"{_ROWS:,} rows: ours over dlt fed by DuckDB", 1, ratio(ours, ("dlt, arrow", _ROWS))
        )


def _case(kind: str) -> Case[EventFiles]:
    return Case(
        name=f"jsonl_wide_{kind}",
        what=f"Lines of 150 keys ({kind}) to parquet, without process start.",
        unit="rows",
        sizes={_ROWS: 3},
        warm_up=1_000,
        prepared=_prepared(kind),
        contenders={
            "ours": _contender(
                lambda files, place: materialize(files.raw, place / "landing", place, "landing")
            ),
            "dlt, arrow": _contender(
                lambda files, place: arrow_lines.land(files.raw, place / "arrow")
            ),
            "duckdb": _contender(copy_lines),
        },
        targets=[*_targets(kind)],
    )


@contextmanager
def _raw(rows: int, folder: Path) -> Iterator[Path]:
    # The project's own table has its files in the folder `synthetic_data`.
    write_wide_lines("all", folder, rows).rename(folder / "synthetic_data")
    yield folder


def _land(raw: Path, place: Path) -> Figures:
    settings = {"RAW_URL": str(raw), **data_settings(place)}
    return commands.materialize(["landing/local_jsonl/synthetic_data"], [MONTH], settings)


JSONL_WIDE = [_case(kind) for kind in _MOST_TIMES_DUCKDB]
JSONL_WIDE_MEMORY = Case(
    name="jsonl_wide_memory",
    what="The peak memory of a process that lands lines of 150 keys of all kinds.",
    unit="rows",
    sizes={20_000: 1, _ROWS: 1},
    prepared=_raw,
    contenders={"landing": Contender(_land)},
    targets=(
        Target(
            "peak at 100,000 rows over 20,000",
            1.3,
            ratio(("landing", _ROWS), ("landing", 20_000), PEAK),
        ),
    ),
)
