"""DuckDB's extensions, loaded from their wheels; their signatures are checked once in a process."""

import duckdb

_loaded: set[str] = set()


def trusted(*names: str) -> dict[str, bool | int | str]:
    """Return the settings of a connection that is going to load these extensions.

    DuckDB checks a signature whenever an extension is loaded, a quarter of a second for the forty
    megabytes of most, though the code of one that this process has loaded stays in its memory. So
    it need not do that again if all of them were loaded before.
    """
    is_checked = bool(names) and _loaded.issuperset(names)
    return {"allow_unsigned_extensions": True} if is_checked else {}


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension of DuckDB from its wheel, without asking the network.

    Raises:
        ModuleNotFoundError: the wheel is not installed.
    """
    from duckdb_extensions import import_extension  # pyright: ignore[reportMissingTypeStubs]

    import_extension(name, con=connection)
    connection.load_extension(name)
    _loaded.add(name)
