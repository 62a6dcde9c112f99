"""What an endpoint may ask of the application that it is part of."""

from fastapi import FastAPI

from my_app.config import Flags
from my_app.core.platform.context import CurrentContext, CurrentFlags

from tests.conftest import MakeClient


async def test_an_endpoint_is_given_the_flags_and_settings_of_its_application(
    app: FastAPI, flags: Flags, make_client: MakeClient
) -> None:
    @app.get("/asked")
    async def asked(flags: CurrentFlags, context: CurrentContext) -> dict[str, object]:
        return {"flags": flags.enabled(), "at": context.settings.environment}

    async with make_client(app) as client:
        response = await client.get("/asked")

    assert response.json() == {"flags": flags.enabled(), "at": "test"}
