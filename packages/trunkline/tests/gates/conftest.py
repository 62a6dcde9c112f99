"""A stand-in for osv.dev at a free port of this machine."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from http_servers import QuietHandler, serving


@contextmanager
def advisory_service(known: dict[str, str]) -> Iterator[str]:
    """Serve advisories, by package name, and yield the address."""

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.read_body())["queries"]
            found = [known.get(query["package"]["name"]) for query in asked]
            self.answer(
                {"results": [{"vulns": [named(id)]} if id else {} for id in found]}
            )

        def do_GET(self) -> None:
            self.answer(named(self.path.rpartition("/")[2]) | {"summary": "bad"})

        def answer(self, document: dict[str, object]) -> None:
            headers = {"Content-Type": "application/json"}
            self.reply(200, headers, json.dumps(document).encode())

    with serving(Handler) as place:
        yield f"http://{place}/"


def named(number: str) -> dict[str, object]:
    return {"id": number, "modified": "2026-01-01T00:00:00Z"}


@pytest.fixture
def osv() -> Iterator[str]:
    """A service that knows no vulnerability."""
    with advisory_service({}) as address:
        yield address


@pytest.fixture
def vulnerable() -> Iterator[str]:
    """A service that knows a vulnerability of the packages `bad` and `rates`."""
    with advisory_service({"bad": "GHSA-1", "rates": "GHSA-1"}) as address:
        yield address
