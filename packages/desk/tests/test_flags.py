"""A flag that somebody switched stays as long as what it was switched for."""

from dataclasses import replace
from pathlib import Path

import pytest

from trunkline_desk import people, requests
from trunkline_desk.claims import Role
from visitors import Visitor, Web, candidate

MAIN = candidate("main")["commit"]
SEATS = candidate("feat/seats")["commit"]
PUT = {"ref": "feat/seats", "commit": SEATS}


@pytest.fixture
def web(tmp_path: Path) -> Web:
    made = Web(tmp_path)
    serve(made, "main", ENABLE_SEATS=False)
    return made


def serve(web: Web, ref: str, **flags: bool) -> None:
    commit = candidate(ref)["commit"]
    before = {"ref": "main", "commit": MAIN} if commit != MAIN else None
    web.look(ref=ref, commit=commit, well=True, flags=flags, before=before)


def switch(ana: Visitor, name: str, value: str = "true") -> int:
    return ana.act("flag", flag=name, value=value).status_code


def end(web: Web, state: str) -> None:
    """Let the newest request end, as the runner does."""
    *_, one = web.rows("request")
    with web.store.writing() as connection:
        requests.begin(connection, one, web.now)
        requests.end(connection, one, state, "", at=web.now)


def switched(web: Web) -> dict[str, bool]:
    with web.store.reading() as connection:
        return requests.flags(connection, "shop/staging")


@pytest.mark.parametrize("name", ["ENABLE_SEAT", "PASSWORD", "", "ENABLE_SEATS=1"])
def test_a_flag_that_nothing_declares_cannot_be_switched(web: Web, name: str) -> None:
    answer = web.visitor("ana").act("flag", flag=name, value="true")
    assert answer.status_code == 422
    assert f"There is no flag {name}. There are ENABLE_SEATS." in answer.text
    assert web.rows("request") == []


def test_what_tells_of_no_flags_has_none_to_switch(web: Web) -> None:
    serve(web, "main")
    assert switch(web.visitor("ana"), "ENABLE_SEATS") == 422


@pytest.mark.parametrize("state", ["failed", "refused", "replaced"])
def test_a_flag_whose_request_did_not_end_well_is_not_kept(
    web: Web, state: str
) -> None:
    ana = web.visitor("ana")
    assert switch(ana, "ENABLE_SEATS") == 303
    assert web.rows("request")[-1].options == '["--flag=ENABLE_SEATS=true"]'
    end(web, state)
    assert switched(web) == {}
    ana.act("put", **PUT)
    assert web.rows("request")[-1].options == "[]"


def test_a_flag_that_was_switched_comes_with_what_is_put_on_next(web: Web) -> None:
    ana = web.visitor("ana")
    switch(ana, "ENABLE_SEATS")
    end(web, "done")
    assert switched(web) == {"ENABLE_SEATS": True}
    ana.act("put", **PUT)
    assert web.rows("request")[-1].options == '["--flag=ENABLE_SEATS=true"]'


def test_a_switched_flag_that_a_branch_does_not_have_goes_and_the_page_says_so(
    web: Web,
) -> None:
    ana = web.visitor("ana")
    serve(web, "main", ENABLE_SEATS=False, ENABLE_TIERS=False)
    for name in ("ENABLE_SEATS", "ENABLE_TIERS"):
        switch(ana, name)
        end(web, "done")
    lost = {"compared": MAIN, "lost_flags": ["ENABLE_SEATS", "ENABLE_OLD"]}
    web.list(candidate("main"), candidate("feat/seats", **lost))
    text = ana.client.get("/shop/staging/put?ref=feat/seats").text
    goes = "was switched on here, but will be dropped"
    assert f"<code>ENABLE_SEATS</code> {goes}" in text
    assert text.count(goes) == 1
    ana.act("put", **PUT)
    assert web.rows("request")[-1].options == '["--flag=ENABLE_TIERS=true"]'
    assert "put feat/seats on staging without ENABLE_SEATS" in ana.page()
    end(web, "done")
    assert switched(web) == {"ENABLE_TIERS": True}


def test_a_take_back_brings_the_flags_of_what_came_back(web: Web) -> None:
    ana = web.visitor("ana")
    switch(ana, "ENABLE_SEATS")
    end(web, "done")
    ana.act("put", **PUT)
    end(web, "done")
    serve(web, "feat/seats", ENABLE_SEATS=True, ENABLE_TIERS=False)
    for name, value in (("ENABLE_TIERS", "true"), ("ENABLE_SEATS", "false")):
        switch(ana, name, value)
        end(web, "done")
    assert switched(web) == {"ENABLE_SEATS": False, "ENABLE_TIERS": True}
    ana.act("take back")
    serve(web, "main", ENABLE_SEATS=True)
    end(web, "done")
    assert switched(web) == {"ENABLE_SEATS": True}


def test_what_came_back_with_other_flags_keeps_none_that_it_has_not(web: Web) -> None:
    serve(web, "feat/seats", ENABLE_SEATS=False)
    ana = web.visitor("ana")
    switch(ana, "ENABLE_SEATS")
    end(web, "done")
    # It had been put on from a terminal.
    ana.act("take back")
    serve(web, "main", ENABLE_SEATS=False)
    end(web, "done")
    assert switched(web) == {}


def test_environments_of_one_name_share_no_flag_and_no_claim(web: Web) -> None:
    web.app.state.places.append(replace(web.desk.places()[0], service="cafe"))
    ana, ben = web.visitor("ana"), web.visitor("ben")
    switch(ana, "ENABLE_SEATS")
    end(web, "done")
    ana.act("reserve", why="demo for ACME")
    names = ("shop", "cafe")
    mine, other = (ben.client.get(f"/api/{one}/staging").json() for one in names)
    assert mine["flags"] == {"ENABLE_SEATS": True}
    assert mine["reservation"]["holder"] == "ana"
    assert (other["flags"], other["reservation"]) == ({}, None)
    claim = {"action": "reserve", "key": "of ben"}
    with web.store.writing() as connection:
        token = people.add_token(connection, "ben's", Role.DEPLOYER)
    headers = {"Authorization": f"Bearer {token}"}
    answer = ben.client.post("/api/cafe/staging", json=claim, headers=headers)
    assert answer.json()["reservation"]["holder"] == "ben's"
    assert ben.client.get("/api/shop/staging").json() == mine
