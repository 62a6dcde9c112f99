"""Create or drop a database beside the service's; runs in the service's environment.

It is copied from the database NAME_template if there is one, and empty otherwise.
"""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

# PostgreSQL truncates longer names.
LONGEST = 63


def beside(url: str, name: str) -> str:
    """Return the address of a branch's database, named after the one at `url`."""
    parts = urlsplit(url)
    if parts.scheme.startswith("sqlite"):
        base, mark, query = url.partition("?")
        stem = base.removesuffix(".db")
        return f"{stem}_{name}{base[len(stem) :]}{mark}{query}"
    base = parts.path.lstrip("/")[: LONGEST - len(name) - 1]
    return parts._replace(path=f"/{base}_{name}").geturl()


def make(url: str, name: str) -> None:
    """Create the database unless it exists."""
    own, template = beside(url, name), beside(url, "template")
    if url.startswith("sqlite"):
        target, source = _file(own), _file(template)
        if source.exists() and not target.exists():
            half = target.with_name(f"{target.name}.half")
            half.unlink(missing_ok=True)
            with (
                closing(sqlite3.connect(source)) as one,
                closing(sqlite3.connect(half)) as other,
            ):
                one.backup(other)
            half.replace(target)
        return
    existing = _run(url, "SELECT datname FROM pg_database")
    if _database(own) not in existing:
        copied = _database(template)
        of = f' TEMPLATE "{copied}"' if copied in existing else ""
        _run(url, f'CREATE DATABASE "{_database(own)}"{of}')


def drop(url: str, name: str) -> None:
    """Drop the database if it exists."""
    own = beside(url, name)
    if url.startswith("sqlite"):
        for end in ("", "-wal", "-shm"):
            Path(f"{_file(own)}{end}").unlink(missing_ok=True)
        return
    _run(url, f'DROP DATABASE IF EXISTS "{_database(own)}" WITH (FORCE)')


def _file(url: str) -> Path:
    """Return the SQLite file of a URL; `////` begins an absolute path."""
    return Path(urlsplit(url).path.removeprefix("/"))


def _database(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


def _run(url: str, statement: str) -> set[str]:
    import psycopg  # noqa: PLC0415 - the service's, and with PostgreSQL alone

    parts = urlsplit(url)
    address = parts._replace(scheme=parts.scheme.partition("+")[0]).geturl()
    with psycopg.connect(address, autocommit=True) as connection:
        found = connection.execute(statement.encode())
        return {row[0] for row in found} if found.description else set()


if __name__ == "__main__":
    {"make": make, "drop": drop}[sys.argv[1]](
        os.environ["APP_DATABASE_URL"], sys.argv[2]
    )
    print(beside(os.environ["APP_DATABASE_URL"], sys.argv[2]))
