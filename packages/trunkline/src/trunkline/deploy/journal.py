"""What was begun and how it ended: rows that are added and never changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from trunkline.deploy.operation import Candidate, DeployStep, Operation, Outcome
from trunkline.errors import FailedError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY, operation TEXT NOT NULL, at REAL NOT NULL,
    kind TEXT NOT NULL, text TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
    seconds REAL NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS operation (
    name TEXT PRIMARY KEY, at REAL NOT NULL, ref TEXT NOT NULL, "commit" TEXT NOT NULL,
    variables_of TEXT NOT NULL, digest TEXT NOT NULL, by TEXT NOT NULL,
    took_back INTEGER NOT NULL
);
CREATE TRIGGER IF NOT EXISTS event_stays BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS event_kept BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS operation_stays BEFORE UPDATE ON operation
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS operation_kept BEFORE DELETE ON operation
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""


class DeployJournal:
    """The journal of one environment, a SQLite file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.file)
            try:
                connection.executescript(_SCHEMA)
                with connection:
                    yield connection
            finally:
                connection.close()
        except (OSError, sqlite3.Error) as error:
            raise FailedError(
                f"the journal {self.file} cannot be used: {error}"
            ) from error

    def begin(self, operation: Operation) -> None:
        """Write down who begins what."""
        what = operation.candidate
        row = (
            *(operation.name, operation.at, what.ref, what.commit),
            *(what.variables_of, what.digest, operation.by, operation.took_back),
        )
        with self._open() as connection:
            connection.execute("INSERT INTO operation VALUES (?,?,?,?,?,?,?,?)", row)

    def intend(self, operation: str, step: DeployStep, at: float) -> None:
        """Write down that a step begins."""
        self._add(operation, at, "step", step)

    def end(
        self,
        operation: str,
        ending: Outcome,
        at: float,
        *,
        reason: str = "",
        seconds: float = 0.0,
    ) -> None:
        """Write down how an operation ended."""
        self._add(operation, at, "ending", ending, reason, seconds)

    def _add(self, *row: object) -> None:
        columns = ("operation", "at", "kind", "text", "reason", "seconds")[: len(row)]
        marks = ",".join("?" * len(row))
        statement = f"INSERT INTO event ({','.join(columns)}) VALUES ({marks})"  # noqa: S608 - constant names
        with self._open() as connection:
            connection.execute(statement, row)

    def operations(self) -> list[Operation]:
        """Read all operations in the order in which they began."""
        if not self.file.exists():
            return []
        with self._open() as connection:
            begun = connection.execute("SELECT * FROM operation ORDER BY rowid")
            found = {
                row[0]: Operation(
                    name=row[0],
                    at=row[1],
                    candidate=Candidate(*row[2:6]),
                    by=row[6],
                    took_back=bool(row[7]),
                )
                for row in begun
            }
            events = connection.execute(
                "SELECT operation, kind, text, reason, seconds FROM event ORDER BY id"
            )
            for name, kind, text, reason, seconds in events:
                if kind == "step":
                    found[name] = replace(found[name], step=DeployStep(text))
                else:
                    found[name] = replace(
                        found[name],
                        ending=Outcome(text),
                        reason=reason,
                        seconds=seconds,
                    )
        return list(found.values())
