"""Whatever the way in, the rule is the same, and what was done stays written down."""

import time
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from trunkline_desk import command, people
from trunkline_desk.claims import Role
from visitors import Web, candidate


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return Web(tmp_path)


def test_page_script_and_terminal_are_refused_by_one_sentence_with_who_and_why(
    web: Web,
) -> None:
    web.now = time.time()
    ana, ben = web.visitor("ana"), web.visitor("ben")
    ana.act("reserve", why="demo for ACME")
    with web.store.writing() as connection:
        token = people.add_token(connection, "ci", Role.DEPLOYER)
    header = {"Authorization": f"Bearer {token}"}
    for action in ("put", "take back", "flag", "reserve", "keep longer"):
        page = ben.act(action, flag="ENABLE_SEATS")
        wish = {"action": action, "ref": "feat/seats", "flag": "ENABLE_SEATS"}
        script = web.visitor().client.post(
            "/api/shop/staging", json=wish, headers=header
        )
        typed = command.decide(web.desk, place="shop/staging", by="root", action=action)
        assert (page.status_code, script.status_code) == (409, 409)
        detail = script.json()["detail"]
        assert typed["denied"] == detail
        assert detail in page.text
        assert detail.startswith("ana has staging until ")
        assert detail.endswith(": demo for ACME")
    assert web.rows("request") == []


@pytest.mark.parametrize(
    "statement", ["UPDATE event SET person = 'ben'", "DELETE FROM event"]
)
def test_nobody_can_edit_the_history_that_names_who_did_what(
    web: Web, statement: str
) -> None:
    kim = web.visitor("kim")
    kim.act("reserve", why="demo for ACME")
    before = web.rows("event")
    with (
        pytest.raises(DatabaseError, match="events stay"),
        web.store.writing() as connection,
    ):
        connection.exec_driver_sql(statement)
    assert web.rows("event") == before
    assert "<b><bdi>kim</bdi></b>" in kim.client.get("/shop/history").text
    for method in ("PUT", "PATCH", "DELETE"):
        assert kim.client.request(method, "/shop/history").status_code == 405


def test_production_asks_in_other_words_than_staging_and_for_its_name(
    web: Web,
) -> None:
    web.list(candidate("v1.0.0"))
    kim = web.visitor("kim")
    pages = {
        name: kim.client.get(f"/shop/{name}/put?ref=v1.0.0").text
        for name in ("staging", "production")
    }
    other = {
        "<h1>Put <bdi>Try v1.0.0</bdi> on STAGING?</h1>": (
            "<h1>Release v1.0.0 to PRODUCTION?</h1>"
        ),
        'class="go">Put it on staging</button>': (
            'class="go">Release it to production</button>'
        ),
        'class="place "': 'class="place releases"',
        '<input name="why"': 'Type production to confirm <input name="typed" required',
    }
    for here, there in other.items():
        assert (here in pages["staging"], there in pages["staging"]) == (True, False)
        assert (here in pages["production"], there in pages["production"]) == (
            False,
            True,
        )
