"""The service as a process: options, bad input, many workers, and its end."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.servers import ROOT, Program, ask, clean_environment, get, serving

pytestmark = pytest.mark.slow

QUOTE = b"POST /billing/quotes HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, int]]:
    output = tmp_path_factory.mktemp("server") / "output"
    with serving(output, APP_REQUEST_TIMEOUT_SECONDS="1") as started:
        yield started


def body(data: bytes) -> bytes:
    return f"Content-Length: {len(data)}\r\n\r\n".encode() + data


BAD_INPUT = {
    "malformed JSON": (400, QUOTE + JSON + body(b"{")),
    "invalid UTF-8": (400, QUOTE + JSON + body(b'{"currency": "\xff"}')),
    "deeply nested JSON": (400, QUOTE + JSON + body(b"[" * 100_000)),
    "wrong content type": (415, QUOTE + b"Content-Type: text/xml\r\n" + body(b"<a/>")),
    "unknown currency": (422, QUOTE + JSON + body(b'{"seats":1,"currency":"X"}')),
    "negative seats": (422, QUOTE + JSON + body(b'{"seats":-1,"currency":"EUR"}')),
    "too many seats": (
        422,
        QUOTE + JSON + body(b'{"seats":1000000000000,"currency":"EUR"}'),
    ),
    "a discount code of 10 kB": (
        422,
        QUOTE
        + JSON
        + body(b'{"seats":1,"currency":"EUR","discount_code":"%s"}' % (b"A" * 10_000)),
    ),
    "a header with a newline": (
        400,
        b"GET /healthz HTTP/1.1\r\nHost: test\r\nX-A: one\ntwo\r\n\r\n",
    ),
    "a header with a carriage return": (
        400,
        b"GET /healthz HTTP/1.1\r\nHost: test\r\nX-A: one\rtwo\r\n\r\n",
    ),
    "an address of raw bytes": (400, b"GET /\xff\xfe HTTP/1.1\r\nHost: test\r\n\r\n"),
    "no HTTP": (400, b"\x16\x03\x01 hello\r\n\r\n"),
    "two lengths": (
        400,
        QUOTE + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    ),
    "a request id of 5 kB": (
        400,
        b"GET /healthz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
        b"X-Request-ID: %s\r\n\r\n" % (b"x" * 5_000),
    ),
    "a request id with control characters": (
        400,
        b"GET /healthz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
        b"X-Request-ID: a\x01\x7fb\r\n\r\n",
    ),
}


def problem_in(answer: bytes) -> dict[str, object]:
    head, _, content = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    document: dict[str, object] = json.loads(content)
    assert f"x-request-id: {document['request_id']}".encode() in head.lower()
    return document


def assert_alive_and_logged(program: Program, port: int, request_id: object) -> None:
    assert b"200 OK" in get(port, "/healthz")
    program.wait_for(f'"http.request.id": ?"{request_id}"')
    assert "Traceback" not in program.said()


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_a_problem_and_a_log_line(
    server: tuple[Program, int], name: str
) -> None:
    program, port = server
    status, request = BAD_INPUT[name]

    document = problem_in(ask(port, request))

    assert document["status"] == status
    assert_alive_and_logged(program, port, document["request_id"])


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_100_mb_is_413(server: tuple[Program, int], *, chunked: bool) -> None:
    program, port = server
    size = 100 * 1024 * 1024
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
    piece = b"x" * 65536

    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(QUOTE + JSON + framing + b"\r\n\r\n")

        def send() -> None:
            head, tail = (b"10000\r\n", b"\r\n") if chunked else (b"", b"")
            # The server may close without having read it all.
            with suppress(OSError):
                for _ in range(size // len(piece)):
                    connection.sendall(head + piece + tail)

        sender = threading.Thread(target=send)
        sender.start()
        answer = connection.recv(65536)
        while not answer.endswith(b"}"):
            answer += connection.recv(65536)
        sender.join()

    document = problem_in(answer)
    assert document["status"] == 413
    assert_alive_and_logged(program, port, document["request_id"])


def test_a_slow_body_is_408_and_ends_the_connection(
    server: tuple[Program, int],
) -> None:
    program, port = server

    answer = ask(port, QUOTE + JSON + b"Content-Length: 100\r\n\r\n{")

    document = problem_in(answer)
    assert document["status"] == 408
    assert b"connection: close" in answer.lower()
    assert_alive_and_logged(program, port, document["request_id"])


def test_an_unreadable_environment_is_one_readable_block() -> None:
    variables = {
        "APP_PORT": "high",
        "APP_ENVIRONMENT": "prod",
        "ENABLE_NEW_BILING": "1",
    }

    for command in (["-m", "my_app"], ["-c", "import my_app.main"]):
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
        for part in ("'high'", "'prod'", "ENABLE_NEW_BILING", "ENABLE_NEW_BILLING"):
            assert part in done.stderr


def test_options_win_over_the_environment_and_are_checked_like_it() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("my-app"), "--port", "99999"],
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


def test_any_worker_tells_the_metrics_of_all(tmp_path: Path) -> None:
    with serving(tmp_path / "output", "--workers", "2") as (program, port):
        program.wait_for(r"(?s)startup complete.*startup complete")
        for _ in range(40):
            get(port, "/healthz")
        counted = b'{method="GET",route="/healthz",status="200"} 40.0'

        answers = [get(port, "/metrics") for _ in range(10)]

    assert all(counted in answer for answer in answers)


def test_a_stopping_server_is_not_ready_and_finishes_what_it_began(
    tmp_path: Path,
) -> None:
    delay = {"APP_SHUTDOWN_DELAY_SECONDS": "1"}
    with serving(tmp_path / "output", **delay) as (program, port):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as in_flight:
            in_flight.sendall(QUOTE + JSON + b"Content-Length: 28\r\n\r\n")
            time.sleep(0.1)
            program.process.terminate()
            program.wait_for("stopping: not ready any more")

            not_ready = get(port, "/readyz")
            alive = get(port, "/healthz")
            program.wait_for("Shutting down")
            in_flight.sendall(b'{"seats":1,"currency":"EUR"}')
            finished = in_flight.recv(65536)
        program.process.wait(60)

    assert b"503 Service Unavailable" in not_ready
    assert b"200 OK" in alive
    assert b"200 OK" in finished
    assert "Traceback" not in program.said()
