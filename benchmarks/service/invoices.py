"""Invoices per second, created and read, against endpoints written by hand."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from http.client import HTTPConnection

from benchmarks.harness.benchmark import BenchmarkError, Bound, Comparison
from benchmarks.harness.samples import compared, interleaved
from benchmarks.service import databases
from benchmarks.service.load import Sample, columns, sample, send
from benchmarks.service.peers.serve import INVOICE_PEERS
from benchmarks.service.servers import Server

PEER = "FastAPI + SQLAlchemy"
PATH = "/billing/invoices"
BODY = json.dumps({"seats": 12, "usage": 25_000, "currency": "EUR"})
ORDER = (
    f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    f"Idempotency-Key: NUMBER\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}"
)
CREATED = 201
# Ours takes a key and stores the response: two statements that the peer has not.
LIMITS = {"created": 0.5, "read": 0.75}


def run(rounds: int) -> list[Comparison]:
    """Load both services in turns of one second, on each database."""
    return databases.on_each(partial(on, rounds=rounds))


def on(
    name: str, make_database: databases.MakeDatabase, *, rounds: int
) -> list[Comparison]:
    """Compare on one kind of database."""
    measures = {}
    with ExitStack() as stack:
        for peer in INVOICE_PEERS:
            database = make_database(peer)
            databases.migrate(database)
            server = stack.enter_context(databases.served(peer, database))
            read = request_for(first(server.port))
            measures[f"{peer} created"] = sampled(server, ORDER)
            measures[f"{peer} read"] = sampled(server, read)
        samples = interleaved(rounds, measures)
    return [
        comparison
        for what, limit in LIMITS.items()
        for comparison in compare(
            f"{what}, {name}",
            *(samples[f"{peer} {what}"] for peer in INVOICE_PEERS),
            limit=limit,
        )
    ]


def compare(
    what: str, ours: Sequence[Sample], theirs: Sequence[Sample], *, limit: float
) -> Iterator[Comparison]:
    """Compare rates and the server's CPU time per invoice."""
    rates = compared(
        f"invoices/s {what}",
        "/s",
        peer=PEER,
        ours=[each.requests_per_second for each in ours],
        theirs=[each.requests_per_second for each in theirs],
    )
    yield replace(rates, bound=Bound(limit, at_least=True))
    used, theirs_used = columns(ours)[1], columns(theirs)[1]
    if used and theirs_used:
        yield compared(
            f"server CPU per invoice {what}",
            "µs",
            peer=PEER,
            ours=used,
            theirs=theirs_used,
        )


def sampled(server: Server, request: str) -> Callable[[], Sample]:
    """Return a function that loads one service for a second."""
    return partial(sample, server, partial(send, server.port, request, seconds=1))


def first(port: int) -> str:
    """Create one invoice and return its id."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/json", "Idempotency-Key": "first"}
    connection.request("POST", PATH, BODY, headers)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    if response.status != CREATED:
        raise BenchmarkError(f"found {response.status} for an invoice: {answer!r}")
    identifier: str = json.loads(answer)["id"]
    return identifier


def request_for(identifier: str) -> str:
    """Write the request for an invoice."""
    return f"GET {PATH}/{identifier} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
