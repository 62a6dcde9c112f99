"""Bad input to a running server: a problem, a log line, and it stays alive.

The platform's own tests cover bodies and values; these bytes only a server sees.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asking import ask, get
from my_app.core.platform.http.problems import pointer

from tests.servers import Program, serving

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
    "negative seats": (422, QUOTE + JSON + body(b'{"seats":-1,"currency":"EUR"}')),
    "a header with a newline": (
        400,
        b"GET /healthz HTTP/1.1\r\nHost: test\r\nX-A: one\ntwo\r\n\r\n",
    ),
    "a header with a carriage return": (
        400,
        b"GET /healthz HTTP/1.1\r\nHost: test\r\nX-A: one\rtwo\r\n\r\n",
    ),
    "a URL of raw bytes": (400, b"GET /\xff\xfe HTTP/1.1\r\nHost: test\r\n\r\n"),
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
            # The server may close before reading everything.
            with suppress(OSError):
                for _ in range(size // len(piece)):
                    connection.sendall(head + piece + tail)

        sender = threading.Thread(target=send)
        sender.start()
        answer = connection.recv(65536)
        while not answer.endswith(b"}") and (chunk := connection.recv(65536)):
            answer += chunk
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


@given(st.lists(st.text("/~01ü") | st.integers()))
def test_a_pointer_has_one_part_per_step(location: list[str | int]) -> None:
    written = pointer(location)
    read = [
        part.replace("~1", "/").replace("~0", "~") for part in written.split("/")[1:]
    ]

    assert read == [str(part)[:64] for part in location]
