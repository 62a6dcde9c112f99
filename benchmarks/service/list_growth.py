"""The time for a page of a list as the list grows."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from http.client import HTTPConnection
from statistics import median
from time import perf_counter, time_ns
from typing import NamedTuple
from uuid import UUID

import psycopg
from sqlalchemy import make_url

from my_app.core.platform.cursors import encode
from my_app.core.platform.identifiers import Identifiers, made_at

from benchmarks.harness import machine
from benchmarks.harness.benchmark import BenchmarkError, Comparison
from benchmarks.harness.samples import compared, interleaved
from benchmarks.service import databases

FEW = 1_000
MANY = 1_000_000
PAGES = 200
OK = 200
LINES = json.dumps(
    [{"kind": "seats", "description": "Seats", "quantity": 12, "amount": 12_960}]
)


class Sample(NamedTuple):
    """Seconds for a page: CPU time of service and database, and the client's wait."""

    cpu: float | None
    wall: float


def run(rounds: int) -> list[Comparison]:
    """Ask for the first page and for one in the middle, of both lists in turns."""
    return databases.on_each(partial(on, rounds=rounds))


def on(
    name: str, make_database: databases.MakeDatabase, *, rounds: int
) -> list[Comparison]:
    """Compare on one kind of database."""
    measures = {}
    with ExitStack() as stack:
        for count in (FEW, MANY):
            database = make_database(f"list_of_{count}")
            databases.migrate(database)
            cursor = encode(fill(database, count), of="/billing/invoices")
            server = stack.enter_context(databases.served("invoices", database))
            ask(server.port, "", pages=1)
            pids = [server.process.pid, *backends(database)]
            for page, query in (("first", ""), ("middle", f"?cursor={cursor}")):
                measures[f"{page} {count}"] = partial(sample, pids, server.port, query)
        samples = interleaved(rounds, measures)
    return [
        comparison
        for page in ("first", "middle")
        for comparison in compare(
            f"{page} page of {MANY:,} invoices, {name}",
            samples[f"{page} {MANY}"],
            samples[f"{page} {FEW}"],
        )
    ]


def compare(
    what: str, many: Sequence[Sample], few: Sequence[Sample]
) -> Iterator[Comparison]:
    """Compare the CPU time of service and database, and how long a client waits."""
    for kind in Sample._fields:
        ours, theirs = ([getattr(each, kind) for each in it] for it in (many, few))
        if None not in ours + theirs:
            yield compared(
                f"{what}: {kind}",
                "s",
                peer=f"{FEW:,} invoices",
                ours=ours,
                theirs=theirs,
                bounded=kind == "cpu",
                best=True,
            )


def fill(database: str, count: int) -> UUID:
    """Fill a database with invoices, one second apart; return the middle one's id."""
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
    """Copy them in and update the statistics, as autovacuum would."""
    statement = "COPY invoices (id, created_at, currency, lines, total) FROM STDIN"
    with psycopg.connect(database, autocommit=True) as connection:
        with connection.cursor().copy(statement) as copy:
            for identifier, then in rows(identifiers):
                copy.write_row((identifier, then, "EUR", LINES, 12_960))
        connection.execute("VACUUM ANALYZE invoices")


def backends(database: str) -> list[int]:
    """Return the processes of PostgreSQL that serve a database; SQLite has none."""
    if make_url(database).get_backend_name() == "sqlite":
        return []
    query = (
        "SELECT pid FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(database) as connection:
        return [pid for (pid,) in connection.execute(query)]


def sample(pids: Sequence[int], port: int, query: str) -> Sample:
    """Request a page repeatedly and measure."""
    before = [machine.cpu_seconds(pid) for pid in pids]
    wall = ask(port, query, pages=PAGES)
    after = [machine.cpu_seconds(pid) for pid in pids]
    if None in before + after:
        return Sample(None, wall)
    return Sample((sum(filter(None, after)) - sum(filter(None, before))) / PAGES, wall)


def ask(port: int, query: str, *, pages: int) -> float:
    """Request a page `pages` times; return the median time."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    took = []
    for _ in range(pages):
        begun = perf_counter()
        connection.request("GET", f"/billing/invoices{query}")
        response = connection.getresponse()
        response.read()
        took.append(perf_counter() - begun)
        if response.status != OK:
            raise BenchmarkError(f"found {response.status} for a page of the list")
    connection.close()
    return median(took)
