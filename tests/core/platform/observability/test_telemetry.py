"""Sentry and tracing are off unless their variables switch them on."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from my_app.config import Settings
from my_app.core.platform.build import identify
from my_app.core.platform.observability.telemetry import (
    require,
    start_sentry,
    telemetry,
)
from my_app.environment import EnvironmentVariablesError

from tests.servers import free_port, get, running


def test_by_default_nothing_is_sent(settings: Settings) -> None:
    start_sentry(settings, identify(settings))

    assert not any(telemetry(settings).values())


def test_an_endpoint_enables_traces_only() -> None:
    settings = Settings(environment="test", otlp_endpoint="http://127.0.0.1:4318")

    assert telemetry(settings) == {
        "auto_configure": True,
        "tracing": True,
        "metrics": False,
        "logs": False,
    }


@pytest.mark.parametrize("module", ["not_installed", "not_installed.at_all"])
def test_a_variable_without_its_extra_stops_the_start(module: str) -> None:
    with pytest.raises(EnvironmentVariablesError, match="uv sync --extra tracing"):
        require(module, variable="OTEL_EXPORTER_OTLP_ENDPOINT", extra="tracing")


@pytest.mark.slow  # Its library takes a fifth of a second to import.
def test_a_malformed_dsn_stops_the_start_and_is_not_shown() -> None:
    settings = Settings.model_validate({"sentry_dsn": "hunter2"})

    with pytest.raises(EnvironmentVariablesError, match="SENTRY_DSN") as caught:
        start_sentry(settings, identify(settings))
    assert "hunter2" not in str(caught.value)


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


@pytest.mark.slow
def test_errors_and_traces_arrive(tmp_path: Path) -> None:
    with collecting() as (collector, arrived):
        port = free_port()
        variables = {
            "APP_ENVIRONMENT": "staging",
            "SENTRY_DSN": f"http://hunter2@127.0.0.1:{collector}/1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}",
        }
        server = ["uvicorn", "tests.core.platform.crashing:app", f"--port={port}"]
        command = [sys.executable, "-m", *server]
        with running(command, tmp_path / "output", variables) as program:
            program.wait_for("Uvicorn running on")
            crashed = get(port, "/crash", "Cookie: session=hunter3")
            program.stop()
            said = program.said()

    assert b"500 Internal Server Error" in crashed
    assert b"/crash" in arrived["/v1/traces"]
    assert arrived["/api/1/envelope/"]
    assert "hunter" not in said.replace("the password is hunter2", "")
