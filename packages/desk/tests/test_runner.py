"""Two processes and a real engine: what is asked for is done once, or not at all."""

import pytest

from desks import DeskProcesses

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
