"""The composition root wires features, in order, and closes what they opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import Field

from my_app import core
from my_app.config import Flags, Settings, load
from my_app.core.app import FEATURES, create_app, settings_class
from my_app.core.platform.context import Behind, context_of
from my_app.core.platform.feature import Feature, Lifespan
from my_app.environment import (
    EnvironmentVariablesError,
    example,
)

from tests.conftest import MakeClient
from tests.core.platform.features import SampleFlags


def noting(name: str, notes: list[str]) -> Lifespan:
    """Record when a feature is opened and closed."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        notes.append(f"open {name}")
        yield
        stopping = app.state.context.readiness.stopping
        notes.append(f"close {name}, {'not ready' if stopping else 'ready'}")

    return lifespan


async def test_features_open_in_order_and_close_in_reverse_when_not_ready(
    settings: Settings, flags: Flags, make_client: MakeClient
) -> None:
    notes: list[str] = []
    features = [
        Feature(name=name, router=APIRouter(), lifespan=noting(name, notes))
        for name in ("a", "b")
    ]

    async with make_client(create_app(settings, flags, features)):
        assert notes == ["open a", "open b"]

    assert notes[2:] == ["close b, not ready", "close a, not ready"]


def test_every_feature_is_wired() -> None:
    for name in (each.name for each in iter_modules(core.__path__) if each.ispkg):
        feature = getattr(import_module(f"{core.__name__}.{name}"), "feature", None)
        assert not isinstance(feature, Feature) or feature in FEATURES, (
            f"{name} is not wired; add to FEATURES in core/app.py: {name}.feature,"
        )


class ShopSettings(Settings):
    """Settings of some feature."""

    shop_url: str = Field("https://shop.example", description="Where the shop is")


def test_settings_of_a_feature_are_read_and_listed_with_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shop = Feature(name="shop", router=APIRouter(), settings=ShopSettings)
    model = settings_class([shop])
    monkeypatch.setenv("APP_SHOP_URL", "https://b.example")
    assert (
        load(model, tmp_path).settings.of(ShopSettings).shop_url == "https://b.example"
    )

    monkeypatch.setenv("APP_SHOP_RUL", "https://b.example")
    monkeypatch.setenv("APP_PORT", "high")
    with pytest.raises(EnvironmentVariablesError, match=r"(?s)APP_PORT.+APP_SHOP_URL"):
        load(model, tmp_path)
    assert "# APP_SHOP_URL=https://shop.example\n" in example([model])


@pytest.mark.parametrize("state", [False, True])
async def test_an_endpoint_is_hidden_while_its_flag_is_off(
    settings: Settings, make_client: MakeClient, *, state: bool
) -> None:
    hidden = [Depends(Behind("ENABLE_SAMPLE"))]
    router = APIRouter(dependencies=hidden)

    @router.get("/hidden")
    async def answer() -> None:
        """Answer."""

    flags = SampleFlags(ENABLE_SAMPLE=state)
    app = create_app(settings, flags, [Feature(name="sample", router=router)])
    app.get("/nested", dependencies=hidden)(answer)

    async with make_client(app) as client:
        answers = [await client.get(path) for path in ("/hidden", "/nested")]
        assert {each.status_code for each in answers} == {200 if state else 404}
        assert ("/hidden" in (await client.get("/openapi.json")).text) == state


async def test_an_endpoint_gets_the_flags_and_settings_of_its_application(
    app: FastAPI, flags: Flags, make_client: MakeClient
) -> None:
    @app.get("/asked")
    async def asked(request: Request) -> dict[str, object]:
        context = context_of(request)
        at = context.settings.environment
        return {"flags": context.flags.enabled(), "at": at}

    async with make_client(app) as client:
        response = await client.get("/asked")

    assert response.json() == {"flags": flags.enabled(), "at": "test"}
