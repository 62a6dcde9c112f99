"""Each state of the page: what it says, and what can be done then."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from trunkline_desk import requests, tables
from trunkline_desk.claims import Person, Role
from trunkline_desk.execution import ending
from trunkline_desk.requests import Order
from visitors import Web, candidate

ANA = Person("ana", Role.DEPLOYER, "password")


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return Web(tmp_path)


def running(web: Web, kind: str, *said: str) -> None:
    """Let the runner carry out something whose command has said this."""
    order = Order(kind, "feat/seats", "c" * 40, "Sell seats")
    what = ("k" * 32, "shop/staging", ANA, order)
    with web.store.writing() as connection:
        requests.submit(connection, *what, why="", at=web.now)
        (one,) = requests.find(connection, state="waiting")
        requests.begin(connection, one, web.now)
        for text in said:
            requests.note(connection, one, "step", text, at=web.now)


def test_an_old_page_does_not_stop_what_another_has_begun_since(web: Web) -> None:
    running(web, "put")
    ana, ben = web.visitor("ana"), web.visitor("ben")
    assert ben.act("put").status_code == 303
    assert ben.act("done with it").status_code == 303
    old = ana.form() | {"action": "stop"}
    first, second = web.rows("request")
    # What she saw fails, and nothing else serves; then his begins.
    with web.store.writing() as connection:
        requests.end(connection, first, "failed", "", at=web.now)
        requests.begin(connection, second, web.now)
    answer = ana.client.post("/shop/staging", data=old)
    assert answer.status_code == 409
    assert "staging has changed since you looked. At" in answer.text
    assert not web.rows("request")[1].stopped


def test_a_page_of_now_stops_what_is_running(web: Web) -> None:
    running(web, "put")
    assert web.visitor("ana").act("stop").status_code == 303
    assert web.rows("request")[0].stopped


def shown_steps(text: str) -> list[tuple[str, str]]:
    return re.findall(r'<li class="(done|now)">(\w+)<', text)


def test_what_has_begun_names_its_first_step_at_once(web: Web) -> None:
    running(web, "put")
    assert shown_steps(web.visitor("ana").page()) == [("now", "Prepare")]


def test_a_newer_wish_replaces_the_older_one_and_the_page_says_so(web: Web) -> None:
    ana, ben = web.visitor("ana"), web.visitor("ben")
    for ref in ("feat/seats", "main"):
        commit = candidate(ref)["commit"]
        assert ana.act("put", ref=ref, commit=commit).status_code == 303
    text = ben.page()
    assert "put main on staging instead of feat/seats, which was waiting" in text
    assert re.findall("Next: <bdi>Try (.*)</bdi> .ana", text) == ["main"]
    assert ">replaced</a>" in text


def test_a_rename_has_no_steps(web: Web) -> None:
    running(web, "take back")
    text = web.visitor("ana").page()
    assert "is taking it back to <b><bdi>Sell seats</bdi></b>" in text
    assert shown_steps(text) == []


def test_what_was_taken_back_to_keeps_its_subject(web: Web) -> None:
    with web.store.writing() as connection:
        for kind, subject in (("put", "Sell seats"), ("take back", "")):
            row = {"key": kind, "place": "shop/staging", "kind": kind, "person": "ana"}
            row |= {"subject": subject, "commit": "c" * 40, "state": "done"}
            row |= {"at": 1.0, "began": 1.0, "ended": 2.0}
            connection.execute(tables.request.insert().values(row))
    # Its branch has moved since.
    web.look(ref="feat/seats", commit="c" * 40, well=True)
    assert '<p class="subject"><bdi>Sell seats</bdi></p>' in web.visitor("ana").page()


@pytest.mark.parametrize(
    ("step", "button", "other"),
    [("check", "Stop", "Take it back"), ("watch", "Take it back", "Stop")],
)
def test_until_the_switch_it_is_stopped_and_then_taken_back(
    web: Web, step: str, button: str, other: str
) -> None:
    before = {"ref": "v1.0.0", "commit": "d" * 40}
    web.look(ref="main", commit="c" * 40, well=True, before=before)
    running(web, "put", "pull", "start", step)
    text = web.visitor("ana").page()
    assert f">{button}</button>" in text
    assert f">{other}</button>" not in text


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (10.0, ": step 3 of 9, about 20 s left.</p>"),
        (40.0, ": step 3 of 9, longer than the usual 30 s.</p>"),
    ],
)
def test_what_is_running_says_how_far_it_is(web: Web, later: float, said: str) -> None:
    row = {"key": "1", "place": "shop/staging", "kind": "put", "state": "done"}
    row |= {"at": 1.0, "began": 1.0, "ended": 31.0}
    with web.store.writing() as connection:
        connection.execute(tables.request.insert().values(row))
    running(web, "put", "pull", "preflight")
    web.now += later
    assert said in web.visitor("ana").page()


def test_how_far_it_is_does_not_need_one_that_went_well(web: Web) -> None:
    running(web, "put", "pull")
    assert ": step 2 of 9.</p>" in web.visitor("ana").page()


def test_what_it_would_be_taken_back_to_has_its_commit(web: Web) -> None:
    before = {"ref": "v1.0.0", "commit": "d" * 40}
    web.look(ref="main", commit="c" * 40, well=True, before=before)
    text = web.visitor("ana").page()
    assert "Before this: <bdi>v1.0.0</bdi> <code>ddddddd</code>" in text


def test_what_takes_releases_only_says_so(web: Web) -> None:
    staging, _, production = web.visitor("ana").page().partition('id="production"')
    assert "releases only" in production.partition("</section>")[0]
    assert "releases only" not in staging


def test_what_is_usual_is_the_median_of_the_last_ten(web: Web) -> None:
    with web.store.writing() as connection:
        for number, seconds in enumerate([900.0] * 10 + [30.0] * 10):
            row = {"key": f"{number}", "place": "shop/staging", "kind": "put"}
            row |= {"state": "done", "at": 1.0, "began": 1.0, "ended": 1.0 + seconds}
            connection.execute(tables.request.insert().values(row))
    web.list(candidate("feat/seats", compared=candidate("main")["commit"]))
    text = web.visitor("ana").client.get("/shop/staging/put?ref=feat/seats").text
    assert "30 s usually" in text


def test_what_somebody_changed_outside_is_told_beside_what_was_put_on(web: Web) -> None:
    recorded = {"ref": "feat/seats", "commit": "d" * 40}
    web.look(ref=None, commit="c" * 40, well=True, recorded=recorded)
    text = web.visitor("ana").page()
    put = "we put <bdi>feat/seats</bdi> <code>ddddddd</code>."
    assert f"outside: it runs <bdi></bdi> <code>ccccccc</code>, {put}" in text
    assert 'put?ref=feat/seats">Put ours back</a>' in text
    assert 'value="accept"' in text
    web.look(ref="feat/seats", commit="d" * 40, well=True, recorded=recorded)
    assert "outside" not in web.visitor("ana").page()


def test_what_only_a_human_can_settle_is_told_with_what_to_type(web: Web) -> None:
    web.look(ref=None, commit=None, well=False, needs_human="the live file names x:1")
    text = web.visitor("ana").page()
    assert "the live file names x:1" in text
    assert "<code>trunkline status staging</code>" in text


def test_older_branches_come_in_parts(web: Web) -> None:
    web.list(*(candidate(f"feat/{number:03}") for number in range(250)))
    ana, path, seen = web.visitor("ana"), "/shop?find=feat", []
    while path:
        text = ana.client.get(path).text
        assert len(text) < 100_000
        # What changes meanwhile leaves the reader where they are.
        assert path.partition("?")[2] in text or path == "/shop?find=feat"
        seen += re.findall(r"<bdi>(feat/\d+)</bdi>", text)
        next_part = re.search(r'href="([^"]+)">older branches', text)
        path = next_part[1].replace("&amp;", "&") if next_part else ""
    assert seen == [f"feat/{number:03}" for number in range(250)]


@pytest.mark.parametrize(
    "path",
    [
        f"/shop/history?before={10**30}",
        f"/shop/staging/requests/{10**30}",
        f"/shop?older={10**30}",
        f"/api/shop/staging/history?before={10**30}",
    ],
)
def test_a_number_that_no_database_can_hold_is_no_error_of_ours(
    web: Web, path: str
) -> None:
    assert web.visitor("ana").client.get(path).status_code == 422


def test_whoever_may_freeze_ends_it_by_a_button(web: Web) -> None:
    kim = web.visitor("kim")
    kim.act("freeze", why="audit")
    assert "End the freeze</button>" in kim.page()
    assert "End the freeze" not in web.visitor("ana").page()


def test_a_failure_keeps_its_sentence_above_the_last_lines() -> None:
    why = ["trunkline: main ended before it was ready", "its last lines:"]
    lines = [f"line {number}" for number in range(20)]
    assert ending(["pull", "start", *why, *lines]) == [*why, *lines]


def test_what_failed_names_its_step_and_can_be_tried_again(web: Web) -> None:
    running(web, "put", "pull", "start")
    with web.store.writing() as connection:
        (one,) = requests.find(connection, state="running")
        how = ("failed", "cannot start")
        requests.end(connection, one, *how, at=web.now)
    text = web.visitor("ana").page()
    assert "Sell seats</bdi></b> was not put on: it failed at <b>Start</b>" in text
    assert 'href="/shop/staging/put?ref=feat/seats">Try again</a>' in text


def test_each_environment_for_branches_has_its_button(tmp_path: Path) -> None:
    more = '[tool.trunkline.environments.demo]\nurl = "http://127.0.0.1:8300"\n'
    web = Web(tmp_path, more=more)
    web.look(place="shop/demo")
    text = web.visitor("ana").page()
    for name in ("staging", "demo"):
        assert f'href="/shop/{name}/put?ref=feat/seats">Put on {name}</a>' in text


def test_production_says_by_which_commits_staging_is_ahead(web: Web) -> None:
    main = candidate("main")["commit"]
    behind = candidate("v1.2.0", version=True, compared=main)
    web.look(place="shop/production", commit=behind["commit"], well=True)
    ana = web.visitor("ana")
    web.list(behind | {"commits_out": ["feat: seats", "fix: a <b>"]})
    assert "Staging is 2 changes ahead: <bdi>feat: seats · fix: a &lt;b&gt;</bdi>" in (
        ana.page()
    )
    # That of another time says nothing of now.
    web.list(behind | {"commits_out": ["feat: seats"], "compared": "0" * 40})
    assert "ahead" not in ana.page()


@pytest.mark.parametrize("way", ["own-database", "new-database", "downgrade"])
def test_migrations_of_another_branch_leave_three_choices(web: Web, way: str) -> None:
    compared = {"compared": candidate("main")["commit"], "migrations_out": ["tiers"]}
    web.list(candidate("feat/seats", **compared))
    ana = web.visitor("ana")
    asked = ana.client.get("/shop/staging/put?ref=feat/seats").text
    assert "1 migration from <bdi>main</bdi> that this branch lacks" in asked
    assert f'type="radio" form="confirm" name="database" value="{way}"' in asked
    assert ana.act("put", database=way).status_code == 303
    assert json.loads(web.rows("request")[0].options) == [f"--{way}"]


def test_a_freeze_is_nobody_s(web: Web) -> None:
    assert web.visitor("kim").act("freeze", why="a fair").status_code == 303
    ana = web.visitor("ana")
    assert "staging is frozen" in ana.page()
    asked = ana.client.get("/shop/staging/put?ref=feat/seats").text
    assert "Staging is frozen until" in asked


def test_a_page_reads_no_more_of_a_long_history_than_it_shows(web: Web) -> None:
    running(web, "put", "pull")
    ana = web.visitor("ana")
    ana.act("reserve")
    asked: list[tuple[str, Any]] = []

    def hear(*told: Any) -> None:  # noqa: ANN401 - of SQLAlchemy
        asked.append(told[2:4])

    event.listen(Engine, "before_cursor_execute", hear)
    ana.page()
    event.remove(Engine, "before_cursor_execute", hear)
    with web.store.reading() as connection:
        found = {
            row[-1]
            for text, given in asked
            if text.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given)
        }
    assert "SEARCH event USING INDEX event_by_request (request=?)" in found
    assert any(
        "event USING INDEX event_by_kind (place=? AND kind=?" in one for one in found
    )
    assert not {"SCAN event", "SCAN request"} & found
