"""How long a page of the list takes as the list grows."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from http.client import HTTPConnection
from statistics import median
from time import perf_counter, time_ns
from uuid import UUID

import psycopg
from sqlalchemy import make_url

from my_app.core.platform.cursors import encode
from my_app.core.platform.identifiers import Identifiers, made_at

from benchmarks import stores
from benchmarks.benchmark import BenchmarkError, Comparison
from benchmarks.samples import compared_by_best, interleaved

FEW = 1_000
MANY = 1_000_000
PAGES = 50
OK = 200
LINES = json.dumps(
    [{"kind": "seats", "description": "Seats", "quantity": 12, "amount": 12_960}]
)


def run(rounds: int) -> list[Comparison]:
    """Ask for the first page and for one in the middle, of both lists in turns."""
    return [
        comparison
        for name, make_database in stores.stores()
        for comparison in on(name, make_database, rounds)
    ]


def on(name: str, make_database: stores.MakeDatabase, rounds: int) -> list[Comparison]:
    """Compare on one kind of database."""
    measures = {}
    with ExitStack() as stack:
        for count in (FEW, MANY):
            database = make_database(f"list_of_{count}")
            stores.migrate(database)
            cursor = encode(fill(database, count), of="invoices")
            _, port = stack.enter_context(stores.served("invoices", database))
            measures[f"first {count}"] = partial(seconds, port, "")
            measures[f"middle {count}"] = partial(seconds, port, f"?cursor={cursor}")
        samples = interleaved(rounds, measures)
    return [
        compared_by_best(
            f"{page} page of {MANY:,} invoices, {name}",
            "s",
            peer=f"{FEW:,} invoices",
            ours=samples[f"{page} {MANY}"],
            theirs=samples[f"{page} {FEW}"],
            bounded=True,
        )
        for page in ("first", "middle")
    ]


def fill(database: str, count: int) -> UUID:
    """Put so many invoices into a database, one a second; return the middle one."""
    begun = time_ns() - count * 10**9
    clock = iter(range(begun, begun + (count + 1) * 10**9, 10**9))
    make = Identifiers(lambda: next(clock))
    identifiers = [make() for _ in range(count)]
    url = make_url(database)
    if url.get_backend_name() == "sqlite":
        fill_sqlite(str(url.database), identifiers)
    else:
        fill_postgres(database, identifiers)
    return identifiers[count // 2]


def rows(identifiers: list[UUID]) -> Iterator[tuple[UUID, str]]:
    """Yield what differs from invoice to invoice."""
    for identifier in identifiers:
        yield identifier, made_at(identifier).isoformat(" ", "microseconds")


def fill_sqlite(file: str, identifiers: list[UUID]) -> None:
    """Insert them in one transaction, as SQLAlchemy would write them."""
    statement = (
        "INSERT INTO invoices (id, created_at, currency, lines, total) "
        "VALUES (?, ?, 'EUR', ?, 12960)"
    )
    values = (
        (identifier.hex, then.removesuffix("+00:00"), LINES)
        for identifier, then in rows(identifiers)
    )
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executemany(statement, values)
        connection.execute("ANALYZE")


def fill_postgres(database: str, identifiers: list[UUID]) -> None:
    """Copy them in, and have the server look at what it got, as it would in time."""
    statement = "COPY invoices (id, created_at, currency, lines, total) FROM STDIN"
    with psycopg.connect(database, autocommit=True) as connection:
        with connection.cursor().copy(statement) as copy:
            for identifier, then in rows(identifiers):
                copy.write_row((identifier, then, "EUR", LINES, 12_960))
        connection.execute("VACUUM ANALYZE invoices")


def seconds(port: int, query: str) -> float:
    """Ask for a page again and again; return the median time until it is there."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    took = []
    for _ in range(PAGES):
        begun = perf_counter()
        connection.request("GET", f"/billing/invoices{query}")
        response = connection.getresponse()
        response.read()
        took.append(perf_counter() - begun)
        if response.status != OK:
            raise BenchmarkError(f"found {response.status} for a page of the list")
    connection.close()
    return median(took)
