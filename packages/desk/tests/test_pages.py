"""What people see and do, without a browser and without a runner."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from markupsafe import escape
from sqlalchemy import Connection

from trunkline_desk import events, snapshots, tables
from trunkline_desk.observer import DESK
from visitors import Visitor, Web, candidate, hidden


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return Web(tmp_path)


def asked(web: Web) -> int:
    return len(web.rows("request"))


def put(visitor: Visitor, **more: str) -> int:
    status: int = visitor.client.post(
        "/shop/staging", data=visitor.form() | more
    ).status_code
    return status


def button(text: str, action: str) -> dict[str, str]:
    """Return what a button of a page sends."""
    (form,) = [one for one in text.split("<form")[1:] if f'value="{action}"' in one]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


def test_the_page_tells_what_is_on_staging(web: Web) -> None:
    text = web.visitor("vera").page()
    assert "<title>staging: Serving · Try main · shop</title>" in text
    assert "Serving" in text
    since = '<time datetime="2027-01-15T07:58:00Z">07:58 UTC</time>'
    assert f"put on by <bdi>ana</bdi>, {since}" in text
    assert "Free: nobody has reserved it." in text
    assert "<button name=" not in text


def test_what_a_terminal_put_on_by_its_tag_is_known_by_its_branch(web: Web) -> None:
    seats = candidate("feat/seats", subject="Price the 201st seat")
    web.list(candidate("main"), seats)
    web.look(ref="feat-seats", commit=seats["commit"], well=True, by="ana")
    text = web.visitor("vera").page()
    assert "<bdi>Price the 201st seat</bdi></p>" in text
    assert "by <bdi>Ben</bdi> · put on by <bdi>ana</bdi>" in text
    again = web.visitor("ana").client.get("/shop/staging/put?ref=feat-seats")
    assert "Put <bdi>Price the 201st seat</bdi> on STAGING?" in again.text


def test_who_wrote_what_nobody_lists_any_more_is_not_made_up(web: Web) -> None:
    web.list()
    web.look(ref="feat-seats", commit="a" * 40, well=True, by="ana")
    text = web.visitor("vera").page()
    assert "put on by <bdi>ana</bdi>" in text
    assert "· by " not in text


def test_words_in_any_order_leave_one_row(web: Web) -> None:
    web.list(candidate("main"), candidate("feat/seats", subject="Price the 201st seat"))
    text = web.visitor("ana").client.get("/shop?find=seat+price").text
    assert "Price the 201st seat" in text
    assert text.count('class="subject"') == 2  # staging's own, and the row


@pytest.mark.parametrize(
    "subject",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
    ],
)
def test_a_subject_is_text_and_nothing_else(web: Web, subject: str) -> None:
    web.list(candidate("main", subject=subject), candidate("feat/seats", author="<b>"))
    ana = web.visitor("ana")
    for path in ("/shop", "/shop/staging/put?ref=main", f"/shop?find={subject}"):
        text = ana.client.get(path).text
        assert subject not in text
        assert str(escape(subject)) in text


def test_text_that_turns_around_stays_in_its_own_box(web: Web) -> None:
    why = "demo \u202e txet"
    ana = web.visitor("ana")
    assert put(ana, why=why) == 303
    assert f"<bdi>“{why}”</bdi>" in ana.page()


def test_one_form_posted_twenty_times_at_once_is_one_request(web: Web) -> None:
    ana = web.visitor("ana")
    form = ana.form()
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda _: ana.client.post("/shop/staging", data=form), range(20))
        )
    assert {one.status_code for one in answers} == {303}
    assert asked(web) == 1


def test_a_click_on_a_page_that_is_out_of_date_says_what_changed(web: Web) -> None:
    ana = web.visitor("ana")
    form = ana.form() | {"why": "for ACME"}
    # Ben is faster, and done with it before she clicks.
    ben = web.visitor("ben")
    assert put(ben) == 303
    assert ben.act("done with it").status_code == 303
    answer = ana.client.post("/shop/staging", data=form)
    assert answer.status_code == 409
    assert "staging has changed since you looked." in answer.text
    assert "ben" in answer.text.partition("changed since you looked")[2][:60]
    assert asked(web) == 1
    # The answer asks again, with what was typed and what serves now.
    again = form | {
        "seen": hidden(answer.text, "seen"),
        "key": hidden(answer.text, "key"),
    }
    assert 'value="for ACME"' in answer.text
    assert ana.client.post("/shop/staging", data=again).status_code == 303


def test_a_branch_that_moved_is_asked_about_again(web: Web) -> None:
    ana = web.visitor("ana")
    form = ana.form()
    moved = candidate("feat/seats", commit="b" * 40)
    web.list(candidate("main"), moved)
    answer = ana.client.post("/shop/staging", data=form)
    assert answer.status_code == 409
    assert f"feat/seats is {'b' * 12} now" in answer.text
    assert hidden(answer.text, "commit") == "b" * 40


def test_whoever_is_about_to_confirm_lets_the_runner_look(web: Web) -> None:
    ana = web.visitor("ana")

    def tried() -> float:
        with web.store.reading() as connection:
            return snapshots.read(connection, "shop/staging", "candidates").tried

    ana.form()
    assert tried() == web.now
    web.now += 20
    ana.form()
    assert tried() == 0


@pytest.mark.parametrize("page", ["/shop", "/shop/staging/put?ref=feat/seats"])
def test_what_changes_while_a_page_is_made_is_told_to_it(
    web: Web, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    ana, read = web.visitor("ana"), snapshots.read

    def read_before_a_push(
        connection: Connection, place: str, kind: str
    ) -> snapshots.Snapshot:
        found = read(connection, place, kind)
        if kind == snapshots.CANDIDATES:
            monkeypatch.undo()
            with web.store.writing() as other:
                events.add(other, place, "look", DESK, "it moved", at=web.now)
        return found

    monkeypatch.setattr(snapshots, "read", read_before_a_push)
    text = ana.client.get(page).text
    (after,) = re.findall(r"/stream\?after=(\d+)", text)
    with web.store.reading() as connection:
        assert events.newest(connection) > int(after)


def test_what_is_reserved_is_refused_with_who_why_and_until(web: Web) -> None:
    ana, ben = web.visitor("ana"), web.visitor("ben")
    assert ana.act("reserve", why="demo for ACME", hours="2").status_code == 303
    answer = ben.client.post("/shop/staging", data=ben.form())
    assert answer.status_code == 409
    assert "ana has staging until 10:00 UTC: demo for ACME" in answer.text
    assert ben.act("take over", why=" ").status_code == 422
    assert ben.act("take over", why="she is away").status_code == 303
    assert "she is away" in ana.page()
    assert put(ana) == 409
    assert put(ben) == 303


def test_a_reservation_ends_by_itself_and_starts_nothing(web: Web) -> None:
    ana, ben = web.visitor("ana"), web.visitor("ben")
    ana.act("reserve", hours="1")
    web.now += 3601
    web.look(ref="main", commit=candidate("main")["commit"], well=True)
    assert "Free: nobody has reserved it." in ben.page()
    assert asked(web) == 0
    assert put(ben) == 303


def test_to_keep_longer_what_has_just_ended_is_to_have_it_again(web: Web) -> None:
    ana, ben = web.visitor("ana"), web.visitor("ben")
    ana.act("reserve", hours="1", why="demo for ACME")
    body = button(ana.page(), "keep longer")
    web.now += 3601
    web.look(ref="main", commit=candidate("main")["commit"], well=True)
    assert ana.client.post("/shop/staging", data=body).status_code == 303
    assert "demo for ACME" in ana.page().partition("Yours")[2][:200]
    # Once another has it, it is theirs.
    web.now += 5 * 3600 + 1
    assert ben.act("reserve").status_code == 303
    body["key"] = "k" * 32
    assert ana.client.post("/shop/staging", data=body).status_code == 409


def test_another_day_is_told_without_javascript(web: Web) -> None:
    ana = web.visitor("ana")
    ana.act("reserve", hours="72")
    assert ">18 Jan 08:00 UTC</time>" in ana.page().partition("Yours")[2]
    assert "reserved staging until 18 Jan 08:00 UTC" in ana.page()
    web.now += 7 * 86400
    ana = web.visitor("ana")
    assert ">15 Jan 08:00 UTC</time>" in ana.client.get("/shop/history").text


def test_an_age_does_not_need_the_clock_of_the_reader(web: Web) -> None:
    web.now += 5
    assert '<span data-age="5.0">5 s</span> ago' in web.visitor("ana").page()


def test_it_can_be_kept_for_two_weeks_at_most(web: Web) -> None:
    ana = web.visitor("ana")
    ana.act("reserve", hours="333")
    for _ in range(3):
        body = button(ana.page(), "keep longer")
        assert ana.client.post("/shop/staging", data=body).status_code == 303
    assert web.rows("reservation")[0].until == web.now + 336 * 3600


def test_a_freeze_is_nobodys_and_ends_by_a_releaser(web: Web) -> None:
    kim, ana = web.visitor("kim"), web.visitor("ana")
    assert ana.act("freeze").status_code == 403
    assert kim.act("freeze", why="audit").status_code == 303
    assert "Frozen" in ana.page()
    for action in ("put", "done with it", "reserve"):
        assert ana.act(action).status_code == 409
    assert kim.act("done with it").status_code == 303
    assert put(ana) == 303


def test_production_is_closed_to_a_forged_form_which_is_kept(web: Web) -> None:
    ana, kim = web.visitor("ana"), web.visitor("kim")
    wish = ana.form("production", "main") | {"typed": "production"}
    assert ana.client.post("/shop/production", data=wish).status_code == 403
    assert "was refused: Only a releaser may change production." in ana.page()
    untyped = kim.form("production", "main")
    assert kim.client.post("/shop/production", data=untyped).status_code == 422
    assert asked(web) == 0


def test_production_takes_only_what_has_run_on_staging(web: Web) -> None:
    kim = web.visitor("kim")
    web.list(candidate("v1.0.0"), candidate("v1.1.0", first="staging"))
    web.look(place="shop/production")
    production = kim.page().partition('id="production"')[2]
    assert "Release v1.0.0 to PRODUCTION" in production
    assert "Release v1.1.0" not in production
    typed = {"typed": "production"}
    early = kim.form("production", "v1.1.0") | typed
    answer = kim.client.post("/shop/production", data=early)
    assert answer.status_code == 409
    assert "v1.1.0 has not run on staging yet. Put it there first." in answer.text
    there = kim.form(ref="v1.1.0")
    assert kim.client.post("/shop/staging", data=there).status_code == 303
    good = kim.form("production", "v1.0.0") | typed
    assert kim.client.post("/shop/production", data=good).status_code == 303


def test_what_nobody_can_see_is_not_green_and_has_no_buttons(web: Web) -> None:
    web.look("the engine does not answer. Is it running?")
    text = web.visitor("ana").page()
    staging = text.partition('id="staging"')[2].partition("</section>")[0]
    assert "Not visible now" in staging
    assert "Serving" not in staging
    assert "answer. Is it running. Until we can" in staging
    assert "<button" not in staging
    web.now += 600
    web.look(ref="main", commit="0" * 40, well=True)
    web.now += 31  # The runner is gone.
    assert "Not visible now" in web.visitor("ana").page()


@pytest.mark.parametrize(
    "path",
    ["/nope", "/shop/nope/put?ref=main", "/shop/staging/put?ref=x"],
)
def test_an_address_of_nothing_is_not_an_error_of_ours(web: Web, path: str) -> None:
    assert web.visitor("ana").client.get(path).status_code in {200, 404}


def test_the_history_of_ten_thousand_is_read_in_parts(web: Web) -> None:
    rows = [
        {
            "at": web.now,
            "place": "shop/staging",
            "kind": "act",
            "person": "ana",
            "by": "token",
            "text": f"put number {number} on",
            "why": "",
            "request": None,
        }
        for number in range(10_000)
    ]
    with web.store.writing() as connection:
        connection.execute(tables.event.insert(), rows)
    ana = web.visitor("ana")
    assert "number 9999 on" in ana.page()
    text = ana.client.get("/shop/history").text
    assert text.count("<li id=") == 100
    older = text.partition('href="?before=')[2].partition('"')[0]
    text = ana.client.get(f"/shop/history?before={older}").text
    assert "number 9899 on" in text
