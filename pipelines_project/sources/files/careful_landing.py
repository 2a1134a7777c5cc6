"""A month with surprises: which of its rows land, told by reading every row before any lands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipelines_project.sources.files import readers
from pipelines_project.sources.files.advice import advice, header_advice
from pipelines_project.sources.files.columns import Column
from pipelines_project.sources.files.month_rows import Before, Landed, MonthRows, where
from pipelines_project.sources.files.parts import LINE
from pipelines_project.sources.files.quarantine import Refused, place
from pipelines_project.sources.files.relation import FILE
from pipelines_project.sources.files.row_contract import Change, changes
from pipelines_project.sources.files.row_rules import Rule, breaks, is_bad, rules_of
from pipelines_project.sources.files.told_columns import told
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.json.raw_lines import BadLine
from pipelines_project.sql_text import literal, quoted


def careful_landing(month: MonthRows, before: Before) -> Landed:
    """Write the month's rows that land.

    Args:
        month: of which each part is sound.
        before: the columns that the table has already.

    Raises:
        SourceError: a row is bad, or breaks the contract, and the settings say that this fails
            the month; it names file, line and reason.
    """
    sorted_ = _sorted(month, before)
    _refuse(month, sorted_)
    path, written = month.written(sorted_.landing, sorted_.columns)
    if written != sorted_.rows:
        raise SourceError(
            f"{sorted_.rows} rows of {month.reading.settings.table} {month.month} were to land, "
            f"and {written} fit their types when they were read again: the files changed"
        )
    return Landed(
        path,
        written,
        sorted_.read,
        sorted_.bad + sum(part.bad for part in month.parts),
        sorted_.others if month.month_of else None,
        [change.text for change in sorted_.changes],
        lambda: _bad_lines(month, sorted_.rules),
    )


@dataclass(frozen=True)
class _Sorted:
    """Which rows land.

    Attributes:
        columns: with their types.
        rules: that the rows which land fulfil.
        changes: what the month brings.
        landing: the query of the rows that land.
        rows, bad, others: how many land, break a rule, and belong to other months.
        read: how many lines the files have.
    """

    columns: Sequence[Column]
    rules: Sequence[Rule]
    changes: Sequence[Change]
    landing: str
    rows: int
    bad: int
    others: int
    read: int


def _sorted(month: MonthRows, before: Before) -> _Sorted:
    rules, broken = rules_of(month), list[Change]()
    contract = month.reading.settings.contract
    while True:
        landing = where(month.rows, f"{month.is_of_month} and not {breaks(rules)}")
        columns, vacant = told(month.reading.connection, landing, month.columns)
        # A change stays that no row is the cause of, such as a decimal that becomes a double.
        known = {change.text for change in broken}
        new = [each for each in changes(columns, vacant, before) if each.text not in known]
        if contract == "freeze" and new:
            raise SourceError(_first_break(month, rules, new))
        broken += new
        if contract == "evolve" or not new:
            break
        rules = [*rules, *(Rule(each.broken, literal(each.text)) for each in new)]
    gone = {each.column for each in broken if each.text.startswith("new")} & vacant
    kept = [each for each in columns if each.name not in gone]
    bad = f"count(*) filter ({is_bad(month, rules)})"
    lands = f"count(*) filter ({month.is_of_month} and not {breaks(rules)})"
    ((read, refused, rows),) = month.every(f"select count(*), {bad}, {lands} from ({month.rows})")
    if read != sum(part.rows for part in month.parts):
        raise SourceError(
            f"the files of {month.reading.settings.table} {month.month} have "
            f"{sum(part.rows for part in month.parts)} rows, and {read} were read: they changed"
        )
    lines = read + sum(part.bad for part in month.parts)
    return _Sorted(kept, rules, broken, landing, rows, refused, read - refused - rows, lines)


def _bad_lines(month: MonthRows, rules: Sequence[Rule]) -> Iterator[BadLine]:
    """Yield the lines that are no rows and those that break a rule."""
    for part in month.parts:
        yield from part.bad_lines()
    yield from _breaking(month, rules, is_bad(month, rules))


def _breaking(month: MonthRows, rules: Sequence[Rule], condition: str) -> Iterator[BadLine]:
    if not rules or not month.parts:
        return
    cases = " ".join(f"when {rule.broken} then {rule.reason}" for rule in rules)
    found = month.every(
        f"select {quoted(FILE)}, {quoted(LINE)}, case {cases} end from ({month.rows}) "
        f"where {condition} order by 1, 2"
    )
    parts = {part.index: part for part in month.parts}
    for index, lines in groupby(found, lambda each: each[0]):
        reasons: Mapping[int, str] = {line: reason for _, line, reason in lines}
        for line, raw in readers.raw_rows(month.reading, parts[index], reasons.keys()):
            yield BadLine(index, line, reasons[line], raw)


def _refuse(month: MonthRows, found: _Sorted) -> None:
    """Fail the month if its settings say so, or if not one row lands of those that are its own."""
    if not found.bad and not any(part.bad for part in month.parts):
        return
    settings = month.reading.settings
    allowed = {change.text for change in found.changes}
    refused, fatal = Refused(month.files), Refused(month.files)
    for line in _bad_lines(month, found.rules):
        refused.add([line])
        fatal.add([line] if line.reason not in allowed else [])
    if fatal.count and settings.on_bad_row == "fail":
        raise SourceError(
            f"{fatal}. Nothing was landed: mend the file, or set on_bad_row: quarantine to land "
            f"the other rows{_what_to_set(month, found, fatal)}"
        )
    if not found.rows and not found.others:
        raise SourceError(
            f"not one row of {settings.table} fits: {refused}. Nothing was landed: see whether "
            f"these files are {settings.format}, and of this table"
            f"{_what_to_set(month, found, refused)}"
        )


def _what_to_set(month: MonthRows, found: _Sorted, refused: Refused) -> str:
    first = next(refused.first, None)
    is_header_elsewhere = first and sum(part.bad for part in month.parts) > found.rows
    header = header_advice(first.reason, first.number) if first and is_header_elsewhere else ""
    return header or advice(line.reason for line in refused.first)


def _first_break(month: MonthRows, rules: Sequence[Rule], new: Sequence[Change]) -> str:
    broken = [Rule(each.broken, literal(each.text)) for each in new]
    condition = f"{month.is_of_month} and not {breaks(rules)} and {breaks(broken)}"
    first = next(_breaking(month, broken, condition), None)
    where_ = f"{place(month.files, first)}" if first else "; ".join(each.text for each in new)
    others = sorted({each.text for each in new} - {first.reason if first else ""})
    return (
        f"{where_}, and the contract is freeze. Nothing was landed: mend the file, or land the "
        "month with contract: evolve"
        + (f". Further on: {'; '.join(others)}" if others and first else "")
    )
