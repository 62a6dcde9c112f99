"""Reading an ASGI scope without building a request object around it."""

from starlette.types import Scope


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header of this lower-case name, None where there is none."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None
