"""Accounts, sessions and tokens that end when they should."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from trunkline.process import run

from trunkline_desk import people, tables
from trunkline_desk.claims import Role
from trunkline_desk.runner import Runner
from visitors import Web


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return Web(tmp_path)


def test_five_wrong_passwords_close_the_door_for_fifteen_minutes(web: Web) -> None:
    visitor = web.visitor()
    for _ in range(5):
        assert visitor.sign_in("ana", "wrong").status_code == 401
    assert visitor.sign_in("ana", "a").status_code == 429
    # The same address tries another name; another address tries the same name.
    assert visitor.sign_in("ben", "b").status_code == 429
    elsewhere = web.visitor(address="10.0.0.9")
    assert elsewhere.sign_in("ana", "a").status_code == 429
    assert elsewhere.sign_in("ben", "b").status_code == 303
    web.now += 15 * 60 + 1
    assert visitor.sign_in("ana", "a").status_code == 303


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let thirty passwords be verified at the same time, or none."""
    barrier, verify = threading.Barrier(30, timeout=30), PasswordHasher.verify

    def wait(one: PasswordHasher, *given: str) -> bool:
        barrier.wait()
        return verify(one, *given)

    monkeypatch.setattr(PasswordHasher, "verify", wait)


def sign_in_together(web: Web, password: str) -> Counter[int]:
    visitors = [web.visitor() for _ in range(30)]
    with ThreadPoolExecutor(30) as pool:
        answers = pool.map(lambda one: one.sign_in("ana", password), visitors)
        return Counter(one.status_code for one in answers)


@pytest.mark.usefixtures("together")
def test_many_come_in_at_once(web: Web) -> None:
    assert sign_in_together(web, "a") == {303: 30}


@pytest.mark.usefixtures("together")
def test_of_many_wrong_passwords_at_once_five_are_told(web: Web) -> None:
    assert sign_in_together(web, "wrong") == {401: 5, 429: 25}
    assert web.visitor().sign_in("ana", "a").status_code == 429


def lock_out(web: Web, *, address: str, by: str = "") -> None:
    visitor = web.visitor(address=address, by=by)
    codes = [visitor.sign_in("ana", "wrong").status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]


@pytest.mark.parametrize("peer", ["10.0.0.2", "::ffff:10.0.0.2"])
def test_behind_a_proxy_each_visitor_has_an_address(tmp_path: Path, peer: str) -> None:
    web = Web(tmp_path, proxies=["10.0.0.2"])
    # What comes before the last hop is the visitor's own invention.
    lock_out(web, address=peer, by="203.0.113.5, 198.51.100.7")
    other = web.visitor(address=peer, by="203.0.113.5")
    assert other.sign_in("ben", "b").status_code == 303
    same = web.visitor(address=peer, by="203.0.113.9, 198.51.100.7, 10.0.0.2")
    assert same.sign_in("ben", "b").status_code == 429


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "172.18.0.1", "10.0.0.2"])
@pytest.mark.parametrize("by", ["", "unknown"])
def test_an_address_that_all_share_closes_the_door_to_one_account(
    tmp_path: Path, peer: str, by: str
) -> None:
    web = Web(tmp_path, proxies=["10.0.0.2"])
    lock_out(web, address=peer, by=by)
    assert web.visitor(address=peer, by=by).sign_in("ben", "b").status_code == 303


def test_who_is_no_proxy_of_ours_names_no_address(web: Web) -> None:
    for number in range(5):
        visitor = web.visitor(address="9.9.9.9", by=f"203.0.113.{number}")
        assert visitor.sign_in("ana", "wrong").status_code == 401
    visitor = web.visitor(address="9.9.9.9", by="203.0.113.9")
    assert visitor.sign_in("ben", "b").status_code == 429


def test_a_name_that_is_unknown_is_told_like_a_wrong_password(web: Web) -> None:
    visitor = web.visitor()
    known, unknown = visitor.sign_in("ana", "x"), visitor.sign_in("eve", "x")
    assert known.status_code == unknown.status_code == 401
    for answer in (known, unknown):
        assert "The name or the password is wrong." in answer.text


def test_a_session_lasts_twelve_hours(web: Web) -> None:
    ana = web.visitor("ana")
    web.now += 12 * 3600 - 1
    assert ana.client.get("/shop").status_code == 200
    web.now += 2
    assert ana.client.get("/shop").status_code == 303


def test_the_store_has_no_secret_that_lets_anybody_in(web: Web) -> None:
    ana = web.visitor("ana")
    secret = ana.client.cookies["session"]
    with web.store.writing() as connection:
        token = people.add_token(connection, "ci", Role.DEPLOYER)
        kept = [
            str(row)
            for table in (tables.session, tables.token, tables.person)
            for row in connection.execute(select(table))
        ]
    assert not [row for row in kept if secret in row or token in row or "'a'" in row]


def test_a_removed_person_is_gone_from_an_open_page(web: Web) -> None:
    ana = web.visitor("ana")
    form = ana.form()
    with web.store.writing() as connection:
        people.remove_account(connection, "ana")
    assert ana.client.post("/shop/staging", data=form).status_code == 401
    assert ana.client.get("/shop").status_code == 303
    assert web.visitor().sign_in("ana", "a").status_code == 401


def test_a_new_password_ends_what_the_old_one_began(web: Web) -> None:
    ana, ben = web.visitor("ana"), web.visitor("ben")
    with web.store.writing() as connection:
        people.add_account(connection, "ana", "another", Role.DEPLOYER)
    assert ana.client.get("/shop").status_code == 303
    assert ben.client.get("/shop").status_code == 200
    assert ana.sign_in("ana", "another").status_code == 303


def test_a_role_taken_away_is_gone_from_an_open_page(web: Web) -> None:
    ana = web.visitor("ana")
    form = ana.form()
    with web.store.writing() as connection:
        key = {"name": "ana"}
        tables.write(connection, tables.person, key, role=int(Role.VIEWER))
    answer = ana.client.post("/shop/staging", data=form)
    assert answer.status_code == 403
    assert "You may look, but not change anything." in answer.text
    assert "Put on staging" not in ana.page()


def test_signing_out_ends_the_session_and_not_only_the_cookie(web: Web) -> None:
    ana = web.visitor("ana")
    secret = ana.client.cookies["session"]
    ana.client.post("/sign-out", data={"form": ana.form()["form"]})
    ana.client.cookies.set("session", secret)
    assert ana.client.get("/shop").status_code == 303


def test_a_token_is_named_in_the_history_and_can_be_removed(web: Web) -> None:
    with web.store.writing() as connection:
        token = people.add_token(connection, "deploy-token-3", Role.DEPLOYER)
    script = web.visitor().client
    header = {"Authorization": f"Bearer {token}"}
    wish = {"action": "put", "ref": "feat/seats"}
    answer = script.post("/api/shop/staging", json=wish, headers=header)
    assert answer.status_code == 202, answer.text
    assert "<b><bdi>deploy-token-3</bdi></b> (by token)" in web.visitor("ana").page()
    with web.store.writing() as connection:
        assert people.remove_token(connection, "deploy-token-3")
    assert script.get("/api/shop/staging", headers=header).status_code == 401


def test_what_waits_is_refused_once_the_role_is_taken_away(web: Web) -> None:
    with web.store.writing() as connection:
        token = people.add_token(connection, "deploy-token-3", Role.DEPLOYER)
    header = {"Authorization": f"Bearer {token}"}
    wish = {"action": "put", "ref": "feat/seats"}
    script = web.visitor().client
    assert script.post("/api/shop/staging", json=wish, headers=header).is_success
    with web.store.writing() as connection:
        people.remove_token(connection, "deploy-token-3")
    run(["git", "init", "--quiet"], cwd=Path(web.desk.services["shop"]), check=True)
    runner = Runner(web.store, web.desk, lambda: web.now)
    working = threading.Thread(target=runner.run)
    working.start()
    try:
        while web.rows("request")[0].state == "waiting":
            time.sleep(0.05)
    finally:
        runner.over.set()
        working.join()
    (refused,) = web.rows("request")
    assert refused.state == "refused"
    assert refused.said.startswith("You may look, but not change anything.")


def test_another_keyboard_spells_the_same_name_and_password(web: Web) -> None:
    with web.store.writing() as connection:
        people.add_account(connection, "Zoe\u0308", "cafe\u0301", Role.VIEWER)
    assert web.visitor().sign_in("Zo\u00eb", "caf\u00e9").status_code == 303
    assert web.visitor().sign_in("Zoe\u0308", "cafe\u0301").status_code == 303
    with web.store.writing() as connection:
        assert people.remove_account(connection, "Zoe\u0308")
