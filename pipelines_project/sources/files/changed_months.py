"""Which months' raw files changed since they were last looked at."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypedDict

from pipelines_project.sources.files.raw_files import RawFile, fingerprint


class SeenMonth(TypedDict):
    """What was seen of a month: the fingerprint of its files, and the key of the run asked for."""

    files: str
    run_key: str


class ChangedMonths(NamedTuple):
    """What a look at the files found.

    Attributes:
        run_keys: for each month to be landed, the key of its run.
        seen: what to compare with next time.
        unsettled: the months that have a file which may still be being written.
    """

    run_keys: dict[str, str]
    seen: dict[str, SeenMonth]
    unsettled: list[str]


def changed_months(
    months: Mapping[str, Sequence[RawFile]],
    seen: Mapping[str, SeenMonth],
    now: float,
    settle_seconds: float,
) -> ChangedMonths:
    """Compare the files with what was seen, and return the months that have changed.

    A month whose files are all gone has changed too. The run key is made of the files'
    fingerprint and the month's key before, so that a month which goes back to what it was before
    is not taken for the run that was done then.

    Args:
        months: the files of each month that has any.
        seen: from the last time; empty the first time.
        now: seconds since 1970.
        settle_seconds: a file modified less than this ago may still be being written, and its
            month waits.
    """
    run_keys: dict[str, str] = {}
    unsettled: list[str] = []
    now_seen = dict(seen)
    for month in sorted({*months, *seen}):
        files = months.get(month, [])
        state, last = fingerprint(files), seen.get(month)
        if last and last["files"] == state:
            continue
        if any(_is_unsettled(file, now, settle_seconds) for file in files):
            unsettled.append(month)
            continue
        digest = hashlib.sha256(f"{last['run_key'] if last else ''} {state}".encode()).hexdigest()
        run_keys[month] = f"{month} {digest[:16]}"
        now_seen[month] = SeenMonth(files=state, run_key=run_keys[month])
    return ChangedMonths(run_keys, now_seen, unsettled)


def _is_unsettled(file: RawFile, now: float, settle_seconds: float) -> bool:
    # A time further ahead is another clock's, and must not keep the month waiting.
    return file.modified is not None and abs(now - file.modified) < settle_seconds
