"""The files that go once another load of a month is landed."""

from pipelines_project.landing.listing import Listing


def replaced_files(listing: Listing, keep_loads: int) -> dict[str, int]:
    """Return by path the size of each file that `delete_stale_files` deletes after a new load.

    Args:
        listing: of the month.
        keep_loads: how many superseded loads are kept, the newest; all are taken for whole.
    """
    kept = listing.committed[:keep_loads]
    return {
        path: size or 0
        for load_id, files in listing.files.items()
        if load_id not in kept
        for path, size in files.items()
    }
