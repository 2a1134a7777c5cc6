"""What came of landing a month, told by the record of its current load."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.new_load import Details
from pipelines_project.landing.previous import previous_load
from pipelines_project.landing.record import LoadRecord
from pipelines_project.landing.sample import Sample


@dataclass(frozen=True)
class Landed:
    """What came of landing a month.

    Attributes:
        load_id: the load: the new one, or the current one where nothing was modified.
        rows: of the month's table.
        files: how many.
        bytes: of all of them.
        schema: the dlt type of each column.
        required: the columns that are never null.
        content: the same for loads of the same rows and refused rows; None if it is not known.
        uri: the folder of the month's files.
        not_modified: whether the current load stays.
        superseded_by: the newer load that made this one needless.
        replaced_damaged: what was wrong with the load that this one has replaced.
        sample: a few of its rows, where no person is in them.
        details: what the source says of it, also where it said so when the current load was landed.
        seconds: how long it took.
    """

    load_id: str
    rows: int
    files: int
    bytes: int
    schema: Mapping[str, str]
    required: list[str]
    content: str | None = None
    uri: str = ""
    not_modified: bool = False
    superseded_by: str | None = None
    replaced_damaged: str = ""
    sample: Sample | None = None
    details: Details = field(default_factory=dict[str, Any])
    seconds: float = 0.0


def as_landed(month: LandedMonth, record: LoadRecord) -> Landed:
    """Return a load that is landed, as its record tells it."""
    return Landed(
        record.load_id,
        record.rows_of(month.table),
        len(record.files),
        record.bytes,
        record.schema,
        record.required,
        record.content,
        month.uri,
        sample=record.sample,
        details=record.details,
    )


def landed_since(month: LandedMonth, moment: float) -> Landed | None:
    """Return the month's current load, if it is whole and was landed since a moment.

    Args:
        month: which month.
        moment: in seconds since 1970, as load ids are.
    """
    current = previous_load(month)
    if current.record is None or float(current.record.load_id) < moment:
        return None
    return replace(as_landed(month, current.record), not_modified=True)
