"""Both databases: one writer at a time decides, and a new one gets its tables once."""

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from trunkline.errors import UsageError

from trunkline_desk import actions, people, requests, snapshots, tables, view
from trunkline_desk.app import create_app
from trunkline_desk.claims import Action, DeniedError, Person, Role, Wish
from trunkline_desk.services import Desk, Place, read_desk
from trunkline_desk.store import Store
from visitors import URL, Web, candidate

from tests.postgres import Postgres, programs

NOW = 1_800_000_000.0
PLACE = Place("shop", "staging", Path(), "http://127.0.0.1:8100", True)
FOUND = [candidate("main", commit="c" * 40, count_in=0, count_out=0)]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    found = programs()
    assert found, "type next: apt-get install postgresql"
    # PostgreSQL's own user has to reach it, which `tmp_path` does not allow.
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    one = Postgres(found, folder)
    one.create()
    one.start()
    yield one
    assert one.process
    one.process.terminate()
    one.process.wait()
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'desk.db'}"
    server: Postgres = request.getfixturevalue("server")
    name = f"desk_{abs(hash(request.node.name))}"
    server.execute(f"CREATE DATABASE {name}")
    return server.url(name)


def attempt(store: Store, name: str, key: str) -> str:
    """Let a person put the branch on, as one of many at once."""
    with store.writing() as connection:
        state = actions.ground(connection, PLACE).state
        wish = Wish(action=Action.PUT, key=key, seen=state, ref="main", commit="c" * 40)
        person = Person(name, Role.DEPLOYER, "password")
        try:
            return actions.perform(connection, PLACE, person, wish, NOW)
        except DeniedError as error:
            return error.sentence


def test_a_text_that_a_database_cannot_store_is_no_failure_of_it(
    address: str, tmp_path: Path
) -> None:
    web, store = Web(tmp_path), Store(address)
    with store.writing() as connection:
        token = people.add_token(connection, "ci", Role.VIEWER)
    client = TestClient(create_app(web.desk, store), base_url=URL)
    path, allowed = "/api/shop/staging/requests/%00", f"Bearer {token}"
    answer = client.get(path, headers={"Authorization": allowed})
    assert answer.status_code == (422 if "postgres" in address else 404)
    store.close()


def test_of_many_at_once_one_has_it_and_the_others_are_told(address: str) -> None:
    # Each has a connection of its own, as two desks on one database have.
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(Store, [address] * 8))
        with stores[0].writing() as connection:
            snapshots.write(connection, PLACE.name, snapshots.CANDIDATES, FOUND, at=NOW)
        names = [f"person-{number}" for number in range(8)]
        said = list(pool.map(attempt, stores, names, names))
        with stores[0].reading() as connection:
            (holder,) = connection.scalars(select(tables.reservation.c.holder))
        again = list(pool.map(attempt, stores, [holder] * 8, ["one form"] * 8))
    with stores[0].reading() as connection:
        number = connection.scalar(select(func.count()).select_from(tables.request))
    first = [text for text in said if "put main on staging" in text]
    assert len(first) == 1
    assert first[0].startswith(holder)
    assert len([one for one in said if one.startswith(f"{holder} has staging")]) == 7
    # The second form replaces the first, and its copies change nothing.
    assert number == 2
    assert again.count("That was requested already.") == 7
    for one in stores:
        one.close()


def test_a_form_about_whose_it_is_counts_once_as_well(address: str) -> None:
    store = Store(address)
    ana = Person("ana", Role.DEPLOYER, "password")
    wish = Wish(action=Action.RESERVE, key="one form", why="demo", hours=1)
    for seconds in range(20):
        with store.writing() as connection:
            actions.perform(connection, PLACE, ana, wish, NOW + seconds)
    with store.reading() as connection:
        said = connection.scalars(select(tables.event.c.text)).all()
    store.close()
    assert said == ["reserved staging until 09:00 UTC"]


PUT = Wish(action=Action.PUT, key="one key", ref="main", commit="c" * 40)
RESERVE = Wish(action=Action.RESERVE, key="one key")
FLAG = Wish(action=Action.FLAG, key="one key", flag="ENABLE_SEATS", value=True)


@pytest.mark.parametrize(
    ("first", "change"),
    [
        (PUT, {"ref": "feat/seats"}),
        (PUT, {"action": Action.TAKE_BACK}),
        (PUT, {"action": Action.RESERVE}),
        (FLAG, {"value": False}),
        (FLAG, {"flag": "ENABLE_TIERS"}),
        (RESERVE, {"action": Action.PUT}),
        (RESERVE, {"action": Action.EXTEND}),
        (RESERVE, {"hours": 8.0}),
        (RESERVE, {"place": "demo"}),
        (PUT, {"person": "ben"}),
        (PUT, {"place": "demo"}),
    ],
)
def test_a_key_that_was_used_for_something_else_is_refused(
    tmp_path: Path, first: Wish, change: dict[str, Any]
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'desk.db'}")
    flags = {"ENABLE_SEATS": False, "ENABLE_TIERS": False}
    live = {"ref": "main", "commit": "c" * 40, "flags": flags}
    with store.writing() as connection:
        for kind, found in (("live", live), ("candidates", FOUND)):
            snapshots.write(connection, PLACE.name, kind, found, at=NOW)
    person = Person(change.pop("person", "ana"), Role.DEPLOYER, "password")
    place = replace(PLACE, environment=change.pop("place", "staging"))
    ana = replace(person, name="ana")
    actions.act(store, PLACE, ana, first, NOW)
    said = actions.act(store, PLACE, ana, first, NOW + 60)
    assert said == "That was requested already."
    other = first.model_copy(update=change)
    with pytest.raises(DeniedError, match="used for something else") as caught:
        actions.act(store, place, person, other, NOW + 60)
    assert caught.value.status == 409
    store.close()


def test_the_picture_of_four_weeks_counts_what_each_day_saw(address: str) -> None:
    store = Store(address)
    day, expected = 86400.0, [0] * 28
    person = Person("ana", Role.DEPLOYER, "password")
    with store.writing() as connection:
        for place in (PLACE, replace(PLACE, service="other")):
            for ago in (0, 0.5, 1.5, 1.6, 1.7, 27.5, 27.9, 28.1, 40):
                what = (connection, f"{place.name} {ago}", place.name, person)
                at = NOW - ago * day
                requests.submit(*what, requests.Order("put"), why="", at=at)
        expected[27], expected[26], expected[0] = 2, 3, 2
        assert view.days(connection, [PLACE.name], NOW) == expected
        both = view.days(connection, [PLACE.name, "other/staging"], NOW)
    assert both == [2 * one for one in expected]
    store.close()


def test_a_clone_without_environments_is_told_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    with pytest.raises(UsageError, match=r"\[tool\.trunkline\.environments\.staging\]"):
        Desk(services={"shop": str(tmp_path)}).places()


def test_an_address_with_a_password_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "desk.toml"
    file.write_text('[services]\nshop = "/srv/shop"\n')
    assert read_desk(file).database == "sqlite:///desk.db"
    monkeypatch.setenv("DESK_DATABASE_URL", "postgresql://desk:secret@db/desk")
    assert read_desk(file).database == "postgresql://desk:secret@db/desk"
