"""The image's health check, against good and bad servers."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from my_app.core.platform.operations import healthcheck


def answer(listener: socket.socket, response: bytes) -> None:
    """Answer one connection."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(response)


@pytest.mark.parametrize(
    ("response", "code", "said"),
    [
        (b'HTTP/1.1 200 OK\r\n\r\n{"status":"ok"}', 0, ""),
        (b"HTTP/1.1 503 Gone\r\n\r\n", 1, "found HTTP/1.1 503 Gone; expected 200"),
        (b"SSH-2.0-OpenSSH\r\n", 1, "found SSH-2.0-OpenSSH; expected 200"),
        (b"", 1, "found no response; expected 200"),
    ],
)
def test_a_service_is_healthy_if_it_answers_200(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    response: bytes,
    code: int,
    said: str,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as it:
        monkeypatch.setenv("APP_HOST", "127.0.0.1")
        monkeypatch.setenv("APP_PORT", str(listener.getsockname()[1]))
        it.submit(answer, listener, response)
        found = healthcheck.main()

    assert found == code
    assert said in capsys.readouterr().err


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
