"""Rules that the schema cannot express, for Schemathesis.

- A well-formed discount code may be unknown: it is replaced by one that exists.
- Only issued cursors are valid: replace a generated one with a plausible one.
- A key that comes again with another body is refused: each request gets its own.

So a refusal of what is otherwise within its schema would be a fault.
"""

import re
from typing import Any
from uuid import uuid4

import schemathesis

from my_app.core.platform.cursors import encode
from my_app.core.platform.idempotency import (
    HEADER,
    HEADER_VALUE,
)
from my_app.core.platform.identifiers import new_identifier


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: object
) -> None:
    """Replace well-formed values by existing ones."""
    if isinstance(case.body, dict):
        code = case.body.get("discount_code")
        if isinstance(code, str) and re.fullmatch("[A-Z0-9]{1,32}", code):
            case.body["discount_code"] = "WELCOME10"
    if isinstance(case.query.get("cursor"), str):
        case.query["cursor"] = encode(new_identifier(), of="invoices")
    if HEADER_VALUE.fullmatch(str(case.headers.get(HEADER, ""))):
        case.headers[HEADER] = str(uuid4())
