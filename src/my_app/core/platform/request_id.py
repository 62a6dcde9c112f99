"""The id that ties together a request's response, its errors and its log lines."""

import re
from contextvars import ContextVar
from random import Random

# Visible ASCII without the two characters that JSON escapes, so that an id can go
# into a header and a log line as it is. 200 is the longest that Heroku's router,
# the most generous of the common proxies, sends on.
VALID_REQUEST_ID = re.compile(rb"[!#-\[\]-~]{1,200}")

# An id is no secret, so it need not cost a system call.
random_bits = Random().getrandbits  # noqa: S311

request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """Return the id of the request being answered; empty outside of one."""
    return request_id.get()


def new_request_id() -> str:
    """Make an id: 128 random bits in 32 hexadecimal digits."""
    return f"{random_bits(128):032x}"
