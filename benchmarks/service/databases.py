"""Temporary databases, and services that use them."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from tempfile import TemporaryDirectory

from sqlalchemy import make_url

from benchmarks.harness import processes
from benchmarks.harness.benchmark import Comparison
from benchmarks.service import servers
from tests.postgres import Postgres, programs, running_postgres

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}

# Creates an empty database with a name and returns its URL.
type MakeDatabase = Callable[[str], str]


def on_each(
    measure: Callable[[str, MakeDatabase], Sequence[Comparison]],
) -> list[Comparison]:
    """Measure on each kind of database that this machine has."""
    return [
        comparison
        for name, make_database in available()
        for comparison in measure(name, make_database)
    ]


def available() -> Iterator[tuple[str, MakeDatabase]]:
    """Yield each kind of database that this machine has, with its factory."""
    with TemporaryDirectory(prefix="benchmark-") as folder:
        yield "SQLite", lambda name: f"sqlite:///{folder}/{name}.db"
    if found := programs():
        with running_postgres(found) as server:
            yield "PostgreSQL", lambda name: created(server, name)


def created(server: Postgres, name: str) -> str:
    """Create a database on a server."""
    server.execute(f"CREATE DATABASE {name}")
    return server.url(name)


def migrate(database: str) -> None:
    """Create the tables of the service."""
    env = processes.environment(APP_DATABASE_URL=database)
    processes.run((sys.executable, "-m", "my_app", "migrate"), env=env)


def with_driver(database: str) -> str:
    """Name the driver in the URL of a database, as SQLAlchemy wants it."""
    url = make_url(database)
    named = url.set(drivername=DRIVERS[url.get_backend_name()])
    return named.render_as_string(hide_password=False)


def served(peer: str, database: str) -> AbstractContextManager[servers.Server]:
    """Run one service on a database."""
    addresses = {
        "APP_DATABASE_URL": database,
        "BARE_DATABASE_URL": with_driver(database),
    }
    return servers.served(peer, "/openapi.json", **addresses)
