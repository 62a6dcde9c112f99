"""What others are told arrives once, signed, and never in the way of an act."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from trunkline_desk import outbox
from trunkline_desk.claims import Person, Role
from trunkline_desk.services import Desk, Place
from trunkline_desk.store import Store

ANA = Person("ana", Role.DEPLOYER, "password")
PLACE = Place(
    "shop", "staging", Path(), "http://127.0.0.1:1", accepts_any=True, window=1
)


class Receiver:
    """A server that keeps what it was sent, after failing as often as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.failures = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.failures -= 1
                if outer.failures < 0:
                    outer.got.append((dict(self.headers), body))
                self.send_response(204 if outer.failures < 0 else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    thread = threading.Thread(target=one.server.serve_forever)
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()
    one.server.server_close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = Store(f"sqlite:///{tmp_path / 'desk.db'}")
    yield one
    one.close()


def told(store: Store, text: str = "put feat/<b> on staging") -> None:
    with store.writing() as connection:
        outbox.tell(connection, PLACE, ANA, text, "demo & more", at=100.0)


def desk(**hook: str) -> Desk:
    hooks: Any = [hook]
    return Desk(services={}, hooks=hooks)


def test_a_message_is_signed_as_it_is_sent(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "s3cret")
    told(store)
    settings = desk(url=receiver.url, secret="HOOK_SECRET")  # noqa: S106 - a name
    outbox.send(store, settings, 100.0)
    outbox.send(store, settings, 1000.0)
    ((headers, body),) = receiver.got
    expected = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["X-Trunkline-Signature"] == f"sha256={expected}"
    assert json.loads(body)["text"] == "put feat/<b> on staging"


def test_slack_reads_no_markup_of_a_branch(store: Store, receiver: Receiver) -> None:
    told(store)
    outbox.send(store, desk(url=receiver.url, kind="slack"), 100.0)
    ((_, body),) = receiver.got
    assert json.loads(body) == {
        "text": "*shop*: ana put feat/&lt;b&gt; on staging — demo &amp; more"
    }


def test_what_did_not_arrive_is_sent_again_later(
    store: Store, receiver: Receiver
) -> None:
    receiver.failures = 2
    told(store)
    settings = desk(url=receiver.url)
    outbox.send(store, settings, 100.0)
    outbox.send(store, settings, 101.0)
    assert (receiver.got, receiver.failures) == ([], 1)
    outbox.send(store, settings, 200.0)
    outbox.send(store, settings, 300.0)
    assert len(receiver.got) == 1


def test_a_receiver_that_is_gone_holds_nothing_up(store: Store) -> None:
    told(store)
    settings = desk(url="http://127.0.0.1:1/hook")
    for at in range(100, 100_000, 5_000):
        outbox.send(store, settings, float(at))
    with store.reading() as connection:
        rows = connection.execute(outbox.OUTBOX.select()).all()
    assert [(one.tries, one.done) for one in rows if one.hook] == [(outbox.TRIES, True)]
