"""Errors reach Sentry, and traces a collector, if their variables switch them on."""

import gzip
import json
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from asking import get
from my_app.config import Settings
from my_app.core.platform.build import identify
from my_app.core.platform.observability.telemetry import (
    require,
    start_sentry,
    telemetry,
)
from my_app.environment import EnvironmentVariablesError

from tests.servers import PATIENCE, free_port, running


@contextmanager
def collecting() -> Iterator[tuple[int, dict[str, list[bytes]]]]:
    """Stand in for Sentry and for a collector; yield the port and what arrived."""
    arrived: dict[str, list[bytes]] = defaultdict(list)

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            packed = self.headers["content-encoding"] == "gzip"
            arrived[self.path].append(gzip.decompress(body) if packed else body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, arrived
        server.shutdown()


class Run:
    """What a request that crashes left behind."""

    def __init__(self, folder: Path) -> None:
        with collecting() as (collector, self.arrived):
            port = free_port()
            variables = {
                "APP_ENVIRONMENT": "staging",
                "SENTRY_DSN": f"http://hunter2@127.0.0.1:{collector}/1",
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}",
            }
            server = ["uvicorn", "--app-dir=.template/tests", "crashing:app"]
            command = [sys.executable, "-m", *server, f"--port={port}"]
            with running(command, folder / "output", variables) as program:
                program.wait_for("Uvicorn running on")
                self.answer = get(port, "/crash", "Cookie: session=hunter3")
                program.process.terminate()
                program.process.wait(PATIENCE)
                self.said = program.said()

    def events(self) -> list[dict[str, Any]]:
        """Read the events of Sentry's envelopes."""
        found = []
        for envelope in self.arrived["/api/1/envelope/"]:
            _, *lines = [json.loads(line) for line in envelope.splitlines() if line]
            heads, items = lines[::2], lines[1::2]
            pairs = zip(heads, items, strict=True)
            found += [item for head, item in pairs if head["type"] == "event"]
        return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("telemetry"))


def test_an_exception_reaches_sentry_with_its_traceback(run: Run) -> None:
    assert b"500 Internal Server Error" in run.answer
    (event,) = run.events()
    assert event["logentry"]["message"] == "unhandled exception"
    (raised,) = event["exception"]["values"]
    assert (raised["type"], raised["value"]) == (
        "RuntimeError",
        "the password is hunter2",
    )
    assert raised["stacktrace"]["frames"][-1]["function"] == "crash"
    assert "hunter3" not in json.dumps(event)


def test_the_lines_of_a_request_name_its_trace(run: Run) -> None:
    lines = [json.loads(line) for line in run.said.splitlines() if line[:1] == "{"]
    traced = [line for line in lines if "trace.id" in line]
    exported = b"".join(run.arrived["/v1/traces"])

    assert {line["log.logger"] for line in traced} >= {"access"}
    assert len(traced) == len([line for line in lines if "http.request.id" in line]) > 1
    for line in traced:
        assert bytes.fromhex(line["trace.id"]) in exported
        assert bytes.fromhex(line["span.id"]) in exported
    assert b"/crash" in exported
    assert "hunter" not in run.said.replace("the password is hunter2", "")


def test_by_default_nothing_is_sent() -> None:
    settings = Settings(environment="test")
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


def test_a_malformed_dsn_stops_the_start_and_is_not_shown() -> None:
    settings = Settings.model_validate({"sentry_dsn": "hunter2"})

    with pytest.raises(EnvironmentVariablesError, match="SENTRY_DSN") as caught:
        start_sentry(settings, identify(settings))
    assert "hunter2" not in str(caught.value)
