"""What the runner sees reaches the store, whoever asks for what meanwhile."""

import re
from pathlib import Path
from typing import Any

import pytest
from trunkline import process
from trunkline.deploy import listing

from trunkline_desk import observer, snapshots
from trunkline_desk.hooks import wanted
from trunkline_desk.observer import Observer
from trunkline_desk.services import Hook, Place
from visitors import Web, candidate


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return Web(tmp_path)


def observing(web: Web) -> tuple[Observer, Place]:
    places = web.desk.places()
    return Observer(web.store, places, lambda: web.now), places[0]


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=ana", "-c", "user.email=ana@example.com"]
    return process.run(["git", *who, *words], cwd=folder, check=True).text


@pytest.fixture
def remote(web: Web, tmp_path: Path) -> Path:
    """A remote with `main` and `feat/seats`, of which staging's folder is a clone."""
    there = tmp_path / "remote"
    there.mkdir()
    git(there, "init", "--quiet", "--initial-branch=main")
    git(there, "commit", "--quiet", "--allow-empty", "--message", "feat: one")
    git(there, "branch", "feat/seats")
    here = web.desk.places()[0].folder
    git(here, "init", "--quiet", "--initial-branch=elsewhere")
    git(here, "remote", "add", "origin", str(there))
    return there


def watch(web: Web, one: Observer, place: Place) -> None:
    """Let what looks for branches do so again."""
    web.now += 60
    one.works[1](place)


def tried(web: Web) -> float:
    with web.store.reading() as connection:
        return snapshots.read(connection, "shop/staging", snapshots.CANDIDATES).tried


def test_a_reservation_that_ended_is_told_and_starts_nothing(web: Web) -> None:
    one, staging = observing(web)
    ana = web.visitor("ana")
    ana.act("reserve", hours="1")
    one.end_reservation(staging)
    assert "Yours" in ana.page()
    web.now += 3601
    one.end_reservation(staging)
    one.end_reservation(staging)
    said = "ends ana&#39;s reservation of staging: it was until 09:00 UTC"
    assert ana.page().count(said) == 1
    assert web.rows("request") == []
    *_, told = web.rows("event")
    assert "ends ana's reservation of staging" in told.text
    assert wanted(Hook(url="http://hook.example"), told)


def test_whoever_wants_to_know_is_told_once_when_it_is_free(web: Web) -> None:
    one, staging = observing(web)
    ana, ben = web.visitor("ana"), web.visitor("ben")
    ana.act("reserve", hours="1")
    assert "Tell me when it is free</button>" not in ana.page()
    assert "Tell me when it is free</button>" in ben.page()
    assert ben.act("tell me").status_code == 303
    assert "You will be told when it is free." in ben.page()
    web.now += 3601
    one.end_reservation(staging)
    said = "tells ben that staging is free"
    assert ben.page().count(said) == 1
    *_, told = web.rows("event")
    assert said in told.text
    assert wanted(Hook(url="http://hook.example"), told)
    assert "You will be told" not in ben.page()
    # Once is enough.
    ana.act("reserve")
    ana.act("done with it")
    assert ben.page().count(said) == 1
    # Whoever asks too late knows at once.
    ben.act("tell me")
    assert ben.page().count(said) == 2


def test_what_cannot_be_asked_makes_a_page_that_sees_nothing_and_says_why(
    web: Web,
) -> None:
    one, staging = observing(web)
    one.look(staging, snapshots.LIVE)
    page = web.visitor("ana").page()
    assert f"We cannot see staging: {staging.folder} is not in a git" in page


def test_whoever_asks_for_a_look_during_one_gets_another(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, staging = observing(web)
    found: list[Any] = [candidate("main", count_in=0, count_out=0)]

    def ask_meanwhile(*_: object) -> list[Any]:
        with web.store.writing() as connection:
            kind = snapshots.CANDIDATES
            snapshots.look_again(connection, staging.name, kind)
        return found

    monkeypatch.setattr(observer, "ask", ask_meanwhile)
    web.now += 40
    one.look(staging, snapshots.CANDIDATES)
    assert tried(web) == 0
    monkeypatch.setattr(observer, "ask", lambda *_: found)
    one.look(staging, snapshots.CANDIDATES)
    assert tried(web) == web.now


def test_while_the_remote_does_not_answer_the_list_says_so_and_grows_old(
    web: Web, remote: Path
) -> None:
    one, staging = observing(web)
    ana = web.visitor("ana")
    watch(web, one, staging)
    text = ana.page()
    assert "feat/seats" in text
    found = 'as of <time datetime="2027-01-15T08:01:00Z"'
    assert found in text
    remote.rename(remote.with_name("moved"))
    watch(web, one, staging)
    text = ana.page()
    assert found in text
    assert "; the remote does not answer: fatal: &#39;" in text
    assert "feat/seats" in text
    remote.with_name("moved").rename(remote)
    watch(web, one, staging)
    assert "does not answer" not in ana.page()


def test_a_branch_that_is_gone_is_listed_no_longer(web: Web, remote: Path) -> None:
    one, staging = observing(web)
    watch(web, one, staging)
    ana = web.visitor("ana")
    assert "feat/seats" in ana.page()
    git(remote, "branch", "--delete", "feat/seats")
    watch(web, one, staging)
    assert "feat/seats" not in ana.page()
    assert ana.client.get("/shop/staging/put?ref=feat/seats").status_code == 404


def test_a_tag_that_was_moved_is_no_remote_that_does_not_answer(
    web: Web, remote: Path
) -> None:
    one, staging = observing(web)
    git(remote, "tag", "nightly")
    watch(web, one, staging)
    git(remote, "commit", "--quiet", "--allow-empty", "--message", "feat: two")
    git(remote, "tag", "--force", "nightly")
    watch(web, one, staging)
    text = web.visitor("ana").page()
    assert "does not answer" not in text
    assert "feat: two" in text


def test_a_clone_without_a_remote_has_none_that_does_not_answer(
    web: Web, remote: Path
) -> None:
    one, staging = observing(web)
    git(staging.folder, "remote", "remove", "origin")
    git(staging.folder, "fetch", "--quiet", str(remote), "main:main")
    watch(web, one, staging)
    text = web.visitor("ana").page()
    assert "does not answer" not in text
    assert "feat: one" in text


def test_a_branch_that_the_runner_did_not_compare_is_compared_when_it_is_asked_for(
    web: Web, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, staging = observing(web)
    git(remote, "checkout", "--quiet", "feat/seats")
    for number in range(3):
        text = f"feat: part {number}"
        git(remote, "commit", "--quiet", "--allow-empty", "--message", text)
    monkeypatch.setattr(listing, "LISTED", 2)
    watch(web, one, staging)
    ana = web.visitor("ana")
    path = "/shop/staging/put?ref=feat/seats"
    # Where what serves is not known, nothing can be compared.
    assert "It has not been compared yet" in ana.client.get(path).text
    web.look(ref="main", commit=git(remote, "rev-parse", "main"), well=True)
    text = ana.client.get(path).text
    assert "3 changes come" in text
    assert re.findall("<li><bdi>(.*?)</bdi></li>", text) == [
        "feat: part 2",
        "feat: part 1",
    ]
