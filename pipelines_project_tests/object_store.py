"""An S3 and a Glue for tests: moto in a process of its own, and a gate that counts and breaks."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
import urllib3

_SECONDS_TO_START = 30
_SIGNED = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/(?:s3|glue)/")
_REFUSALS = {
    "slow down": (503, "SlowDown", "Please reduce your request rate."),
    "denied": (403, "AccessDenied", "Access Denied"),
}


@contextmanager
def moto_server() -> Iterator[str]:
    """Run an empty S3 in a process of its own, and give its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as server:
        try:
            _wait_for(server, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def signed_in(url: str) -> dict[str, str]:
    """Return the environment variables by which AWS's libraries find such an S3."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while server.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("moto did not start")


@dataclass
class Fault:
    """What goes wrong with requests whose method, path and query hold a text.

    Attributes:
        what: `slow down` and `denied`, which refuse it with 503 and 403; `lost`, which lets it
            take effect and closes the connection without an answer; `cut`, which answers with half
            of the body; `slow`, which lets it wait for a second.
        part: of the method, a space, and the path with its query.
        times: how many such requests.
        skip: how many before them are answered.
    """

    what: str
    part: str = ""
    times: int = 1
    skip: int = 0


@dataclass
class Gate:
    """An S3 that logs what it is asked, and fails as told.

    Attributes:
        url: where it listens.
        store: where the S3 listens that answers.
        client: boto3's of that S3, whose requests are not logged.
        asked: method and path with query of each request so far.
        signed: the access keys, and the regions, by which they were signed.
    """

    store: str
    client: Any
    url: str = ""
    asked: list[str] = field(default_factory=list[str])
    signed: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    _faults: list[Fault] = field(default_factory=list[Fault])
    _lock: Lock = field(default_factory=Lock)

    def fail(self, *faults: Fault) -> None:
        """Let these go wrong from now on, each so many times."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Let nothing go wrong, and forget what was asked."""
        with self._lock:
            self._faults.clear()
            self.asked.clear()
            self.signed.clear()

    def take(self, method: str, path: str, authorization: str) -> str:
        """Log a request, and return what goes wrong with it, if anything."""
        with self._lock:
            self.asked.append(f"{method} {path}")
            if match := _SIGNED.search(authorization):
                self.signed.add((match[1], match[2]))
            for fault in self._faults:
                if fault.part in self.asked[-1] and fault.times > 0:
                    if fault.skip == 0:
                        fault.times -= 1
                        return fault.what
                    fault.skip -= 1
        return ""

    def bucket(self) -> str:
        """Make an empty bucket, and return its name."""
        name = f"landing-{uuid4().hex}"
        self.client.create_bucket(Bucket=name)
        return name


@contextmanager
def gate(store: str) -> Iterator[Gate]:
    """Stand before an S3 for as long as the context lasts."""
    keys = {"aws_access_key_id": "tests", "aws_secret_access_key": "tests"}
    made = Gate(store, boto3.client("s3", "us-east-1", endpoint_url=store, **keys))
    handler = type("Handler", (_Handler,), {"gate": made, "pool": urllib3.PoolManager()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are two packets, of which the second would wait 40 ms for the first.
    disable_nagle_algorithm = True
    gate: Gate
    pool: urllib3.PoolManager

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Print nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        what = self.gate.take(self.command, self.path, self.headers.get("Authorization", ""))
        if what == "slow":
            time.sleep(1)
        if what in _REFUSALS:
            status, code, message = _REFUSALS[what]
            error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            self._send(status, {"Content-Type": "application/xml"}, error.encode())
            return
        answer = self._forward(body)
        self.close_connection = what in ("lost", "cut")
        if what != "lost":
            half = len(answer.data) // 2 if what == "cut" else None
            self._send(answer.status, answer.headers, answer.data, half)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815

    def _forward(self, body: bytes) -> urllib3.BaseHTTPResponse:
        headers = {name: value for name, value in self.headers.items() if name != "Host"}
        headers["Host"] = urlsplit(self.gate.store).netloc
        url = f"{self.gate.store}{self.path}"
        return self.pool.request(
            self.command, url, body=body, headers=headers, retries=False, decode_content=False
        )

    def _send(self, status: int, headers: Any, body: bytes, sent: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                self.send_header(name, value)
        length = headers.get("Content-Length") if self.command == "HEAD" else len(body)
        self.send_header("Content-Length", str(length or 0))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:sent])
