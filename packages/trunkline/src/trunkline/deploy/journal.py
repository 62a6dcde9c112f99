"""An append-only journal of operations, their steps and outcomes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from trunkline.deploy.lock import busy
from trunkline.deploy.operation import (
    Candidate,
    DeployStep,
    Operation,
    Outcome,
    interrupted,
)
from trunkline.errors import FailedError, Refusal

# A service without a database need not install them to release.
try:
    import sqlalchemy as sa
    from sqlalchemy.exc import SQLAlchemyError

    from trunkline.deploy.journal_migrations.upgrade import upgrade
except ModuleNotFoundError as missing:
    raise Refusal(
        rule="journal",
        found=f"no module `{missing.name}` in this environment",
        expected="SQLAlchemy and Alembic, which keep the journal of deploys",
        fix="uv add --dev 'sqlalchemy>=2.1' 'alembic>=1.20'",
    ) from missing

# Seconds to wait for another process that writes.
PATIENCE = 30
# The column types are in `journal_migrations`.
OPERATION = sa.table(
    "operation",
    *(sa.column(name) for name in ("id", "place", "name", "ref", "commit")),
    *(sa.column(name) for name in ("variables_of", "digest", "by", "at", "took_back")),
)
EVENT = sa.table(
    "event",
    *(sa.column(name) for name in ("id", "place", "operation", "kind", "text")),
    *(sa.column(name) for name in ("at", "reason", "seconds")),
)


class DeployJournal:
    """The journal of one environment: a SQLite file, or rows in a shared database."""

    def __init__(self, file: Path, *, address: str = "", place: str = "") -> None:
        """`place` identifies the environment in the database at `address`."""
        self.file = file
        self.address = address
        self.place = place if address else ""

    @contextmanager
    def _open(self) -> Iterator[sa.Connection]:
        """Yield a connection to the newest tables, in a transaction."""
        try:
            with self._engine().begin() as connection:
                upgrade(connection)
                yield connection
        except (OSError, ImportError, ValueError, SQLAlchemyError) as error:
            # Without the statement and the link that SQLAlchemy adds.
            said = str(getattr(error, "orig", None) or error).strip()
            where = "in the shared database" if self.address else self.file
            raise FailedError(f"the journal {where} cannot be used: {said}") from error

    def _engine(self) -> sa.Engine:
        if self.address:
            return sa.create_engine(self.address, poolclass=sa.NullPool)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        # pysqlite would begin late, and commit before a table changes.
        options = {"timeout": PATIENCE, "isolation_level": None}
        url = sa.URL.create("sqlite", database=str(self.file))
        engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=options)
        sa.event.listen(engine, "begin", _begin_at_once)
        return engine

    @contextmanager
    def alone(self, *, wait: bool) -> Iterator[None]:
        """Lock out other machines that share the journal; raises Refusal if locked.

        The server releases the lock when this process ends. A file needs none.
        """
        if not self.address.startswith("postgresql"):
            yield
            return
        key = sa.func.hashtext(f"trunkline {self.place}")
        engine = self._engine().execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            while not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(key))):
                left = interrupted(self.operations())
                who = f"{left.by} deploys {left.candidate.ref}" if left else "a deploy"
                if not wait:
                    raise busy(f"{who} from another machine that shares the journal")
                time.sleep(1)
            yield

    def begin(self, operation: Operation) -> None:
        """Record who begins which operation."""
        self._add(
            OPERATION,
            **asdict(operation.candidate),
            name=operation.name,
            at=operation.at,
            by=operation.by,
            took_back=int(operation.took_back),
        )

    def intend(self, operation: str, step: DeployStep, at: float) -> None:
        """Record that a step begins."""
        row = {"operation": operation, "at": at, "kind": "step", "text": step.value}
        self._add(EVENT, **row, reason="", seconds=0.0)

    def end(
        self,
        operation: str,
        ending: Outcome,
        at: float,
        *,
        reason: str = "",
        seconds: float = 0.0,
    ) -> None:
        """Record how an operation ended."""
        row = {"operation": operation, "at": at, "kind": "ending", "text": ending.value}
        self._add(EVENT, **row, reason=reason, seconds=seconds)

    def _add(self, table: sa.TableClause, **row: object) -> None:
        with self._open() as connection:
            connection.execute(sa.insert(table).values(place=self.place, **row))

    def operations(self) -> list[Operation]:
        """Return all operations, oldest first."""
        if not (self.address or self.file.exists()):
            return []
        with self._open() as connection:
            # Events first, because another machine may begin an operation in between.
            events = self._rows(connection, EVENT).all()
            found = {row.name: _operation(row) for row in self._rows(connection)}
            for row in events:
                found[row.operation] = _after(found[row.operation], row)
        return list(found.values())

    def _rows(
        self, connection: sa.Connection, table: sa.TableClause = OPERATION
    ) -> sa.CursorResult[Any]:
        mine = sa.select(table).where(table.c.place == self.place)
        return connection.execute(mine.order_by(table.c.id))


def _operation(row: sa.Row[Any]) -> Operation:
    return Operation(
        name=row.name,
        at=row.at,
        candidate=Candidate(row.ref, row.commit, row.variables_of, row.digest),
        by=row.by,
        took_back=bool(row.took_back),
    )


def _after(operation: Operation, row: sa.Row[Any]) -> Operation:
    if row.kind == "step":
        begun = (*operation.steps, (DeployStep(row.text), row.at))
        return replace(operation, step=DeployStep(row.text), steps=begun)
    ending, reason, seconds = Outcome(row.text), row.reason, row.seconds
    return replace(operation, ending=ending, reason=reason, seconds=seconds)


def _begin_at_once(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
