"""The id that links a request's response, errors and log lines."""

import re
from contextvars import ContextVar
from random import Random

# Visible ASCII without the two characters that JSON escapes, so an id needs no escaping
# in a header or a log line. 200 is the longest id that Heroku's router, the most
# generous of the common proxies, forwards.
VALID_REQUEST_ID = re.compile(rb"[!#-\[\]-~]{1,200}")

# An id is not a secret, so it is not worth a system call.
random_bits = Random().getrandbits  # noqa: S311

request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """Return the id of the current request; empty outside a request."""
    return request_id.get()


def new_request_id() -> str:
    """Generate an id: 128 random bits as 32 hexadecimal digits."""
    return f"{random_bits(128):032x}"
