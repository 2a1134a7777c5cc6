"""What reads the files of each format."""

from collections.abc import Iterator, Sequence, Set

from pipelines_project.sources.files.csv_files import csv_parts, raw_records, sound_part
from pipelines_project.sources.files.excel_files import excel_parts
from pipelines_project.sources.files.parquet_files import parquet_parts
from pipelines_project.sources.files.parts import LINE, Part, Reading, column
from pipelines_project.sources.files.raw_files import RawFile
from pipelines_project.sql_text import quoted

_READERS = {
    "csv": csv_parts,
    "tsv": csv_parts,
    "parquet": parquet_parts,
    "excel": excel_parts,
}


def parts(reading: Reading, files: Sequence[RawFile]) -> list[Part]:
    """Return the rows of each file that is not empty; raises as the reader of the format does."""
    return _READERS[reading.settings.format](reading, files)


def sound(reading: Reading, parts: Sequence[Part]) -> list[Part]:
    """Return the parts with what is no row told apart from what is."""
    if not _is_text(reading):
        return list(parts)
    return [sound_part(reading, part) for part in parts]


def raw_rows(reading: Reading, part: Part, lines: Set[int]) -> Iterator[tuple[int, bytes]]:
    """Yield rows of a part as they are in the file, by their numbers; as JSON if it has no text."""
    if _is_text(reading):
        yield from raw_records(reading, part, lines)
        return
    names = [f"{quoted(name)} := {column(at)}" for at, name in enumerate(part.columns)]
    query = (
        f"select {quoted(LINE)}, to_json(struct_pack({', '.join(names)})) from ({part.query}) "
        f"where {quoted(LINE)} in (select unnest(?))"
    )
    reading.connection.execute(query, [sorted(lines)])
    while rows := reading.connection.fetchmany(1_000):
        yield from ((line, str(row).encode()) for line, row in rows)


def _is_text(reading: Reading) -> bool:
    return reading.settings.format in ("csv", "tsv")
