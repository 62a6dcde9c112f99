"""The service as a process: options, workers, shutdown."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import uvicorn

from asking import get
from my_app.__main__ import bound

from tests.servers import ROOT, clean_environment, free_port, running, serving


def test_an_unreadable_environment_is_one_readable_block() -> None:
    variables = {
        "APP_PORT": "high",
        "APP_ENVIRONMENT": "prod",
        "APP_HOSTS": "x",
    }

    for command in (
        ["-m", "my_app"],
        ["-c", "import my_app.main"],
    ):
        done = subprocess.run(
            [sys.executable, *command],
            check=False,
            capture_output=True,
            text=True,
            env=clean_environment() | variables,
            cwd=ROOT,
            timeout=60,
        )

        assert done.returncode == 2
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        assert "The environment has 3 problems" in done.stderr
        for part in ("'high'", "'prod'", "APP_HOSTS", "the declared name APP_HOST"):
            assert part in done.stderr


def test_help_names_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "my_app", "--help"],
        check=True,
        capture_output=True,
        text=True,
        env=clean_environment(),
    )

    assert "my-app migrate" in done.stdout


def test_options_override_the_environment_and_are_validated() -> None:
    done = subprocess.run(
        [
            Path(sys.executable).with_name("my-app"),
            "--port",
            "99999",
        ],
        check=False,
        capture_output=True,
        text=True,
        env=clean_environment() | {"APP_PORT": "8000"},
        timeout=60,
    )

    assert done.returncode == 2
    assert "APP_PORT\n    found:    '99999'" in done.stderr


def test_every_option_reaches_the_server(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with serving(output, "--host", "127.0.0.1") as (program, _):
        assert "http://127.0.0.1:" in program.said()

    options = ("--log-level", "warning", "--workers", "0")
    with (
        pytest.raises(AssertionError, match=r"ended with 2(?s:.*)APP_WORKERS"),
        serving(tmp_path / "other", *options),
    ):
        pass


@pytest.mark.parametrize(
    ("trusted", "client", "scheme"),
    [("127.0.0.1", 'a"b', b"https"), ("fe80::/10", "127.0.0.1", b"http")],
)
def test_only_a_trusted_proxy_says_who_asks_and_how(
    tmp_path: Path, trusted: str, client: str, scheme: bytes
) -> None:
    headers = ('X-Forwarded-For: a"b', "X-Forwarded-Proto: https")
    variables = {"APP_TRUSTED_PROXIES": trusted, "APP_ROOT_PATH": "/api"}
    with serving(tmp_path / "output", **variables) as (program, port):
        redirected = get(port, "/version/", *headers)
        document = get(port, "/openapi.json")
        program.wait_for("/version/")
        line = next(it for it in program.said().splitlines() if "/version/" in it)

    assert json.loads(line)["client.ip"] == client
    assert b"\r\nlocation: " + scheme + b"://test/" in redirected.lower()
    assert b'"servers":[{"url":"/api"}]' in document


def test_every_worker_exposes_the_metrics_of_all(tmp_path: Path) -> None:
    with serving(tmp_path / "output", "--workers", "2") as (program, port):
        program.wait_for(r"(?s)startup complete.*startup complete")
        for _ in range(40):
            get(port, "/healthz")
        counted = b'{method="GET",route="/healthz",status="200"} 40.0'

        answers = [get(port, "/metrics") for _ in range(10)]

        (pid, *_) = re.findall(r"Started server process \[(\d+)\]", program.said())
        os.kill(int(pid), signal.SIGKILL)
        program.wait_for("worker died")
        line = next(it for it in program.said().splitlines() if "worker died" in it)

    for answer in answers:
        assert counted in answer
        assert answer.count(b"\nprocess_cpu_seconds_total ") == 1
        assert b'python_gc_collections_total{generation="2"} ' in answer
    assert json.loads(line)["log.level"] == "error"
    assert json.loads(line)["labels"] == {"pid": int(pid), "exit_code": -9}


def test_a_stopping_server_is_not_ready_and_finishes_requests(
    tmp_path: Path,
) -> None:
    port = free_port()
    variables = {"APP_ENVIRONMENT": "staging", "APP_SHUTDOWN_DELAY_SECONDS": "1"}
    server = ["uvicorn", "--app-dir=.template/tests", "crashing:app", f"--port={port}"]
    command = [sys.executable, "-m", *server]
    with running(command, tmp_path / "output", variables) as program:
        program.wait_for("Uvicorn running on")
        with socket.create_connection(("127.0.0.1", port), timeout=60) as in_flight:
            in_flight.sendall(b"GET /stream?seconds=2 HTTP/1.1\r\nHost: test\r\n\r\n")
            begun = in_flight.recv(65536)
            program.process.terminate()
            program.wait_for("stopping: no longer ready")

            not_ready = get(port, "/readyz")
            alive = get(port, "/healthz")
            program.wait_for("Shutting down")
            while chunk := in_flight.recv(65536):
                begun += chunk
        program.process.wait(60)

    assert b"503 Service Unavailable" in not_ready
    assert b"200 OK" in alive
    assert b"ended" in begun
    assert "Traceback" not in program.said()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_metrics_may_have_a_port_of_their_own(tmp_path: Path, workers: str) -> None:
    own = free_port()
    options = ("--workers", workers)
    variables = {"APP_METRICS_PORT": str(own), "APP_ALLOWED_HOSTS": "api.example.com"}
    with serving(tmp_path / "output", *options, **variables) as (program, port):
        missing = get(port, "/metrics")
        exposed = get(own, "/metrics")
        other = [get(own, path) for path in ("/healthz", "/", "/nothing")]
        alive = get(port, "/healthz")
        program.process.terminate()
        # As without that port: uvicorn ends by the signal, its supervisor with 0.
        assert program.process.wait(60) == {"1": -signal.SIGTERM, "2": 0}[workers]

    assert b'{method="GET",route="unmatched",status="404"} 1.0' in exposed
    assert b" 200 OK" in alive
    for answer in (missing, *other):
        assert b" 404 Not Found" in answer
        assert b"application/problem+json" in answer


def test_a_connection_of_a_bound_socket_sends_an_answer_at_once() -> None:
    config = uvicorn.Config("my_app.main:app", port=free_port(), log_config=None)
    with bound(config) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()):
            connection, _ = listening.accept()
            with connection:
                on = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    assert on


def test_a_port_for_metrics_that_is_taken_stops_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        variables = {"APP_METRICS_PORT": str(taken.getsockname()[1])}
        command = [sys.executable, "-m", "my_app", "--port", str(free_port())]
        with running(command, tmp_path / "output", variables) as program:
            assert program.process.wait(60) != 0
        assert "Address already in use" in program.said()

    port = str(free_port())
    variables = {"APP_METRICS_PORT": port}
    command = [sys.executable, "-m", "my_app", "--port", port]
    with running(command, tmp_path / "output", variables) as program:
        assert program.process.wait(60) == 2
    assert "which is APP_PORT as well" in program.said()
