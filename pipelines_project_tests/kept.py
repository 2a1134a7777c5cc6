"""What takes long to make, kept in this process for one test after another.

Whoever takes one has it alone until it is given back, so two that are in use never meet.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from pipelines_project.sandbox.server import serving

_until_the_end = ExitStack()
_idle_instances: list[dg.DagsterInstance] = []
_idle_services: list["Service"] = []


def close() -> None:
    """Stop and delete what is kept."""
    _until_the_end.close()


@contextmanager
def empty_instance() -> Iterator[dg.DagsterInstance]:
    """Give a Dagster instance without runs. To empty one takes a tenth of the time to make one."""
    if not _idle_instances:
        _idle_instances.append(_until_the_end.enter_context(dg.DagsterInstance.ephemeral()))
    instance = _idle_instances.pop()
    try:
        yield instance
    finally:
        instance.wipe()
        _idle_instances.append(instance)


@dataclass
class Service:
    """A server, a folder and definitions that know both, where app and folder can be exchanged.

    Attributes:
        url: where the server listens.
        folder: a link to the folder that is in use.
        app: what answers now.
    """

    url: str
    folder: Path
    app: ASGIApp | None = None
    _loaded: dict[str, dg.Definitions] = field(default_factory=dict[str, dg.Definitions])

    def loaded(self, settings: Any, load: Callable[[], dg.Definitions]) -> dg.Definitions:
        """Return the definitions that have been loaded with the settings, or load them."""
        key = repr(settings)
        if key not in self._loaded:
            self._loaded[key] = load()
        return self._loaded[key]


@contextmanager
def service(app: ASGIApp, folder: Path) -> Iterator[Service]:
    """Serve an app beside a folder, where definitions have been loaded before if possible."""
    if not _idle_services:
        _idle_services.append(_new_service())
    taken = _idle_services.pop()
    folder.mkdir(parents=True, exist_ok=True)
    taken.folder.symlink_to(folder.absolute(), target_is_directory=True)
    taken.app = app
    try:
        yield taken
    finally:
        taken.app = None
        taken.folder.unlink()
        _idle_services.append(taken)


def _new_service() -> Service:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        assert made.app, "this server is not in use"
        await made.app(scope, receive, send)

    url = _until_the_end.enter_context(serving(Starlette(routes=[Mount("/", app=answer)])))
    parent = _until_the_end.enter_context(TemporaryDirectory())
    made = Service(url, Path(parent) / "data")
    return made
