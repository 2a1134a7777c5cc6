"""Made-up raw files by month: `python -m pipelines_project.sandbox.raw_files --help`."""

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pipelines_project.months import checked_month, months_between
from pipelines_project.sandbox.event_rows import COLUMNS, CSV_HEADER, LINES
from pipelines_project.sandbox.wide_rows import (
    FEWEST_COLUMNS,
    KINDS,
    MOST_BYTES,
    MOST_COLUMNS,
    MOST_LEVELS,
    WideRows,
)
from pipelines_project.temporary import duckdb_session

_BATCH_ROWS = 50_000
# Of wide rows, which may take some kilobytes each.
_WIDE_BATCH_ROWS = 2_048
_FILE = re.compile(r"part-(\d{4,})\.\w+")


@dataclass(frozen=True)
class RawFilesOptions:
    """What to write: see the command's help."""

    folder: Path
    months: list[str]
    files: int
    rows: int
    bad_rows: int
    seed: int
    format: str
    wide: WideRows | None = None

    def write(self, month: str, number: int) -> Iterator[int]:
        """Write one file, under its own name only when it is whole; yield rows as they are done."""
        folder = self.folder / month
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"part-{number:04d}.{self.format}"
        part = path.with_name(f".{path.name}")
        with part.open("w", encoding="utf-8", newline="\n") as file:
            if self.format == "csv":
                file.write(CSV_HEADER)
            for lines in self._lines(month, number):
                file.writelines(f"{line}\n" for line in lines)
                yield len(lines)
        part.replace(path)

    def _lines(self, month: str, number: int) -> Iterator[list[str]]:
        """Yield a file's lines in batches; the bad ones, evenly spread, are cut in half."""
        lines = (
            self.wide.lines()
            if self.wide
            else f"select i, cast({LINES[self.format]} as varchar) as line from ({COLUMNS})"
        )
        query = f"""
            with lines as ({lines})
            select if(
                i * $bad // $rows < (i + 1) * $bad // $rows, left(line, length(line) // 2), line
            ) as line
            from lines
        """
        parameters = {
            "rows": self.rows,
            "bad": self.bad_rows,
            "month": month,
            "first": _first_id(month, number),
            "salt": f"{self.seed} {month} {number}",
        }
        batch_rows = _WIDE_BATCH_ROWS if self.wide else _BATCH_ROWS
        with duckdb_session() as connection:
            for batch in connection.execute(query, parameters).to_arrow_reader(batch_rows):
                batch_lines: list[Any] = batch.column(0).to_pylist()
                yield batch_lines

    def last_number(self, month: str) -> int:
        """Return the number of the month's last file, 0 if it has none."""
        names = (path.name for path in (self.folder / month).glob("part-*"))
        return max((int(match[1]) for match in map(_FILE.fullmatch, names) if match), default=0)


def _first_id(month: str, number: int) -> int:
    """Return the first id of a file; the ids of a hundred million rows are free for it."""
    year, month_of_year = map(int, month.split("-"))
    return (((year - 2000) * 12 + month_of_year) * 1000 + number) * 100_000_000


def main() -> None:
    """Write the files that the command line asks for."""
    options, new_data = _options()
    if new_data:
        files = [(options.months[-1], options.last_number(options.months[-1]) + 1)]
    else:
        files = [(month, n + 1) for month in options.months for n in range(options.files)]
    with tqdm(total=len(files) * options.rows, unit="rows", unit_scale=True) as progress:
        for month, number in files:
            progress.set_description(f"{month} file {number}")
            for rows in options.write(month, number):
                progress.update(rows)
    print(f"{len(files)} files of {options.rows} rows in {options.folder}")


def _options() -> tuple[RawFilesOptions, bool]:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines_project.sandbox.raw_files",
        description="Write made-up events, or rows of any width with --columns, as files by month: "
        "the same files for the same options.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--folder", type=Path, default=Path("data/raw/synthetic_data"), help="where to write")
    add("--months", type=_months, default="2024-01...2024-03", help="YYYY-MM or YYYY-MM...YYYY-MM")
    add("--files", type=_count, default=2, metavar="N", help="files a month")
    add("--rows", type=_count, default=50, metavar="N", help="rows a file")
    add("--bad-rows", type=int, default=0, metavar="N", help="how many of them are cut in half")
    add("--new-data", action="store_true", help="add the next file to the last month instead")
    add("--seed", type=int, default=1, metavar="N", help="another one makes other rows")
    add("--format", choices=sorted(LINES), default="jsonl", help="of the files")
    _add_wide_options(parser)
    asked = vars(parser.parse_args())
    new_data = asked.pop("new_data")
    asked["wide"] = _wide_rows(
        *(asked.pop(name) for name in ("columns", "kinds", "value_bytes", "levels"))
    )
    if asked["wide"] and asked["format"] != "jsonl":
        parser.error("--columns makes JSON lines only")
    if not 0 <= asked["bad_rows"] <= asked["rows"]:
        parser.error(f"--bad-rows {asked['bad_rows']} is not between 0 and --rows {asked['rows']}")
    return RawFilesOptions(**asked), new_data


def _add_wide_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("wide rows instead of events").add_argument
    within = f"{FEWEST_COLUMNS} to {MOST_COLUMNS}"
    add("--columns", type=_between(FEWEST_COLUMNS, MOST_COLUMNS), metavar="N", help=within)
    kinds = ",".join(KINDS)
    add("--kinds", type=_kinds, default=kinds, help="what the columns take in turns")
    add(
        "--value-bytes", type=_between(1, MOST_BYTES), default=200, metavar="N", help="longest text"
    )
    add("--levels", type=_between(1, MOST_LEVELS), default=5, metavar="N", help="of nested objects")


def _wide_rows(
    columns: int | None, kinds: list[str], value_bytes: int, levels: int
) -> WideRows | None:
    return WideRows(columns, kinds, value_bytes, levels) if columns else None


def _count(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return int(text)


def _between(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {least} and {most}")
        return int(text)

    return number


def _kinds(text: str) -> list[str]:
    kinds = text.split(",")
    if unknown := sorted({*kinds} - {*KINDS}):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: only {', '.join(KINDS)}")
    return kinds


def _months(text: str) -> list[str]:
    first, _, last = text.partition("...")
    try:
        month, last = checked_month(first), checked_month(last or first)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return months_between(month, max(month, last))


if __name__ == "__main__":
    try:
        main()
    except (OSError, KeyboardInterrupt) as error:
        sys.exit(f"stopped: {error}")
