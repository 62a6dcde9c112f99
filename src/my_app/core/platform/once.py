"""Routes that execute a request once per key."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

from .context import context_of, get_actor
from .db.database import DatabaseSettings, database_of
from .idempotency import (
    DOCUMENTED_KEY,
    DOCUMENTED_REPLAYED,
    HEADER,
    REPLAYED,
    Claim,
    fingerprint,
    parse_key,
)

type Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OncePerKey(APIRoute):
    """Requires an Idempotency-Key for each operation that answers 201.

    One line for a whole feature: `APIRouter(prefix=…, route_class=OncePerKey)`. Key and
    response are stored in the transaction that `Session` gives to the endpoint.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **options)
        if self.status_code == HTTPStatus.CREATED:
            extra = self.openapi_extra or {}
            parameters = [*extra.get("parameters", ()), DOCUMENTED_KEY]
            self.openapi_extra = extra | {"parameters": parameters}
            created = self.responses.get(201, {})
            headers = created.get("headers", {}) | DOCUMENTED_REPLAYED
            self.responses = self.responses | {201: created | {"headers": headers}}

    def get_route_handler(self) -> Handler:
        """Wrap the endpoint's handler."""
        handle = super().get_route_handler()
        if self.status_code != HTTPStatus.CREATED:
            return handle
        field = self.body_field
        annotation: Any = field.field_info.annotation if field else None
        body = TypeAdapter[Any](annotation)

        async def handle_once(request: Request) -> Response:
            return await answer_once(request, handle, body)

        return handle_once


async def answer_once(
    request: Request,
    handle: Callable[[Request], Awaitable[Response]],
    body: TypeAdapter[Any],
) -> Response:
    """Answer with the stored response, or handle the request and store its response."""
    # Imported late: importing the application must not import SQLAlchemy.
    from .tables import Keys, Stored  # noqa: PLC0415

    # The order of the checks: FastAPI would answer a missing header with 422, not 400.
    key = parse_key(request.headers.getlist(HEADER))
    settings = context_of(request).settings.of(DatabaseSettings)
    asked = [request.url.path, request.url.query, meaning(await request.body(), body)]
    if actor := (await get_actor(request)).id:
        asked.append(actor)  # Nobody gets the response to somebody else.
    claim = Claim(key=key, fingerprint=fingerprint(asked), made_at=datetime.now(UTC))
    async with database_of(request.app).transaction(writing=True) as session:
        keys = Keys(session)
        lifetime = timedelta(hours=settings.idempotency_key_hours)
        if earlier := await keys.claim(claim, lifetime=lifetime):
            headers = earlier.headers | {REPLAYED: "true"}
            return Response(earlier.body, earlier.status, headers)
        request.state.session = session
        response = await handle(request)
        status, headers = response.status_code, dict(response.headers)
        stored = Stored(status, headers, bytes(response.body))
        await keys.remember(key, stored if status < HTTPStatus.BAD_REQUEST else None)
        return response


def meaning(content: bytes, body: TypeAdapter[Any]) -> object:
    """Return the meaning of a body; its text if it will be refused anyway.

    Without defaults: adding a field with a default later leaves the fingerprints of
    requests that do not send it unchanged.
    """
    try:
        parsed = body.validate_json(content or b"null")
    except ValidationError:
        return content.decode(errors="replace")
    return body.dump_python(parsed, mode="json", exclude_defaults=True)
