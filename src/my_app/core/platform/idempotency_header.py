"""How an endpoint asks for the idempotency key of its request, and documents it."""

from typing import Annotated, Any

from fastapi import Depends, Request

from my_app.core.platform.idempotency import (
    HEADER,
    REPLAYED,
    WRITTEN_KEY,
    read_key,
)


async def get_idempotency_key(request: Request) -> str:
    """Return the key of this request.

    Read by hand: FastAPI answers a header that is missing with 422, the draft with 400.
    """
    return read_key(request.headers.getlist(HEADER))


IdempotencyKey = Annotated[str, Depends(get_idempotency_key)]

# For `openapi_extra` of an operation that asks for a key.
DOCUMENTED_KEY: dict[str, Any] = {
    "parameters": [
        {
            "name": HEADER,
            "in": "header",
            "required": True,
            "description": "A name of your own for this request, such as a UUID. "
            "Send the same one to repeat it: it is then done once and answered again.",
            "schema": {"type": "string", "pattern": f"^({WRITTEN_KEY.pattern})$"},
            "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
        }
    ]
}

# For `headers` of the response.
DOCUMENTED_REPLAYED: dict[str, Any] = {
    REPLAYED: {
        "description": "`true` where an earlier request had this key",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
