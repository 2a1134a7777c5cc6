"""What processes have taken of the processors."""

from collections.abc import Mapping
from contextlib import suppress

import psutil
import psycopg


def processor_seconds(pid: int) -> float:
    """Return what a process and all that it has started have taken, also those that have ended."""
    seconds = 0.0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def own_servers(postgres: str) -> Mapping[str, int]:
    """Return the process of each server that is not the fleet's.

    Args:
        postgres: the URL of the PostgreSQL.
    """
    started = {" ".join(each.cmdline()): each.pid for each in psutil.Process().children()}
    with psycopg.connect(postgres) as connection:
        postmaster = psutil.Process(connection.info.backend_pid).ppid()
    return {
        "S3 (moto)": next(pid for line, pid in started.items() if "moto.server" in line),
        "Redis": next(pid for line, pid in started.items() if "redis-server" in line),
        "PostgreSQL": postmaster,
    }
