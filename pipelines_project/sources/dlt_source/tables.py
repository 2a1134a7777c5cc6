"""The tables of a dlt source function: each is one resource, read for a month or as it is now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dlt
from dlt.common.configuration.specs.base_configuration import is_secret_hint
from dlt.common.configuration.utils import get_resolved_traces
from dlt.common.exceptions import DltException
from dlt.common.schema import Schema
from dlt.extract import DltResource, DltSource
from dlt.extract.items import DataItemWithMeta
from dlt.extract.pipe_iterator import PipeIterator

from pipelines_project.sources.dlt_source.function import (
    load_function,
    resource_of,
    with_values,
)
from pipelines_project.sources.dlt_source.settings import Incremental, MonthArguments, instant
from pipelines_project.sources.fetch import Extract, Fetch
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.placeholders import names_month
from pipelines_project.sources.secrets import Secrets
from pipelines_project.sources.typed_rows import typed
from pipelines_project.sources.typed_rows.declared_columns import declared_columns


@dataclass(frozen=True)
class ResourceTable:
    """One table.

    Attributes:
        name: the table.
        resource: the resource that yields its rows.
        incremental: what tells a row's month, if the function's arguments do not.
        table_name: which of the tables it is that the resource names row by row.
        columns: columns with their dlt types.
        column_names: the columns that the settings name, by the fields of the rows.
    """

    name: str
    resource: str
    incremental: Incremental | None = None
    table_name: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    column_names: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class SourceCall:
    """How a source function is called.

    Attributes:
        path: `package.module.function`.
        arguments: what it is given.
        month_arguments: the arguments that take the month's window.
    """

    path: str
    arguments: Mapping[str, Any]
    month_arguments: MonthArguments

    @property
    def is_by_month(self) -> bool:
        """Whether it is called in another way for each month."""
        return bool(self.month_arguments.names) or names_month(dict(self.arguments))

    def extract(self, table: ResourceTable) -> Extract:
        """Return what fetches the months of one of its tables."""

        def extract(month: str, _fetch: Fetch) -> DltResource:
            secrets = Secrets()
            given = with_values(self.arguments, month, secrets)
            arguments = {**given, **self.month_arguments.values(month)}
            try:
                made = load_function(self.path)(**arguments)
                resource = _prepared(resource_of(made, table.resource, self.path), table, month)
            except Exception as error:
                raise _without_secrets(error, secrets) from None
            return _hiding(typed(resource, table.column_names), secrets)

        return extract


def _prepared(resource: DltResource, table: ResourceTable, month: str) -> DltResource:
    """Return the resource for the table and the month: what dlt would keep in its state is set."""
    name_of: Any = resource.table_name
    if table.table_name is not None and callable(name_of):
        wanted = table.table_name
        resource.add_filter(lambda row: name_of(row) == wanted)
    columns: Any = declared_columns(table.columns)
    # Without any, dlt would forget those that the resource declares.
    resource.apply_hints(table_name=table.name, columns=columns or None)
    if cursor := table.incremental:
        start, end = (instant(month, place, cursor.form) for place in ("start", "end"))
        resource.apply_hints(
            incremental=dlt.sources.incremental(
                cursor.cursor_path, initial_value=start, end_value=end
            )
        )
    return resource


def _hiding(resource: DltResource, secrets: Secrets) -> DltResource:
    """Return the resource with errors that hold no secret: others wrote them."""
    schema = resource.compute_table_schema()
    contract: Any = resource.schema_contract
    columns: Any = schema.get("columns", {})
    table_name: Any = schema.get("name")
    return dlt.resource(
        _items(resource, secrets),
        name=resource.name,
        table_name=table_name,
        columns=columns,
        schema_contract=contract,
    )


def _items(resource: DltResource, secrets: Secrets) -> Iterator[Any]:
    source = DltSource(Schema(resource.name), resource.section or resource.name, [resource])
    try:
        with PipeIterator.from_pipes(source.resources.selected_pipes) as found:
            for each in found:
                yield DataItemWithMeta(each.meta, each.item) if each.meta else each.item
    except Exception as error:
        raise _without_secrets(error, secrets) from None


def _without_secrets(error: Exception, secrets: Secrets) -> Exception:
    """Return the error that dlt's own were raised from, or what it says without the secrets."""
    for trace in get_resolved_traces().resolved_traces:
        if isinstance(trace.value, str) and is_secret_hint(trace.hint):
            secrets.add(trace.value)
    chain: list[BaseException] = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    root = next((each for each in chain if not isinstance(each, DltException)), chain[-1])
    said = f"{type(root).__name__}: {root}"
    if secrets.hidden(said) != said:
        return SourceError(secrets.hidden(said))
    return root if isinstance(root, Exception) else error
