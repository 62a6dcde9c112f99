"""The test server of PostgreSQL leaves nothing behind."""

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from killed_postgres import MortalPostgres

from tests.postgres import Postgres
from tests.servers import PATIENCE, ROOT, clean_environment

RUN = """
import time
from tests.postgres import programs, running_postgres

with running_postgres(programs()) as server:
    print(server.data.parent, server.url(), flush=True)
    time.sleep(600)
"""


def test_a_killed_run_takes_its_server_with_it(postgres: Postgres) -> None:
    """Requests `postgres` because that skips, or fails, where there is none."""
    run = subprocess.Popen(
        [sys.executable, "-c", RUN],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=clean_environment(),
    )
    assert run.stdout
    folder, url = run.stdout.readline().split()
    psycopg.connect(url).close()

    run.kill()
    run.wait(PATIENCE)
    run.stdout.close()

    deadline = time.monotonic() + PATIENCE
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(folder).exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)


def test_a_killed_server_restarts_with_its_data(
    own_postgres: MortalPostgres,
) -> None:
    own_postgres.execute("CREATE TABLE kept (id integer)")
    own_postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        own_postgres.execute("SELECT 1")
    own_postgres.start()

    own_postgres.execute("SELECT * FROM kept")
