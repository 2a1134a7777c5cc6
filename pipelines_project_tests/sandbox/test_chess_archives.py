"""Recorded answers are served byte by byte."""

import gzip
from pathlib import Path

import requests

from pipelines_project.sandbox.chess import chess_app
from pipelines_project.sandbox.chess_archives import RecordedArchives
from pipelines_project.sandbox.server import serving

_CONTACT = {"User-Agent": "sandbox-tests (contact: me@example.com)"}


def _get(url: str) -> requests.Response:
    return requests.get(url, headers=_CONTACT, timeout=5)


def test_recorded_answers_are_served_as_they_came(tmp_path: Path) -> None:
    body = b'{"games": [ {"url": "one"} ]}\n'
    (tmp_path / "Erik").mkdir()
    (tmp_path / "Erik" / "2009-10.json.gz").write_bytes(gzip.compress(body))
    with serving(chess_app(RecordedArchives(tmp_path), validators=False)) as url:
        listed = _get(f"{url}/pub/player/erik/games/archives").json()["archives"]

        assert listed == [f"{url}/pub/player/erik/games/2009/10"]
        assert _get(listed[0]).content == body
        assert _get(f"{url}/pub/player/erik/games/2009/11").json() == {"games": []}
        assert _get(f"{url}/pub/player/hikaru/games/archives").status_code == 404
