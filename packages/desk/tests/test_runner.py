"""Two processes and a real engine: what is asked for is done once, or not at all."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from desks import DeskProcesses
from trunkline_desk import requests, snapshots, tables

pytestmark = pytest.mark.slow


def put(desk: DeskProcesses, ref: str, *, by: str = "put", **more: object) -> int:
    return desk.ask("staging", {"action": "put", "ref": ref, **more}, by=by).status


def test_a_branch_goes_on_and_comes_back(desk: DeskProcesses) -> None:
    assert put(desk, "feat/seats", why="demo") == 202
    assert desk.serves("feat/seats")["by"] == "put"
    assert desk.shop.get()["text"] == "feat/seats"
    answer = desk.ask("staging", {"action": "take back"})
    assert answer.status == 202, answer.data
    desk.serves("main")
    assert desk.shop.get()["text"] == "main"
    back, on, *_ = desk.ask("staging/history").json()
    assert (back["text"], back["state"]) == ("took staging back", "done")
    assert (on["text"], on["why"]) == ("put feat/seats on staging", "demo")


def test_another_is_refused_until_she_takes_over(desk: DeskProcesses) -> None:
    reserve = {"action": "reserve", "why": "demo for ACME"}
    assert desk.ask("staging", reserve).status == 202
    answer = desk.ask("staging", {"action": "put", "ref": "feat/seats"}, by="other")
    assert answer.status == 409
    assert "put has staging until" in answer.json()["detail"]
    assert "demo for ACME" in answer.json()["detail"]
    take = {"action": "take over", "why": "it is urgent"}
    assert desk.ask("staging", take, by="other").status == 202
    assert put(desk, "feat/seats", by="other") == 202
    assert desk.serves("feat/seats")["reservation"]["holder"] == "other"


def test_one_form_posted_often_is_one_request(desk: DeskProcesses) -> None:
    before = len(desk.shop.history())
    assert {put(desk, "feat/seats", key="k" * 32) for _ in range(5)} == {202}
    desk.serves("feat/seats")
    assert len(desk.shop.history()) == before + 1


@pytest.mark.parametrize("what", ["serve", "runner"])
def test_a_kill_loses_nothing(desk: DeskProcesses, what: str) -> None:
    with desk.shop.load() as answers:
        assert put(desk, "feat/seats") == 202
        desk.until(lambda: desk.status()["running"])
        desk.kill(what)
        desk.start(what)
        desk.serves("feat/seats")
    assert {"main", "feat/seats"} == set(answers)


def test_production_is_for_releasers_and_their_releases(desk: DeskProcesses) -> None:
    wish = {"action": "put", "ref": "v1.0.0", "typed": "production"}
    answer = desk.ask("production", wish)
    assert (answer.status, answer.json()["detail"]) == (
        403,
        "Only a releaser may change production.",
    )
    history = desk.ask("production/history").json()
    assert history[0]["text"].startswith("was refused: Only a releaser")
    branch = {"action": "put", "ref": "feat/seats", "typed": "production"}
    assert desk.ask("production", branch, by="release").status == 409


def test_a_clone_that_is_away_is_said_and_comes_back(desk: DeskProcesses) -> None:
    away = desk.shop.root.with_name("away")
    desk.shop.root.rename(away)
    desk.until(lambda: desk.status()["health"] == "unseen")
    away.rename(desk.shop.root)
    desk.serves("main")


def test_in_its_window_a_take_back_is_a_rename_with_the_variables_of_then(
    desk: DeskProcesses,
) -> None:
    pids = desk.shop.folder.glob("instances/*/pid")
    main = {one: one.read_text() for one in pids}
    desk.shop.set(window=300)
    desk.shop.write("staging.env", "GREETING=new\nENABLE_SEATS=false\n")
    assert put(desk, "feat/seats") == 202
    # What serves is seen while the deploy goes on, and so is what it goes back to.
    desk.until(lambda: desk.status()["ref"] == "feat/seats")
    assert desk.status()["running"]["kind"] == "put"
    assert desk.shop.get() == {"text": "feat/seats", "greeting": "new"}
    assert desk.ask("staging", {"action": "take back"}).status == 202
    desk.serves("main")
    assert desk.shop.get() == {"text": "main", "greeting": "hello"}
    # Nothing was started for it: the old one had been standing all the time.
    assert {one.read_text() for one in main} == set(main.values())
    desk.shop.set(window=1)
    desk.shop.write("staging.env", "GREETING=hello\nENABLE_SEATS=false\n")


def test_what_another_clone_put_on_is_accepted(
    desk: DeskProcesses, tmp_path: Path
) -> None:
    journal = desk.shop.folder / "journal.db"
    shutil.copy(journal, tmp_path / "before.db")
    words = ("deploy", "feat/seats", "--to", "staging")
    # It does not pass through this desk's rule.
    desk.shop.trunkline(*words, TRUNKLINE_BY="another").required()
    shutil.move(tmp_path / "before.db", journal)
    commit = desk.shop.git("rev-parse", "feat/seats")
    desk.until(lambda: desk.status()["commit"] == commit)
    assert desk.ask("staging", {"action": "accept"}).status == 202
    desk.serves(commit[:12])
    newest = desk.ask("staging/history").json()[0]
    assert (newest["text"], newest["state"]) == (
        "accepted what was put on staging outside",
        "done",
    )
    assert desk.ask("staging", {"action": "take back"}).status == 202
    desk.serves("main")


def test_what_is_asked_for_does_not_wait_for_a_remote(
    desk: DeskProcesses, tmp_path: Path
) -> None:
    os.mkfifo(silent := tmp_path / "remote")
    desk.shop.git("config", "protocol.ext.allow", "always")
    desk.shop.git("remote", "add", "origin", f"ext::cat {silent}")
    with desk.store.writing() as connection:
        snapshots.look_again(connection, "shop/staging", snapshots.CANDIDATES)
    # It is read once the runner asks the remote, which says nothing until it is closed.
    with silent.open("wb"):
        assert put(desk, "feat/seats") == 202
        desk.serves("feat/seats")
    desk.shop.git("remote", "remove", "origin")


def begun_by(desk: DeskProcesses) -> str:
    """Return the runner that has started a command to take back."""
    for name, one in desk.running.items():
        for thread in Path(f"/proc/{one.pid}/task").glob("*/children"):
            # Another child is a git that looks, and may be gone again.
            with suppress(OSError):
                for child in thread.read_text().split():
                    if b"rollback" in Path(f"/proc/{child}/cmdline").read_bytes():
                        return name
    return ""


def told(desk: DeskProcesses) -> list[str]:
    """Return what runners said of the newest request: how it began and ended."""
    these = tables.event.c.text.in_(("begins", "done", "failed"))
    with desk.store.reading() as connection:
        newest = requests.newest(connection, "shop/staging")
        of = select(tables.event.c.text).where(tables.event.c.request == newest, these)
        return [*connection.scalars(of.order_by(tables.event.c.id))]


def test_of_two_runners_one_carries_out_a_request_also_if_one_is_killed(
    desk: DeskProcesses,
) -> None:
    before = len(desk.shop.history())
    assert put(desk, "feat/seats") == 202
    desk.until(lambda: desk.status()["running"])
    # It finds what has begun a moment ago and holds no lock yet.
    desk.start("runner", "second")
    desk.serves("feat/seats")
    assert told(desk) == ["begins", "done"]
    assert desk.ask("staging", {"action": "take back"}).status == 202
    # Both wait for it; what the one had started goes on without it.
    desk.kill(desk.until(lambda: begun_by(desk)))
    desk.serves("main")
    assert told(desk) == ["begins", "done"]
    assert len(desk.shop.history()) == before + 2
    (left,) = desk.running.keys() - {"serve"}
    desk.running["runner"] = desk.running.pop(left)


def test_a_flag_is_switched_on_what_serves_though_its_branch_moved(
    desk: DeskProcesses,
) -> None:
    assert put(desk, "feat/seats") == 202
    serving = desk.serves("feat/seats")["commit"]
    desk.shop.write("more", "")
    assert desk.shop.branch("feat/seats") != serving
    desk.shop.git("checkout", "--quiet", "main")
    flag = {"action": "flag", "flag": "ENABLE_SEATS", "value": True}
    assert desk.ask("staging", flag).status == 202
    desk.until(lambda: desk.shop.get("/version")["flags"] == {"ENABLE_SEATS": True})
    assert desk.serves("feat/seats")["commit"] == serving
