"""Publishing a load: its files, its record, and taking it back if a newer one came meanwhile."""

from pipelines_project.landing.errors import DamagedLoadError
from pipelines_project.landing.file_types import file_types
from pipelines_project.landing.landed_month import LandedMonth
from pipelines_project.landing.new_load import Details, NewLoad
from pipelines_project.landing.record import LoadRecord, recorded_file
from pipelines_project.landing.storage import put_file


def publish(new: NewLoad, details: Details) -> LoadRecord:
    """Store the files of a load durably and then its record, which commits it.

    Args:
        new: the load, which may take the place of the current one.
        details: what is to be shown of it.
    """
    month, staged = new.month, new.staged
    paths = {f"{staged.load_id}.{file.file_id}.parquet": file for file in staged.files}
    files = [recorded_file(f.table, name, f.rows, f.path) for name, f in paths.items()]
    record = LoadRecord(
        staged.load_id,
        staged.schema,
        files,
        dict(new.facts),
        staged.required,
        dict(details),
        new.content,
        staged.origins,
        file_types(f.schema for f in staged.files if f.table == month.table),
        new.sample,
    )
    try:
        for name, file in paths.items():
            put_file(month.fs, file.path, f"{month.folder_of(file.table)}/{name}")
        month.commit(record)
    except FileNotFoundError:
        # The run of a newer load has taken what is being written for stale, which it is.
        if float(month.current_load() or 0) <= float(staged.load_id):
            raise
    return record


def withdraw_if_superseded(month: LandedMonth, record: LoadRecord) -> str | None:
    """Remove what this run landed if a newer load was committed meanwhile, and return that one.

    Raises:
        DamagedLoadError: the load is current and not whole, and was removed. A newer load was
            there for a while, so that another run took this one's files for stale.
    """
    listing = month.listing()
    own = month.files_of_load(record.load_id, listing)
    if listing.newest != record.load_id:
        month.delete(own)
        return listing.newest
    try:
        month.check_files(record, listing)
    except DamagedLoadError as error:
        month.delete(own)
        raise DamagedLoadError(f"another run deleted files of {month}: {error}") from error
    return None
