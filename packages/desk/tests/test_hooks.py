"""What others are told arrives once, signed, and never in the way of an act."""

import hashlib
import hmac
import json
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from trunkline.deploy.operation import Candidate, Operation, Outcome

from trunkline_desk import events, hooks, past, requests, snapshots, tables
from trunkline_desk.claims import Person, Role
from trunkline_desk.requests import Order
from trunkline_desk.services import Desk, Hook, Place
from trunkline_desk.store import Store
from visitors import Web

ANA = Person("ana", Role.DEPLOYER, "password")
PLACE = Place("shop", "staging", Path(), "http://127.0.0.1:1", accepts_any=True)


class Receiver:
    """A server that keeps what it was sent, after failing as often as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.failures = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.failures -= 1
                answer = b""
                if outer.failures < 0:
                    outer.got.append((dict(self.headers), body))
                    answer = outer.answer(self.command, self.path, body)
                self.send_response(200 if outer.failures < 0 else 503)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        """Answer with nothing."""
        return b""


@contextmanager
def serving[R: Receiver](one: R) -> Iterator[R]:
    thread = threading.Thread(target=one.server.serve_forever)
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()
    one.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving(Receiver()) as one:
        yield one


@pytest.fixture
def github() -> Iterator["GitHub"]:
    with serving(GitHub()) as one:
        yield one


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = Store(f"sqlite:///{tmp_path / 'desk.db'}")
    yield one
    one.close()


class GitHub(Receiver):
    """The part of GitHub's API that finds and makes Deployments and their statuses."""

    def __init__(self) -> None:
        super().__init__()
        self.deployments: list[dict[str, Any]] = []
        self.statuses: list[tuple[int, dict[str, Any]]] = []

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        asked = urlsplit(path)
        assert asked.path.startswith("/hook/deployments")
        if method == "GET":
            wanted = dict(parse_qsl(asked.query)).items()
            made = [n for n, o in enumerate(self.deployments) if wanted <= o.items()]
            return json.dumps([{"id": number} for number in made]).encode()
        if asked.path == "/hook/deployments":
            self.deployments.append(json.loads(body))
            return json.dumps({"id": len(self.deployments) - 1}).encode()
        self.statuses.append((int(asked.path.split("/")[3]), json.loads(body)))
        return b"{}"


def told(store: Store, text: str = "put feat/<b> on staging") -> None:
    with store.writing() as connection:
        events.add(
            *(connection, PLACE.name, "act", ANA, text), at=100.0, why="demo & more"
        )


def desk(**hook: Any) -> Desk:  # noqa: ANN401 - any key
    return Desk(services={}, hooks=[Hook(**hook)])


def send(store: Store, desk: Desk, now: float) -> None:
    hooks.send(store, desk, [PLACE], now)


def test_a_message_is_signed_as_it_is_sent(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "s3cret")
    told(store)
    settings = desk(url=receiver.url, secret="HOOK_SECRET")  # noqa: S106 - a name
    send(store, settings, 100.0)
    send(store, settings, 1000.0)
    ((headers, body),) = receiver.got
    expected = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["X-Trunkline-Signature"] == f"sha256={expected}"
    assert json.loads(body)["text"] == "put feat/<b> on staging"


class Talker(GitHub):
    """What answers with a status and too much, or with what GitHub would not."""

    def __init__(self, said: bytes) -> None:
        super().__init__()
        self.said = said

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        return self.said


def test_of_a_hook_the_status_counts_and_no_more_is_read(store: Store) -> None:
    told(store)
    with serving(Talker(b"a" * 100_000_000)) as one:
        tracemalloc.start()
        send(store, desk(url=one.url), 100.0)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 10_000_000
    with store.reading() as connection:
        left = connection.execute(tables.delivery.select()).all()
    assert [row.hook for row in left] == [""]


def test_slack_reads_no_markup_of_a_branch(store: Store, receiver: Receiver) -> None:
    told(store)
    send(store, desk(url=receiver.url, kind="slack"), 100.0)
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
    send(store, settings, 100.0)
    send(store, settings, 101.0)
    assert (receiver.got, receiver.failures) == ([], 1)
    send(store, settings, 200.0)
    send(store, settings, 300.0)
    assert len(receiver.got) == 1


def test_of_several_runners_one_sends_a_message(
    store: Store, receiver: Receiver
) -> None:
    told(store)
    settings = desk(url=receiver.url)
    with ThreadPoolExecutor(8) as pool:
        [*pool.map(lambda _: send(store, settings, 100.0), range(8))]
    assert len(receiver.got) == 1


def test_a_receiver_that_is_gone_holds_nothing_up(store: Store) -> None:
    told(store)
    settings = desk(url="http://127.0.0.1:1/hook")

    def tries() -> list[int]:
        with store.reading() as connection:
            rows = connection.execute(hooks.DELIVERY.select()).all()
        return [one.tries for one in rows if one.hook]

    for number in range(1, hooks.TRIES):
        send(store, settings, number * 5_000.0)
        assert tries() == [number]
    send(store, settings, 100_000.0)
    assert tries() == []


def test_who_had_it_is_told_who_took_it_over_and_why(
    tmp_path: Path, receiver: Receiver
) -> None:
    web = Web(tmp_path)
    web.visitor("ana").act("reserve", why="demo for ACME")
    web.visitor("ben").act("take over", why="she is away")
    settings = desk(url=receiver.url)
    hooks.send(web.store, settings, web.desk.places(), web.now)
    message = json.loads(receiver.got[-1][1])
    assert (message["person"], message["why"]) == ("ben", "she is away")
    assert message["text"].startswith("took staging over from ana until")


def asked(store: Store, order: Order, why: str = "demo") -> int:
    """Ask for something, as a page does."""
    with store.writing() as connection:
        key = f"{order}"[:64]
        requests.submit(connection, key, PLACE.name, ANA, order, why=why, at=100.0)
        number = requests.newest(connection, PLACE.name)
        what = (connection, PLACE.name, "act", ANA, "put it on")
        events.add(*what, at=100.0, request=number)
        return number


def ended(store: Store, number: int, state: str, said: str) -> None:
    with store.writing() as connection:
        (one,) = requests.find(connection, id=number)
        requests.end(connection, one, state, said, at=130.0)


@pytest.mark.parametrize("said", [b'["a"]', b'{"a": 1}', b"7", b'[{"id": 1', b"[[]]"])
def test_what_is_not_github_s_answer_is_tried_again_later(
    store: Store, said: bytes
) -> None:
    asked(store, Order("put", "main", "c" * 40))
    with serving(Talker(said)) as one:
        send(store, desk(url=one.url, kind="github"), 100.0)
    with store.reading() as connection:
        left = connection.execute(tables.delivery.select()).all()
    assert {row.tries for row in left if row.hook} == {1}


def test_github_shows_a_deployment_and_how_it_goes(
    store: Store, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "t0ken")
    hook = Hook(url=github.url, kind="github", secret="TOKEN")  # noqa: S106 - a name
    settings = Desk(services={}, hooks=[hook], url="https://desk.example")
    number = asked(store, Order("put", "feat/seats", "c" * 40, "Sell seats"))
    send(store, settings, 100.0)
    ended(store, number, "failed", "start\ncannot start: no such thing\n")
    send(store, settings, 130.0)
    (deployment,) = github.deployments
    assert deployment == {
        "ref": "c" * 40,
        "task": f"deploy:{number}-100",
        "auto_merge": False,
        "required_contexts": [],
        "environment": "shop/staging",
        "production_environment": False,
        "description": "ana: demo",
    }
    assert [(n, one["state"]) for n, one in github.statuses] == [
        *((0, "queued"), (0, "failure"))
    ]
    assert github.statuses[-1][1] == {
        "state": "failure",
        "environment": "shop/staging",
        "environment_url": PLACE.url,
        "log_url": f"https://desk.example/shop/staging/requests/{number}",
        "description": "cannot start: no such thing",
    }
    headers = github.got[-1][0]
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["Accept"] == "application/vnd.github+json"
    assert "User-Agent" in headers  # without one GitHub refuses


def test_two_services_of_a_repository_have_environments_of_their_own(
    store: Store, github: GitHub
) -> None:
    settings = desk(url=github.url, kind="github")
    other = replace(PLACE, service="cafe")
    with store.writing() as connection:
        for place in (PLACE, other):
            order = Order("put", "main", "d" * 40)
            requests.submit(
                *(connection, place.name, place.name, ANA, order), why="", at=100.0
            )
            (one,) = requests.find(connection, place=place.name)
            requests.begin(connection, one, 100.0)
    hooks.send(store, settings, [PLACE, other], 100.0)
    named = [one["environment"] for one in github.deployments]
    assert named == ["shop/staging", "cafe/staging"]
    assert [one["environment"] for _, one in github.statuses] == named


def test_what_was_replaced_or_refused_is_told_to_github_alone(
    store: Store, github: GitHub, receiver: Receiver
) -> None:
    for ref in ("main", "feat/seats"):
        asked(store, Order("put", ref, "d" * 40))
    settings = Desk(
        services={},
        hooks=[Hook(url=receiver.url), Hook(url=github.url, kind="github")],
    )
    with store.writing() as connection:
        what = (connection, PLACE.name, "denied", ANA, "was refused: no")
        events.add(*what, at=100.0)
    send(store, settings, 100.0)
    assert [json.loads(body)["text"] for _, body in receiver.got] == ["put it on"] * 2
    assert github.statuses[0][1]["state"] == "inactive"


def test_what_reaches_github_late_tells_how_it_is_then(
    store: Store, github: GitHub
) -> None:
    settings = desk(url=github.url, kind="github")
    number = asked(store, Order("put", "main", "d" * 40))
    github.failures = 1
    send(store, settings, 100.0)
    ended(store, number, "done", "")
    send(store, settings, 130.0)
    send(store, settings, 1000.0)
    # However often it is sent, there is one Deployment, and its last status is right.
    assert len(github.deployments) == 1
    assert {one["state"] for _, one in github.statuses} == {"success"}


def test_github_is_told_what_was_taken_back_to_and_no_claims(
    store: Store, github: GitHub
) -> None:
    settings = desk(url=github.url, kind="github")
    told(store, "reserved staging")
    number = asked(store, Order("take back"))
    send(store, settings, 100.0)
    assert github.got == []
    with store.writing() as connection:
        live = {"ref": "main", "commit": "e" * 40}
        snapshots.write(connection, PLACE.name, snapshots.LIVE, live, at=130.0)
    ended(store, number, "done", "")
    send(store, settings, 130.0)
    assert [one["ref"] for one in github.deployments] == ["e" * 40]
    assert [one["state"] for _, one in github.statuses] == ["success"]


@pytest.mark.parametrize("kind", ["generic", "github"])
def test_deploys_from_before_the_desk_are_no_news(
    store: Store, receiver: Receiver, kind: str
) -> None:
    old = Operation("op", Candidate("main", "e" * 40), "ana", 1.0, took_back=False)
    ended = replace(old, ending=Outcome.LIVE, seconds=3.0)
    with store.writing() as connection:
        past.recall(connection, PLACE, [ended])
        (imported,) = requests.find(connection, place=PLACE.name)
    assert (imported.state, imported.commit) == ("done", "e" * 40)
    told(store)
    send(store, desk(url=receiver.url, kind=kind), 100.0)
    assert len(receiver.got) == (kind == "generic")


def test_a_hook_of_a_service_hears_of_it_alone(
    store: Store, receiver: Receiver
) -> None:
    told(store)
    send(store, desk(url=receiver.url, service="another"), 100.0)
    assert receiver.got == []
    send(store, desk(url=receiver.url, service="shop"), 100.0)
    assert receiver.got == []
    told(store)
    send(store, desk(url=receiver.url, service="shop"), 100.0)
    assert len(receiver.got) == 1
