"""Rules that no schema can express, for Schemathesis: of every feature.

- Only issued cursors are valid: a generated one is replaced by one of its list, which
  is named after its path.
- A key that comes again with another body is refused: each request gets its own.

So a refusal of what is otherwise within its schema would be a fault.
"""

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
    if isinstance(case.query.get("cursor"), str):
        case.query["cursor"] = encode(new_identifier(), of=case.path)
    if HEADER_VALUE.fullmatch(str(case.headers.get(HEADER, ""))):
        case.headers[HEADER] = str(uuid4())
