"""The image's health check, against good and bad servers."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Thread

import pytest

from my_app.core.platform.operations import healthcheck

type Answering = Callable[[bytes], None]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """Answer one connection with the given bytes."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        monkeypatch.setenv("APP_HOST", "127.0.0.1")
        monkeypatch.setenv("APP_PORT", str(listener.getsockname()[1]))

        def answer(response: bytes) -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(response)

        def start(response: bytes) -> None:
            thread = Thread(target=answer, args=(response,))
            thread.start()
            stack.callback(thread.join)

        yield start


def test_a_responding_service_is_healthy(answering: Answering) -> None:
    answering(b'HTTP/1.1 200 OK\r\n\r\n{"status":"ok"}')

    assert healthcheck.main() == 0


@pytest.mark.parametrize(
    ("response", "found"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "503 Service Unavailable"),
        (b"SSH-2.0-OpenSSH\r\n", "SSH-2.0-OpenSSH"),
        (b"", "no response"),
    ],
)
def test_any_other_response_is_reported(
    response: bytes,
    found: str,
    answering: Answering,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answering(response)

    assert healthcheck.main() == 1
    assert f"found {found}; expected 200" in capsys.readouterr().err.replace(
        "HTTP/1.1 ", ""
    )


def test_a_closed_port_is_unhealthy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    # Empty variables mean the default address.
    monkeypatch.setenv("APP_HOST", "")
    monkeypatch.setenv("APP_PORT", str(port))

    assert healthcheck.main() == 1
    assert f"127.0.0.1:{port}/healthz" in capsys.readouterr().err
