"""The raw files that a month is made from, which are to stay as they are while they are read."""

from collections.abc import Generator
from contextlib import contextmanager

from pipelines_project.sources.files.raw_files import RawFile, fingerprint
from pipelines_project.sources.files.settings import FileSettings, JsonlSettings
from pipelines_project.sources.http.api_calls import SourceError


@contextmanager
def month_files(settings: FileSettings | JsonlSettings, month: str) -> Generator[list[RawFile]]:
    """Give the files of a month to be read.

    Raises:
        SourceError: there is none, and a month without files is not what the template means; or
            they changed while they were read.
    """
    files = settings.folder.files(month)
    if not files and not settings.folder.names_month:
        raise SourceError(
            f"no file fits {settings.folder.template!r} below {settings.folder.url[:200]}. Nothing "
            f"was landed: put the file of {settings.table} there, or correct files"
        )
    yield files
    if fingerprint(settings.folder.files(month)) != fingerprint(files):
        raise SourceError(f"the files of {settings.table} {month} changed while they were read")
