"""Bad input to the service as it is served: a problem, a log line, and it lives on."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.servers import Program, ask, get, serving

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
