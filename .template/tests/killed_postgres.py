"""A PostgreSQL server that a test may kill and restart."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.plugins.databases import programs_or_skip
from tests.postgres import Postgres, running_postgres

STILL_THERE = "pre-existing shared memory block"


class MortalPostgres(Postgres):
    """A server of one test's own."""

    def start(self) -> None:
        """Start it, again if need be.

        Processes of one that was killed may not have noticed yet: they still hold its
        memory, and a new one ends at once.
        """
        while True:
            self.output.unlink(missing_ok=True)
            try:
                super().start()
            except AssertionError as error:
                if STILL_THERE not in str(error):
                    raise
            else:
                return

    def kill(self) -> None:
        """Kill all of its processes at once, as a crash would (`kill -9`)."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def own_postgres() -> Iterator[MortalPostgres]:
    """Run a server for one test."""
    with running_postgres(programs_or_skip(), MortalPostgres) as server:
        assert isinstance(server, MortalPostgres)
        yield server
