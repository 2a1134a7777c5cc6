"""The first reading of a month: its columns from every line, and the lines that will not land."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb
from dlt.common.normalizers.naming import NamingConvention

from pipelines_project.names import DLT_COLUMNS
from pipelines_project.sources.files.line_pieces import read_pieces
from pipelines_project.sources.files.quarantine import Refused, place
from pipelines_project.sources.files.raw_files import RawFile
from pipelines_project.sources.files.schema_contract import changes, is_object
from pipelines_project.sources.files.settings import PROVENANCE, JsonlSettings
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.json.block_workers import BlockWorkers
from pipelines_project.sources.json.columns import Column, columns_of
from pipelines_project.sources.json.lines import Rule, SortedLines, sorted_lines
from pipelines_project.sources.json.raw_lines import Piece, block_of
from pipelines_project.sources.json.shape import Shape, merged

_ROUNDS = 10


@dataclass
class MonthSurvey:
    """What all lines of a month are.

    Attributes:
        shape: of the lines that land, an object.
        landing: how many lines land.
        quarantined: how many do not.
        whole_blocks: the indices of the blocks whose lines all land.
        blocks_as_read: the indices of the blocks whose lines all land just as they are.
        columns: of the month's table.
        rules: the contract's, that quarantine lines.
        changes: what the month has that the table did not have before.
    """

    shape: Shape = field(default_factory=dict)
    landing: int = 0
    quarantined: int = 0
    whole_blocks: set[int] = field(default_factory=set)
    blocks_as_read: set[int] = field(default_factory=set)
    columns: Sequence[Column] = ()
    rules: Sequence[Rule] = ()
    changes: Sequence[str] = ()


def survey_month(
    workers: BlockWorkers,
    settings: JsonlSettings,
    files: Sequence[RawFile],
    naming: NamingConvention,
    before: Mapping[str, str],
) -> MonthSurvey:
    """Read every line of the files and return what they are.

    Args:
        workers: the threads to use.
        settings: of the table.
        files: of the month.
        naming: dlt's naming convention.
        before: the DuckDB type of each column that the table has from other loads.

    Raises:
        SourceError: a line is bad, or breaks the contract, and the settings say that this fails
            the month; it names file, line and reason.
    """
    rules: list[Rule] = []
    for _ in range(_ROUNDS):
        found = _survey(workers, settings, files, rules)
        columns = month_columns(settings, found.shape, naming, before)
        broken = changes(columns, before)
        found = replace(found, columns=columns, rules=rules, changes=[r.text for r in broken])
        if not broken or settings.contract == "evolve":
            return found
        if settings.contract == "freeze":
            raise SourceError(_first_break(workers, settings, files, broken))
        rules = [*rules, *broken]
    raise SourceError(f"lines of {settings.table} break the contract in too many ways: {rules}")


def month_columns(
    settings: JsonlSettings,
    shape: Shape,
    naming: NamingConvention,
    before: Mapping[str, str],
) -> list[Column]:
    """Return the columns of a month whose lines have a shape."""
    reserved = (*DLT_COLUMNS, *PROVENANCE) if settings.provenance else DLT_COLUMNS
    columns = columns_of(shape, naming, reserved, settings.column_names)
    return [column for column in columns if not is_object(column, before)]


def _survey(
    workers: BlockWorkers,
    settings: JsonlSettings,
    files: Sequence[RawFile],
    rules: Sequence[Rule],
) -> MonthSurvey:
    month, texts = MonthSurvey(), {rule.text for rule in rules}
    refused, fatal = Refused(files), Refused(files)
    for index, block in enumerate(_surveys(workers, settings, files, rules, lambda: month.shape)):
        refused.add(block.bad)
        fatal.add([line for line in block.bad if line.reason not in texts])
        month.shape = merged(month.shape, block.shape)
        month.landing += len(block.landing)
        month.quarantined += len(block.bad)
        if not block.bad:
            month.whole_blocks.add(index)
        if block.as_read:
            month.blocks_as_read.add(index)
    if fatal.count and settings.on_bad_line == "fail":
        raise SourceError(
            f"{fatal}. Nothing was landed: mend the file, or set on_bad_line: quarantine "
            "(on_bad_row in a table of Files) to land the other lines"
        )
    if refused.count and not month.landing:
        raise SourceError(
            f"not one line of {settings.table} fits: {refused}. Nothing was landed: see whether "
            "these files are JSON lines, and of this table"
        )
    return month


def _surveys(
    workers: BlockWorkers,
    settings: JsonlSettings,
    files: Sequence[RawFile],
    rules: Sequence[Rule],
    known: Callable[[], Shape] = dict,
) -> Iterator[SortedLines]:
    def work(connection: duckdb.DuckDBPyConnection, pieces: Sequence[Piece]) -> SortedLines:
        return sorted_lines(connection, block_of(pieces), rules, known)

    return workers.map(work, read_pieces(settings.folder, files))


def _first_break(
    workers: BlockWorkers,
    settings: JsonlSettings,
    files: Sequence[RawFile],
    broken: Sequence[Rule],
) -> str:
    texts = {rule.text for rule in broken}
    lines = (line for block in _surveys(workers, settings, files, broken) for line in block.bad)
    first = next(line for line in lines if line.reason in texts)
    others = sorted(texts - {first.reason})
    return (
        f"{place(files, first)}, and the contract is freeze. Nothing was landed: mend the file, "
        "or land the month with contract: evolve"
        + (f". Further on: {'; '.join(others)}" if others else "")
    )
