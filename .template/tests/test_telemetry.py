"""Errors reach Sentry, and traces a collector."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.servers import free_port, get, running


@contextmanager
def collecting() -> Iterator[tuple[int, dict[str, bytes]]]:
    """Stand in for Sentry and for a collector; yield the port and what arrived."""
    arrived: dict[str, bytes] = {}

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            arrived[self.path] = arrived.get(self.path, b"") + self.rfile.read(length)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, arrived
        server.shutdown()


def test_errors_and_traces_arrive(tmp_path: Path) -> None:
    with collecting() as (collector, arrived):
        port = free_port()
        variables = {
            "APP_ENVIRONMENT": "staging",
            "SENTRY_DSN": f"http://hunter2@127.0.0.1:{collector}/1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}",
        }
        server = ["uvicorn", "--app-dir=.template/tests", "crashing:app"]
        command = [sys.executable, "-m", *server, f"--port={port}"]
        with running(command, tmp_path / "output", variables) as program:
            program.wait_for("Uvicorn running on")
            crashed = get(port, "/crash", "Cookie: session=hunter3")
            program.stop()
            said = program.said()

    assert b"500 Internal Server Error" in crashed
    assert b"/crash" in arrived["/v1/traces"]
    assert arrived["/api/1/envelope/"]
    assert "hunter" not in said.replace("the password is hunter2", "")
