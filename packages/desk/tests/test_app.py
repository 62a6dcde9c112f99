"""Who is let in, and what a page of another site can do: nothing."""

import json
import re
from pathlib import Path

import pytest
from starlette.requests import Request

from trunkline_desk.app import foreign
from visitors import URL, Web, hidden


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return Web(tmp_path)


def test_every_answer_has_the_policy(web: Web) -> None:
    for path in ("/sign-in", "/nothing/here", "/static/desk.css"):
        headers = web.visitor().client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"


def test_the_whole_page_is_light_and_has_nothing_inline_or_foreign(web: Web) -> None:
    ana = web.visitor("ana")
    text = ana.page()
    assert " style=" not in text
    assert " onclick=" not in text
    assert "<style" not in text
    assert "<script>" not in text
    files = ("desk.css", "desk.js", "htmx.js", "hx-sse.js", "icon.svg")
    sizes = [len(ana.client.get(f"/static/{one}").content) for one in files]
    assert sum(sizes) + len(text) < 100_000


@pytest.mark.parametrize("host", ["evil.example", "desk.example:81", "", "DESK"])
def test_a_forged_host_is_refused(web: Web, host: str) -> None:
    answer = web.visitor().client.get("/sign-in", headers={"Host": host})
    assert answer.status_code == 421
    assert "evil" not in answer.text


@pytest.mark.parametrize("hosts", [[], ["desk.example", "evil.example"]])
def test_a_request_names_one_host(web: Web, hosts: list[str]) -> None:
    named = [(b"host", one.encode()) for one in hosts]
    answer = foreign(web.desk, Request({"type": "http", "headers": named}))
    assert answer is not None
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://desk", "http://["]
)
def test_a_form_of_another_site_is_refused(web: Web, origin: str) -> None:
    ana = web.visitor("ana")
    answer = ana.client.post(
        "/shop/staging", data=ana.form(), headers={"Origin": origin}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "token", ["", "0" * 64, "é" * 64], ids=["none", "zeros", "not ASCII"]
)
def test_a_forged_form_is_refused(web: Web, token: str) -> None:
    ana = web.visitor("ana")
    answer = ana.client.post("/shop/staging", data=ana.form() | {"form": token})
    assert answer.status_code == 403
    for path in ("/shop", "/sign-out", "/sign-in"):
        body = {"form": token, "name": "ana", "password": "a"}
        assert ana.client.post(path, data=body).status_code == 403
    assert "Take it back" not in ana.page()


def test_the_form_of_another_browser_is_refused(web: Web) -> None:
    ana, ben = web.visitor("ana"), web.visitor("ben")
    assert ana.client.post("/shop/staging", data=ben.form()).status_code == 403


def test_a_forged_session_is_nobody(web: Web) -> None:
    visitor = web.visitor()
    for cookie in ("", "x" * 43, "../ana"):
        visitor.client.cookies.set("session", cookie)
        answer = visitor.client.get("/shop")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert visitor.client.get("/api/shop/staging").status_code == 401
        assert visitor.client.get("/stream").status_code == 401


def test_an_open_page_is_led_to_the_entrance_when_its_session_is_over(
    web: Web,
) -> None:
    ana = web.visitor("ana")
    ana.client.cookies.delete("session")
    for path in ("/shop", "/stream", "/shop/staging/put?ref=main"):
        answer = ana.client.get(path, headers={"HX-Request": "true"})
        # The page of the entrance would be put in place of what is open.
        assert answer.status_code == 401
        assert answer.headers["hx-redirect"] == "/sign-in"


def test_an_open_page_swaps_in_no_error(web: Web) -> None:
    found = re.search("name=\"htmx-config\" content='(.*)'", web.visitor("ana").page())
    assert found
    assert {"4xx", "5xx"} <= set(json.loads(found[1])["noSwap"])


def test_a_header_that_nobody_asked_for_names_nobody(web: Web) -> None:
    for name in ("X-Forwarded-User", "Remote-User", "X-Forwarded-Host"):
        answer = web.visitor().client.get("/shop", headers={name: "kim"})
        assert answer.status_code == 303


@pytest.mark.parametrize("names", [["ana", "kim"], ["kim", ""], ["k" * 101]])
def test_a_header_with_several_names_or_half_a_name_names_nobody(
    tmp_path: Path, names: list[str]
) -> None:
    web = Web(tmp_path, person_header="X-User", proxies=["10.0.0.2"])
    proxy = web.visitor(address="10.0.0.2").client
    answer = proxy.get("/shop", headers=[("X-User", one) for one in names])
    assert answer.headers["location"] == "/sign-in"


def test_a_header_counts_from_the_proxy_alone(tmp_path: Path) -> None:
    web = Web(tmp_path, person_header="X-User", proxies=["10.0.0.2"])
    header = {"X-User": "kim", "X-Forwarded-For": "10.0.0.2"}
    elsewhere = web.visitor(address="10.0.0.3").client
    assert elsewhere.get("/shop", headers=header).status_code == 303
    proxy = web.visitor(address="10.0.0.2").client
    assert "kim · releaser" in proxy.get("/shop", headers=header).text
    assert "lou · viewer" in proxy.get("/shop", headers={"X-User": "lou"}).text


@pytest.mark.parametrize("path", ["/%5Cevil.example", "/evil.example"])
def test_a_redirect_stays_here(web: Web, path: str) -> None:
    ana = web.visitor("ana")
    form = hidden(ana.page(), "form")
    answer = ana.client.post(path, data={"form": form})
    assert answer.headers.get("location", "/").replace(URL, "").startswith("/")
    assert not answer.headers.get("location", "/").startswith(("//", "/\\"))


def test_over_https_cookies_are_for_this_host_and_scripts_see_none(
    tmp_path: Path,
) -> None:
    web = Web(tmp_path, url="https://desk.example")
    visitor = web.visitor()
    visitor.client.base_url = "https://desk.example"
    cookies = visitor.sign_in("ana", "a").headers.get_list("set-cookie")
    (session,) = [one for one in cookies if one.startswith("__Host-session=")]
    for word in ("; HttpOnly", "; Path=/", "; SameSite=lax", "; Secure"):
        assert word in session
    assert "domain" not in session.lower()


def test_what_is_not_there_is_told_on_a_page_and_to_a_script_as_json(web: Web) -> None:
    client = web.visitor("ana").client
    answer = client.get("/shop/staging/put?ref=gone")
    assert answer.status_code == 404
    assert "There is no such branch or release any more.</p>" in answer.text
    assert 'href="/">Back to the page</a>' in answer.text
    answer = client.get("/api/shop/nowhere")
    assert answer.json() == {"detail": "There is no such environment."}


def test_what_cannot_be_is_told_on_a_page_and_to_a_script_as_json(web: Web) -> None:
    ana = web.visitor("ana")
    answer = ana.act("reserve", hours="337")
    assert answer.status_code == 422
    said = "hours: Input should be less than or equal to 336"
    assert f"This cannot be done. {said}.</p>" in answer.text
    answer = ana.client.post("/api/shop/staging", json={"action": "dance"})
    assert answer.json()["detail"].startswith("This cannot be done. action: Input")


@pytest.mark.parametrize(
    "more", ['"hours": NaN', '"hours": 1e999', '"why": "\\ud800"', '"\\ud800": 1']
)
def test_what_no_answer_can_repeat_is_told_all_the_same(web: Web, more: str) -> None:
    ana, text = web.visitor("ana"), f'{{"action": "reserve", {more}}}'
    json = {"Content-Type": "application/json"}
    answer = ana.client.post("/api/shop/staging", content=text, headers=json)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("This cannot be done. ")


def test_nobody_sends_more_than_a_form_has(web: Web) -> None:
    client = web.visitor().client
    for content, status in ((b"a" * 10**6, 413), (iter([b"a"]), 411)):
        answer = client.post("/api/shop/staging", content=content)
        assert answer.status_code == status
    assert client.post("/api/shop/staging", content=b"a" * 999_999).status_code == 401
    bare = client.build_request("POST", "/api/shop/staging")
    del bare.headers["content-length"]
    assert client.send(bare).status_code == 401


def test_a_database_that_is_away_is_told_and_comes_back(web: Web) -> None:
    ana = web.visitor("ana")
    with web.store.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE event RENAME TO away")
    answer = ana.client.get("/shop")
    assert answer.status_code == 503
    assert "The database of the desk does not answer." in answer.text
    answer = ana.client.get("/api/shop/staging")
    assert (answer.status_code, [*answer.json()]) == (503, ["detail"])
    with web.store.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO event")
    assert "Serving" in ana.page()
