"""What is written outlasts a loss of power at any instant: the month is the old one or the new."""

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipelines_project.landing.zone import LandingZone
from pipelines_project_tests.landings import land, place_of


class Operation(NamedTuple):
    """One change of the disk: `create`, `mkdir`, `rename` (to `target`), `flush`, `flush folder`.

    What was flushed of a file is its `content`.
    """

    what: str
    path: Path
    target: Path = Path()
    content: bytes = b""


class Disk:
    """What a disk holds after a loss of power, by the operations before.

    A name is there once its folder was flushed, and a file's content once the file was. What was
    not flushed is lost; or, if `names_survive`, only the content is, as on disks that write the
    names of new files before their content.
    """

    def __init__(self, names_survive: bool) -> None:
        self._names_survive = names_survive
        self._entries: dict[Path, int] = {}
        self._durable: dict[Path, int] = {}
        self._content: dict[int, bytes | None] = {}

    def do(self, operation: Operation) -> None:
        """Change the disk."""
        what, path, target, content = operation
        if what == "rename":
            self._entries[target] = self._entries.pop(path)
        elif what == "flush":
            self._content[self._entries[path]] = content
        elif what == "flush folder":
            self._durable = {p: i for p, i in self._durable.items() if p.parent != path}
            self._durable |= {p: i for p, i in self._entries.items() if p.parent == path}
        elif path not in self._entries:
            self._entries[path] = len(self._content)
            self._content[self._entries[path]] = b"" if what == "create" else None

    def write(self, root: Path, into: Path) -> None:
        """Write what is left of what is below a folder into another."""
        left = self._entries if self._names_survive else self._durable
        for path, number in sorted(left.items()):
            copy, content = into / path.relative_to(root), self._content[number]
            if content is None and copy.parent.is_dir():
                copy.mkdir()
            elif content is not None and copy.parent.is_dir():
                copy.write_bytes(content)


@pytest.fixture
def operations(landing: LandingZone, monkeypatch: pytest.MonkeyPatch) -> list[Operation]:
    """The operations below the landing zone and on the folder that holds it, in their order."""
    done: list[Operation] = []
    root = Path(landing.url).parent

    def record(what: str, path: Any, target: Any = "", content: bytes = b"") -> None:
        if Path(path) == root or Path(path).is_relative_to(landing.url):
            done.append(Operation(what, Path(path), Path(target), content))

    opened: Callable[..., Any] = io.open
    fsync, rename, mkdir = os.fsync, os.replace, os.mkdir

    def recorded_open(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        stream = opened(file, mode, *args, **options)
        if set(mode) & set("wxa") and not isinstance(file, int):
            record("create", file)
        return stream

    def recorded_fsync(descriptor: int) -> None:
        fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.is_dir():
            record("flush folder", path)
        else:
            record("flush", path, content=path.read_bytes())

    def recorded_rename(old: Any, new: Any) -> None:
        rename(old, new)
        record("rename", old, new)

    def recorded_mkdir(path: Any, *args: Any) -> None:
        mkdir(path, *args)
        record("mkdir", path)

    monkeypatch.setattr(io, "open", recorded_open)
    monkeypatch.setattr("builtins.open", recorded_open)
    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_rename)
    monkeypatch.setattr(os, "rename", recorded_rename)
    monkeypatch.setattr(os, "mkdir", recorded_mkdir)
    return done


def _loads_after_each_loss(
    landing: LandingZone, operations: list[Operation], names_survive: bool
) -> list[str | None]:
    """Return which load a month has whole after a loss of power before and after each operation."""
    found: list[str | None] = []
    for lost_after in range(len(operations) + 1):
        disk = Disk(names_survive)
        for operation in operations[:lost_after]:
            disk.do(operation)
        into = Path(landing.url).parent / f"after {lost_after} {names_survive}"
        into.mkdir()
        disk.write(Path(landing.url).parent, into)
        place = place_of(LandingZone(url=str(into / "landing")))
        load = place.current_files()
        if load:
            place.check_content(load.record)
        found.append(load.load_id if load else None)
        shutil.rmtree(into)
    return found


@pytest.mark.stack
@pytest.mark.parametrize("names_survive", [False, True])
def test_a_loss_of_power_leaves_the_old_month_or_the_new_one_whole(
    landing: LandingZone, operations: list[Operation], names_survive: bool
) -> None:
    old = land(place_of(landing), [{"id": 1}]).load_id
    first = len(operations)
    new = land(place_of(landing), [{"id": 2}, {"id": 3}]).load_id

    found = _loads_after_each_loss(landing, operations, names_survive)

    assert found == sorted(found, key=[None, old, new].index)
    assert found[first] == old
    assert found[-1] == new


def test_files_are_durable_before_the_record_and_the_record_before_landing_returns(
    landing: LandingZone, operations: list[Operation]
) -> None:
    place = place_of(landing)
    load_id = land(place, [{"id": 1}]).load_id

    zone, source, table, month = (
        Path(landing.url),
        *(Path(landing.url, *names) for names in (("demo",), ("demo", "events"), (place.path,))),
    )
    [data] = [path for path in map(Path, place.files_of_load(load_id)) if path.suffix == ".parquet"]
    record = Path(place.record_path(load_id))
    new = Path(f"{record}.new")
    made = [operation for operation in operations if operation.what == "mkdir"]
    assert {operation.path for operation in made} == {zone, source, table, month}
    told = [(operation.what, operation.path) for operation in operations]
    for folder in (zone, source, table, month):
        flushed = told.index(("flush folder", folder.parent))
        assert told.index(("mkdir", folder)) < flushed < told.index(("create", new))
    assert told[told.index(("create", data)) :] == [
        ("create", data),
        ("flush", data),
        ("flush folder", month),
        ("create", new),
        ("flush", new),
        ("rename", new),
        ("flush folder", month),
    ]


def test_nothing_in_the_landing_zone_is_written_that_is_not_flushed(
    landing: LandingZone, operations: list[Operation]
) -> None:
    land(place_of(landing), [{"id": 1}])
    land(place_of(landing), [{"id": 2}])

    created = [operation.path for operation in operations if operation.what == "create"]
    flushed = [operation.path for operation in operations if operation.what == "flush"]
    assert len(created) == 4
    assert created == flushed
