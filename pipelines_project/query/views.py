"""The views of a session: the current load of every landed month, and every published mart."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines_project.landing.landed_month import Load
from pipelines_project.landing.zone import LandingZone
from pipelines_project.names import marts_schema
from pipelines_project.sql_text import literal, qualified, quoted
from pipelines_project.warehouse.columns import MONTH_COLUMN, target_names
from pipelines_project.warehouse.versions.shape import Shape

# No column that dlt names has a space in it.
_FILE = "landed file"
_MONTH = f"regexp_extract({quoted(_FILE)}, '/month=([0-9]{{4}}-[0-9]{{2}})/[^/]*$', 1)"


@dataclass(frozen=True)
class LandedTable:
    """A table of which some month can be read.

    Attributes:
        source: its source.
        name: its name.
        loads: the current load of each of these months.
    """

    source: str
    name: str
    loads: dict[str, Load]

    @property
    def full_name(self) -> str:
        """Its name in SQL, which is that of the warehouse."""
        return f"{self.source}.{self.name}"

    @property
    def newest(self) -> str:
        """The newest month that has rows, or the newest there is."""
        return max(filter(self._rows, self.loads), default=max(self.loads))

    @property
    def sql(self) -> str:
        """The statements that make its view."""
        files = ", ".join(literal(file) for load in self.loads.values() for file in load.files)
        columns = {column for load in self.loads.values() for column in load.record.schema}
        own = target_names(columns, Shape()).get(MONTH_COLUMN)
        renamed = f" rename ({MONTH_COLUMN} as {quoted(own)})" if own else ""
        read = f"read_parquet([{files}], union_by_name = true, hive_partitioning = false, "
        return (
            f"create schema if not exists {quoted(self.source)};\n"
            f"create view {qualified(self.source, self.name)} as "
            f"select * exclude ({quoted(_FILE)}){renamed}, {_MONTH} as {MONTH_COLUMN} "
            f"from {read}filename = {literal(_FILE)});"
        )

    @property
    def facts(self) -> Iterator[str]:
        """Its lines of the table `months`."""
        for month, load in self.loads.items():
            names = ", ".join(map(literal, (self.source, self.name, month)))
            landed = f"to_timestamp({float(load.load_id)})"
            yield f"({names}, {self._rows(month)}, {load.record.bytes}, {landed})"

    def _rows(self, month: str) -> int:
        return self.loads[month].record.rows_of(self.name)


@dataclass(frozen=True)
class PublishedMart:
    """A mart whose file is there."""

    source: str
    name: str
    file: Path

    @property
    def full_name(self) -> str:
        """Its name in SQL, which is that of the warehouse."""
        return f"{marts_schema(self.source)}.{self.name}"

    @property
    def sql(self) -> str:
        """The statements that make its view."""
        schema = marts_schema(self.source)
        return (
            f"create schema if not exists {quoted(schema)};\n"
            f"create view {qualified(schema, self.name)} as "
            f"from read_parquet({literal(glob.escape(str(self.file)))});"
        )


def landed_tables(zone: LandingZone) -> tuple[list[LandedTable], list[str]]:
    """Return every table that can be read, and what is wrong with months that cannot."""
    tables, wrong = list[LandedTable](), list[str]()
    for source, name in zone.tables():
        found = zone.current_loads(source, name)
        wrong += [each for each in found.values() if isinstance(each, str)]
        loads = {month: each for month, each in found.items() if isinstance(each, Load)}
        if loads:
            tables.append(LandedTable(source, name, loads))
    return tables, wrong


def published_marts(folder: Path) -> list[PublishedMart]:
    """Return every published mart, in the order of their names."""
    files = sorted(folder.glob("*/*.parquet"))
    return [PublishedMart(file.parent.name, file.stem, file) for file in files]


def statements(tables: Sequence[LandedTable], marts: Sequence[PublishedMart]) -> str:
    """Return the SQL of all views, and of the table `months`."""
    facts = ",\n".join(fact for table in tables for fact in table.facts)
    return "\n".join(
        [
            'create table months (source varchar, "table" varchar, month varchar, '
            '"rows" bigint, bytes bigint, landed_at timestamptz);',
            *([f"insert into months values\n{facts};"] if facts else []),
            *(table.sql for table in tables),
            *(mart.sql for mart in marts),
        ]
    )
