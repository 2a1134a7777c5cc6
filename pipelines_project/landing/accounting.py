"""The account of a load of files: every line that was read is landed, quarantined, or another's."""

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.new_load import Details, NewLoad
from pipelines_project.landing.shrink_guard import refuse_shrink, refuse_shrunk_snapshot
from pipelines_project.names import quarantine_table
from pipelines_project.sources.files.load_facts import shown_facts


def accounted(new: NewLoad) -> Details:
    """Refuse a load that does not have every line, or that loses most of what is landed.

    Returns:
        How many lines were read and quarantined, and belong to other months, from how many files,
        and what is new in the month's columns.

    Raises:
        LandingError: rows, quarantined lines and those of other months are not as many as the
            lines that were read, or the month would lose more than half of its rows and
            `allow_shrink` is not set.
    """
    return {**_account(new), **refuse_shrink(new)}


def accounted_snapshot(new: NewLoad) -> Details:
    """Do the same for a snapshot, which must not lose most of the one before."""
    return {**_account(new), **refuse_shrunk_snapshot(new)}


def _account(new: NewLoad) -> Details:
    table = new.month.table
    read = shown_facts(new.facts)
    rows, quarantined = new.rows_of(table), new.rows_of(quarantine_table(table))
    others = read.get("lines_of_other_months", 0)
    if (rows + quarantined + others, quarantined) != (
        read["lines_read"],
        read["lines_quarantined"],
    ):
        raise LandingError(
            f"{new.month}: {read['lines_read']} lines were read, but {rows} rows and {quarantined} "
            "quarantined lines were made of them"
            + (f", and {others} belong to other months" if others else "")
        )
    return read
