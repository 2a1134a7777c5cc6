"""The services of the soak: a chess.com, a help desk and a folder of files, of one `Versions`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_games import GeneratedArchives
from pipelines_project.sandbox.faults import Faults
from pipelines_project.sandbox.freshdesk import freshdesk_app
from pipelines_project.sandbox.help_desk import StoredHelpDesk
from pipelines_project.sandbox.server import serving
from pipelines_project.sandbox.services import service_settings
from pipelines_project_tests.faults.soak.served import MONTHS, PARTS, Part, Versions, rows

TABLES = {"chess": "games", "freshdesk": "companies", "local_jsonl": "synthetic_data"}


@dataclass(frozen=True)
class _Archives:
    versions: Versions

    def months(self, player: str) -> list[str]:
        return MONTHS

    def games(self, player: str, month: str) -> bytes:
        part = Part("chess", month, player)
        served = rows(part, self.versions.current(part))
        games = json.loads(GeneratedArchives(len(served)).games(player, month))["games"]
        return json.dumps(
            {"games": [game | row for game, row in zip(games, served, strict=True)]}
        ).encode()


def _companies(versions: Versions) -> JSONResponse:
    companies = []
    for index, month in enumerate(MONTHS):
        part = Part("freshdesk", month, "companies")
        version = versions.current(part)
        # Later than that of every version before.
        changed = f"{month}-02T{version // 3600:02d}:{version // 60 % 60:02d}:{version % 60:02d}Z"
        companies += [
            {"id": 1000 * index + row["number"] + 1, "name": month, "updated_at": changed, **row}
            for row in rows(part, version)
        ]
    return JSONResponse(companies)


def _write(folder: Path, part: Part, version: int) -> None:
    target = folder / "synthetic_data" / part.month / f"{part.name}.jsonl"
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"id": f"{part.name}.{n}", **r}) for n, r in enumerate(rows(part, version))]
    new = target.with_name(".new")
    new.write_text("\n".join(lines))
    new.rename(target)


@dataclass(frozen=True)
class Services:
    """The services while they are served.

    Attributes:
        versions: what they serve.
        faults: what they were asked.
        settings: the environment variables that lead to them.
        folder: where the files are.
    """

    versions: Versions
    faults: Faults
    settings: dict[str, str]
    folder: Path

    def advance(self, part: Part) -> None:
        """Serve the next version of a part."""
        if part.source == "local_jsonl":
            _write(self.folder, part, self.versions.current(part) + 1)
        self.versions.advance(part)


@contextmanager
def services(folder: Path) -> Iterator[Services]:
    """Serve the first version of everything, the files below a folder."""
    versions, faults = Versions(), Faults()
    for part in PARTS:
        if part.source == "local_jsonl":
            _write(folder, part, 1)

    async def companies(scope: Scope, receive: Receive, send: Send) -> None:
        await _companies(versions)(scope, receive, send)

    faults.answer_always("companies", companies)
    app = Starlette(
        routes=[
            Mount("/chess", chess_app(_Archives(versions), faults=faults)),
            Mount("/freshdesk", freshdesk_app(StoredHelpDesk({}), faults=faults)),
        ]
    )
    with serving(app) as url:
        settings = {
            **service_settings(url),
            "CHESS_PLAYERS": "hikaru,erik",
            "CHESS_CONTACT": "tests@example.com",
            "RAW_URL": str(folder),
            **{f"{source.upper()}_START_MONTH": MONTHS[0] for source in TABLES},
        }
        yield Services(versions, faults, settings, folder)
