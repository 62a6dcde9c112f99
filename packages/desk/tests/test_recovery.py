"""What the runner does when its store, its child or another runner fails it."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row
from trunkline.deploy.lock import held
from trunkline.process import run

from trunkline_desk import requests, snapshots
from trunkline_desk.claims import Person, Role
from trunkline_desk.execution import arrived, lock_file
from trunkline_desk.requests import Order
from trunkline_desk.runner import ELSEWHERE, Runner
from trunkline_desk.store import Store
from visitors import Web

ANA = Person("ana", Role.DEPLOYER, "password")


@pytest.fixture
def web(tmp_path: Path) -> Web:
    """Make a desk whose clone has no commit: what it carries out fails soon."""
    found = Web(tmp_path)
    run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return found


class Shared(Store):
    """A store to which somebody else writes after this runner has read a request."""

    def __init__(self, address: str, meanwhile: Callable[[], None]) -> None:
        super().__init__(address)
        self.meanwhile = meanwhile

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with super().reading() as connection:
            found = requests.find(connection, place="shop/staging", state="waiting")
            yield connection
        if found:
            self.meanwhile()


@contextmanager
def working(runner: Runner) -> Iterator[None]:
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        yield
    finally:
        runner.over.set()
        thread.join()


def until(look: Callable[[], object], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end
        time.sleep(0.05)


def execute(web: Web, statement: str) -> None:
    with web.store.writing() as connection:
        connection.exec_driver_sql(statement)


def put(web: Web, *, kind: str = "put") -> None:
    """Ask as the page does, whatever the runner has found there."""
    order = Order(kind, "feat/seats", "c" * 40, "Sell seats")
    what = (secrets.token_hex(16), "shop/staging", ANA, order)
    with web.store.writing() as connection:
        requests.submit(connection, *what, why="", at=web.now)


def ended(web: Web) -> list[Row[Any]]:
    return [row for row in web.rows("request") if row.state == "failed"]


def test_a_moment_without_the_store_at_the_end_stops_nothing_that_waits(
    web: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(
        web,
        "CREATE TRIGGER away BEFORE UPDATE ON request WHEN NEW.state = 'failed' "
        "BEGIN SELECT RAISE(ABORT, 'the store is away'); END",
    )
    put(web)
    with working(Runner(web.store, web.desk, lambda: web.now)):
        until(lambda: "the store is away" in capsys.readouterr().err)
        execute(web, "DROP TRIGGER away")
        until(lambda: len(ended(web)) == 1)
        put(web)
        until(lambda: len(ended(web)) == 2)


def test_without_the_store_for_its_steps_a_command_still_says_why_it_failed(
    web: Web,
) -> None:
    execute(
        web,
        "CREATE TRIGGER away BEFORE INSERT ON event WHEN NEW.kind = 'step' "
        "AND NEW.text <> 'begins' BEGIN SELECT RAISE(ABORT, 'away'); END",
    )
    put(web)
    with working(Runner(web.store, web.desk, lambda: web.now)):
        until(lambda: ended(web))
    assert ended(web)[0].said.startswith("trunkline: `feat/seats` is no branch")


@pytest.mark.parametrize("state", ["running", "done", "replaced"])
@pytest.mark.parametrize("kind", ["put", "take back"])
def test_what_another_runner_began_or_a_newer_one_replaced_is_left_alone(
    web: Web, kind: str, state: str
) -> None:
    put(web, kind=kind)

    def change() -> None:
        execute(web, f"UPDATE request SET state = '{state}'")  # noqa: S608 - ours

    store = Shared(web.desk.database, change)
    before = len(web.rows("event"))
    runner = Runner(store, web.desk, lambda: web.now)
    with working(runner):
        until(lambda: web.rows("request")[0].state != "waiting")
        time.sleep(0.5)
    store.close()
    done = {one.kind for one in web.rows("event")[before:]} & {"begin", "end"}
    assert done == set()
    assert [one.state for one in web.rows("request")] == [state]


def begin(web: Web, kind: str = "put", *, key: str = "") -> Row[Any]:
    """Let a runner begin what a page asked for, and be killed."""
    put(web, kind=kind)
    *_, one = web.rows("request")
    lock_file(web.desk.places()[0], kind).write_text(key or one.key)
    with web.store.writing() as connection:
        requests.begin(connection, one, web.now)
    return web.rows("request")[-1]


def test_what_a_runner_has_begun_is_its_own_while_it_holds_its_lock(web: Web) -> None:
    one = begin(web)
    with working(Runner(web.store, web.desk, lambda: web.now)):
        with held(lock_file(web.desk.places()[0], one.kind), "", wait=True):
            time.sleep(1)
            assert ended(web) == []
        until(lambda: ended(web))
    # It comes back, too late.
    with web.store.writing() as connection:
        requests.end(connection, one, "done", "", at=web.now)
    assert len(ended(web)) == 1


def test_what_another_clone_has_begun_is_its_own_until_somebody_stops_it(
    web: Web,
) -> None:
    one = begin(web, "take back", key="of another")
    ana = web.visitor("ana")
    with working(Runner(web.store, web.desk, lambda: web.now)):
        until(lambda: ELSEWHERE in ana.page())
        until(lambda: ">Stop</button>" in ana.page())
        time.sleep(1)
        assert ended(web) == []
        with web.store.writing() as connection:
            requests.stop(connection, one.place)
        until(lambda: ended(web))


def test_a_take_back_waits_until_it_is_known_how_another_ended(web: Web) -> None:
    begin(web, "take back")
    put(web, kind="take back")
    with working(Runner(web.store, web.desk, lambda: web.now)):
        until(lambda: len(ended(web)) == 2)
    first, second = ended(web)
    assert first.said.startswith("Nobody saw how it ended")
    assert first.ended <= second.began


def test_what_cannot_be_asked_is_waited_for(web: Web) -> None:
    begin(web)
    root = Path(web.desk.services["shop"])
    (root / ".git").rename(root / "away")
    with working(Runner(web.store, web.desk, lambda: web.now)):
        time.sleep(1)
        assert ended(web) == []
        (root / "away").rename(root / ".git")
        until(lambda: ended(web))
    assert ended(web)[0].said == "Nobody saw how it ended; staging runs nothing"


@pytest.mark.parametrize(
    ("kind", "more", "done"),
    [
        ("put", {}, True),
        ("put", {"since": "2027-01-15T07:59:59Z"}, False),
        ("put", {"since": None}, False),
        ("put", {"unfinished": "unfinished: main, begun by ana"}, False),
        ("put", {"commit": "d" * 40}, False),
        ("flag", {"since": "2027-01-15T07:59:59Z"}, False),
        # By rename the old deploy serves again.
        ("take back", {"since": "2027-01-15T07:00:00Z"}, True),
        ("accept", {"since": "2027-01-15T07:00:00Z"}, True),
        ("accept", {"recorded": {"ref": "main", "commit": "d" * 40}}, False),
        ("accept", {"recorded": None}, False),
    ],
)
def test_only_what_is_there_by_a_request_ends_it_well(
    web: Web, kind: str, more: dict[str, Any], done: bool
) -> None:
    live = {"commit": "c" * 40, "unfinished": None, "since": "2027-01-15T08:00:00Z"}
    live |= {"recorded": {"ref": "feat/seats", "commit": "c" * 40}}
    web.look(**live | more)
    one = begin(web, kind)
    with web.store.reading() as connection:
        assert arrived(one, snapshots.live(connection, one.place).document) is done
