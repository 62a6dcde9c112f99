"""What an open page hears, also through a proxy that closes what is silent."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
import uvicorn
from fastapi import routing
from fastapi.sse import KEEPALIVE_COMMENT
from registries import free_port

from trunkline_desk import events, people
from trunkline_desk.claims import Person, Role
from visitors import Web

ANA = Person("ana", Role.DEPLOYER, "password")
SILENCE, LONGEST_PAUSE = 600, 15


@contextmanager
def served(web: Web) -> Iterator[None]:
    config = uvicorn.Config(
        web.app, port=int(web.desk.host.rpartition(":")[2]), log_level="error"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


@contextmanager
def opened(web: Web, **headers: str) -> Iterator[http.client.HTTPResponse]:
    """Open a stream as a browser does that has seen everything until now."""
    with web.store.writing() as connection:
        token = people.add_token(connection, "reader", Role.VIEWER)
        last = events.newest(connection)
    client = http.client.HTTPConnection(web.desk.host, timeout=30)
    allowed = {"Authorization": f"Bearer {token}"}
    while True:
        try:
            client.request("GET", f"/stream?after={last}", headers=allowed | headers)
            break
        except ConnectionRefusedError:
            client.close()
    answer = client.getresponse()
    try:
        assert answer.status == HTTPStatus.OK
        yield answer
    finally:
        client.close()


def happens(web: Web) -> str:
    """Let something change; return the id of that."""
    with web.store.writing() as connection:
        events.add(connection, "shop/staging", "look", ANA, "", at=web.now)
        return str(events.newest(connection))


def heard(answer: http.client.HTTPResponse) -> str:
    """Return the id of the next event."""
    for line in answer:
        if line.startswith(b"id: "):
            return line.decode().removeprefix("id: ").strip()
    raise AssertionError("the stream has ended")


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return Web(tmp_path, url=f"http://127.0.0.1:{free_port()}")


def test_after_ten_minutes_of_silence_a_stream_goes_on_from_the_last_event_id(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A proxy closes what is silent for a minute.
    assert routing._PING_INTERVAL <= LONGEST_PAUSE
    monkeypatch.setattr(routing, "_PING_INTERVAL", 0.005)
    with served(web):
        with opened(web) as answer:
            said = b""
            while said.count(KEEPALIVE_COMMENT) < SILENCE / LONGEST_PAUSE:
                said += answer.read1()
            assert b"id:" not in said
            seen = happens(web)
            assert heard(answer) == seen
        # It was cut; what happened meanwhile is told at once, and what it knows is not.
        missed = happens(web)
        headers = {"Last-Event-ID": seen}
        with opened(web, **headers) as answer:
            assert heard(answer) == missed
            newer = happens(web)
            assert heard(answer) == newer


@pytest.mark.parametrize("seen", ["9" * 5000, "-1", "1e3", "²", " "])
def test_an_event_id_that_is_none_counts_as_unknown(web: Web, seen: str) -> None:
    with served(web), opened(web, **{"Last-Event-ID": seen}) as answer:
        newer = happens(web)
        assert heard(answer) == newer
