"""A stand-in for osv.dev at a free port of this machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


@contextmanager
def advisory_service(known: dict[str, str]) -> Iterator[str]:
    """Serve advisories, by package name, and yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            name = json.loads(body)["package"]["name"]
            vulns = [advisory(known[name], name)] if name in known else []
            content = json.dumps({"vulns": vulns} if vulns else {}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def advisory(number: str, name: str) -> dict[str, object]:
    """An advisory about every version of a package."""
    every_version = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}
    package = {"name": name, "ecosystem": "PyPI"}
    affected = [{"package": package, "ranges": [every_version]}]
    return {"id": number, "summary": "bad", "affected": affected}


@pytest.fixture
def osv() -> Iterator[str]:
    """A service that knows no vulnerability."""
    with advisory_service({}) as address:
        yield address


@pytest.fixture
def vulnerable() -> Iterator[str]:
    """A service that knows a vulnerability of the packages `bad` and `rates`."""
    with advisory_service({"bad": "GHSA-1", "rates": "GHSA-1"}) as address:
        yield address
