"""Asking a source whether a landed month has changed, which lands nothing."""

from collections.abc import Callable, Mapping

from pipelines_project.landing.causes import root_cause
from pipelines_project.sources.fetch import Extract, Fetch, NotModifiedError

Asker = Callable[[str, Mapping[str, str]], bool | None]
"""Given a month and the facts of its current load, tells whether the source has other rows now.

None if only fetching the month tells.
"""


def has_changed(extract: Extract, month: str, facts: Mapping[str, str]) -> bool | None:
    """Tell whether a landed month would have other rows now.

    It asks as landing would, with the ETags of the current load, and stops at the first row: what
    has changed may be fetched in part.

    Args:
        extract: gives the resource of the month's rows.
        month: `YYYY-MM`.
        facts: those of the current load's record.

    Returns:
        None if only fetching the month tells.

    Raises:
        Exception: the source could not be asked; its causes say why.
    """
    if not keeps_unchanged(facts):
        return None
    try:
        for _ in extract(month, Fetch(facts_before=facts, most_rows=1)):
            break
    except Exception as error:
        if isinstance(root_cause(error), NotModifiedError):
            return False
        raise
    return True


def keeps_unchanged(facts: Mapping[str, str]) -> bool:
    """Tell whether landing asks by the facts of a load, and keeps it if nothing has changed."""
    # The ETag of each address.
    return any("://" in name for name in facts)
