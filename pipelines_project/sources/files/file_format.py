"""Which format a table's files have: told by their names, or stated."""

import re
from typing import Literal, get_args

from pipelines_project.sources.files.raw_files import checked_template

Format = Literal["csv", "tsv", "parquet", "excel", "jsonl"]

_COMPRESSED = r"(?:[.](?:gz|zst|bz2|[*]))?"
_ENDING = re.compile(rf"[.]([a-z0-9]+)[*]?{_COMPRESSED}[*]?$", re.IGNORECASE)
_FORMATS: dict[str, Format] = {
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "parquet": "parquet",
    "xlsx": "excel",
    "xlsm": "excel",
    "xlsb": "excel",
    "xls": "excel",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
}
_NO_LINES = re.compile(
    r"csv|tsv|psv|xls[xmb]?|ods|parquet|avro|orc|arrow|feather|xml|html?|ya?ml|pdf|zip|tar|7z"
)


def format_of(template: str, stated: Format | None) -> Format:
    """Return the format of the files that fit a template.

    Raises:
        ValueError: no format is stated, and the names do not tell it.
    """
    if stated is not None:
        return stated
    ending = _ending(template)
    if ending not in _FORMATS:
        raise ValueError(
            f"{template[:80]!r} does not tell what the files are: set format to one of "
            f"{', '.join(get_args(Format))}"
        )
    return _FORMATS[ending]


def checked_jsonl_template(template: str) -> str:
    """Return the template if it names the month, and files that can be JSON lines.

    Raises:
        ValueError: it does not, leads out of the root, or names files of another format.
    """
    if "%Y" not in checked_template(template) or "%{" in template:
        raise ValueError(
            f"{template[:80]!r} must name the month by %Y and %m, and nothing else by %"
        )
    return jsonl_template(template)


def jsonl_template(template: str) -> str:
    """Return the template if its files can be JSON lines; raises ValueError if not."""
    if _NO_LINES.fullmatch(ending := _ending(template)):
        raise ValueError(
            f"{template[:80]!r} names {ending} files, which are no JSON lines: name files that "
            "hold one JSON object a line"
        )
    return template


def _ending(template: str) -> str:
    match = _ENDING.search(template)
    return match[1].lower() if match else ""
