"""Every error is a problem document that says what to do, without the input."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, HTTPException
from httpx2 import AsyncClient, Response

from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.errors import DomainError
from my_app.core.platform.http.problems import title_of

from tests.conftest import MakeClient
from tests.core.platform.features import misbehaving

JSON = {"content-type": "application/json"}


@pytest.fixture
async def client(
    settings: Settings, flags: Flags, make_client: MakeClient
) -> AsyncIterator[AsyncClient]:
    async with make_client(create_app(settings, flags, [misbehaving])) as client:
        yield client


def is_problem(response: Response, status: int) -> bool:
    document = response.json()
    return bool(
        response.status_code == status == document["status"]
        and response.headers["content-type"] == "application/problem+json"
        and document["request_id"] == response.headers["x-request-id"]
        and {"type", "title", "code", "detail", "instance"} <= document.keys()
    )


async def test_an_unknown_url_is_404(client: AsyncClient) -> None:
    assert is_problem(await client.get("/nowhere"), 404)


async def test_a_wrong_method_is_405_and_lists_the_allowed_ones(
    client: AsyncClient,
) -> None:
    response = await client.delete("/version")

    assert is_problem(response, 405)
    assert response.headers["allow"] == "GET, HEAD"


async def test_the_allowed_methods_are_those_of_every_route(
    client: AsyncClient,
) -> None:
    response = await client.delete("/both")

    assert is_problem(response, 405)
    assert response.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", JSON, 400),
        (b'{"count": 1, "colour": "\xff"}', JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b'{"count": 1' + b"0" * 5_000 + b"}", JSON, 400),
        (b"{}", {}, 415),
        (b"count=1", {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b"", JSON, 422),
        (b"", {}, 422),
        (b"null", JSON, 422),
        (b"[]", JSON, 422),
        (b"{}", {"content-type": "application/vnd.acme+json; charset=utf-8"}, 422),
        (b'{"count": NaN, "colour": "red"}', JSON, 422),
        (b'{"\\ud800": 1, "count": 1, "colour": "red"}', JSON, 422),
    ],
)
async def test_an_unreadable_body_has_its_own_status(
    client: AsyncClient, content: bytes, headers: dict[str, str], status: int
) -> None:
    response = await client.post("/orders", content=content, headers=headers)

    assert is_problem(response, status)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"colour": "blue"}, "/body/colour"),
        ({"count": -1}, "/body/count"),
        ({"count": 10**12}, "/body/count"),
        ({"count": "5"}, "/body/count"),
        ({"note": "A" * 10_000}, "/body/note"),
        ({"shape": "round"}, "/body/shape"),
    ],
)
async def test_an_invalid_value_is_422_with_a_pointer(
    client: AsyncClient, change: dict[str, object], where: str
) -> None:
    order = {"count": 1, "colour": "red"} | change
    response = await client.post("/orders", json=order)

    assert is_problem(response, 422)
    assert [error["pointer"] for error in response.json()["errors"]] == [where]
    assert len(response.content) < 1_000


@pytest.mark.parametrize(
    ("given", "detail"),
    [("Short and stout.", "Short and stout."), ({"short": 1}, '{"short": 1}')],
)
async def test_a_custom_status_keeps_its_detail_as_a_text(
    app: FastAPI, make_client: MakeClient, given: object, detail: str
) -> None:
    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, given, {"x-spout": "yes"})

    async with make_client(app) as client:
        response = await client.get("/teapot")

    assert is_problem(response, 418)
    assert response.json()["detail"] == detail
    assert response.headers["x-spout"] == "yes"


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_a_body_has_none(
    app: FastAPI, make_client: MakeClient, status: int
) -> None:
    @app.get("/cached")
    async def cached() -> None:
        raise HTTPException(status, headers={"etag": "a"})

    async with make_client(app) as client:
        response = await client.get("/cached")

    assert (response.status_code, response.content) == (status, b"")
    assert response.headers["etag"] == "a"


class SoldOutError(DomainError):
    """A rule of some feature."""

    code = "sold_out"


@pytest.mark.parametrize("status", [409, 503])
async def test_a_domain_error_has_its_own_status_and_code(
    app: FastAPI, make_client: MakeClient, status: int
) -> None:
    SoldOutError.status = status

    @app.post("/sold-out")
    async def order() -> None:
        raise SoldOutError("Nothing is left.")

    async with make_client(app) as client:
        response = await client.post("/sold-out")

    assert is_problem(response, status)
    assert response.json()["code"] == "sold_out"
    assert response.json()["detail"] == "Nothing is left."


@pytest.mark.parametrize(
    ("status", "title"),
    [(404, "Not Found"), (422, "Unprocessable Content"), (799, "Error")],
)
def test_a_status_has_its_standard_name(status: int, title: str) -> None:
    assert title_of(status) == title
