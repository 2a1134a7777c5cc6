"""Making a DuckDB file, so that one that opens is there or none."""

import glob
import os
from pathlib import Path
from uuid import uuid4

import duckdb


def make_database_file(path: Path) -> None:
    """Make an empty database, unless the file is there.

    DuckDB writes a new file in several steps, and what a killed process or a full disk leaves of
    it opens never again. So it is written under another name first. What a killed process left
    under such a name goes as soon as the file is there.

    Raises:
        duckdb.Error: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while not path.exists():
        new = path.with_name(f"{path.name}.{uuid4().hex}.new")
        duckdb.connect(str(new)).close()
        # Unlike a renaming, a link never takes the place of a file that another process has made.
        try:
            os.link(new, path)
        except (FileExistsError, FileNotFoundError):
            continue
        except OSError:
            # There are no links on this file system: DuckDB makes the file by itself.
            break
    for left in path.parent.glob(f"{glob.escape(path.name)}.*.new"):
        left.unlink(missing_ok=True)
