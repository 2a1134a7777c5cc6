"""What a load of files is made from, as its record holds it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines_project.sources.files.raw_files import RawFile, fingerprint

_CHANGES_SHOWN = 5
_COUNTS = ("raw_files", "lines_read", "lines_quarantined", "lines_of_other_months")


def load_facts(
    files: Sequence[RawFile],
    read: int,
    quarantined: int,
    changes: Sequence[str],
    of_other_months: int | None = None,
) -> dict[str, str]:
    """Return the facts of a load for its record.

    Args:
        files: of the month.
        read: how many lines or rows they have.
        quarantined: how many of these are quarantined.
        changes: what the month has that the table did not have before.
        of_other_months: how many belong to other months; None if no month is told by a column.
    """
    others = {} if of_other_months is None else {"lines_of_other_months": str(of_other_months)}
    return {
        "raw_files": str(len(files)),
        "fingerprint": fingerprint(files),
        "lines_read": str(read),
        "lines_quarantined": str(quarantined),
        "schema_changes": json.dumps(list(changes)),
        **others,
    }


def shown_facts(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return the facts of a load with their own types."""
    counts = {name: int(facts[name]) for name in _COUNTS if name in facts}
    return {
        **counts,
        "fingerprint": facts["fingerprint"],
        "schema_changes": json.loads(facts["schema_changes"]),
    }


def remarks(shown: Mapping[str, Any]) -> str:
    """Return in one line which lines are no rows of the month, and what is new in its columns.

    Args:
        shown: the facts of a load, or what is shown of one that may not be of files.
    """
    said: list[str] = []
    if quarantined := shown.get("lines_quarantined"):
        said.append(f"{quarantined} of {shown['lines_read']} lines quarantined")
    if others := shown.get("lines_of_other_months"):
        said.append(f"{others} {'line' if others == 1 else 'lines'} of other months")
    if changes := shown.get("schema_changes"):
        more = len(changes) - _CHANGES_SHOWN
        listed = ", ".join(changes[:_CHANGES_SHOWN]) + (f" and {more} more" if more > 0 else "")
        said.append(f"schema changes: {listed}")
    return "; ".join(said)
