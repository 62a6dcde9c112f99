"""The journal of deploys on PostgreSQL, which several machines share."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.operation import Candidate, DeployStep, Operation, Outcome
from trunkline.errors import Refusal

from tests.postgres import Postgres


def journal(server: Postgres, environment: str) -> DeployJournal:
    address = server.url().replace("postgresql:", "postgresql+psycopg:")
    return DeployJournal(Path("/nowhere"), address=address, place=environment)


def operation(name: str) -> Operation:
    return Operation(name, Candidate(name, "c"), "ana", at=1, took_back=False)


def test_environments_share_a_server_and_see_their_own(own_postgres: Postgres) -> None:
    staging, production = (journal(own_postgres, one) for one in ("a/s", "a/p"))
    assert staging.operations() == []
    staging.begin(operation("one"))
    staging.intend("one", DeployStep.PULL, 2)
    production.begin(operation("two"))
    staging.end("one", Outcome.FAILED, 3, reason="no room", seconds=2.5)
    (found,) = journal(own_postgres, "a/s").operations()
    assert (found.ending, found.reason, found.seconds) == (
        *(Outcome.FAILED, "no room"),
        2.5,
    )
    assert [one.name for one in production.operations()] == ["two"]
    for change in (
        "UPDATE event SET at = 0",
        "DELETE FROM operation",
        "TRUNCATE operation",
    ):
        with (
            psycopg.connect(own_postgres.url()) as connection,
            pytest.raises(psycopg.errors.RaiseException, match="append-only"),
        ):
            connection.execute(change.encode())


def test_one_machine_at_a_time_deploys_to_an_environment(
    own_postgres: Postgres,
) -> None:
    first, second, other = (journal(own_postgres, one) for one in ("a/s", "a/s", "a/p"))
    with first.alone(wait=False), other.alone(wait=False):
        first.begin(operation("one"))
        with (
            pytest.raises(Refusal, match="ana deploys one from another machine"),
            second.alone(wait=False),
        ):
            pass
    with second.alone(wait=True):
        assert [one.name for one in second.operations()] == ["one"]


def test_machines_that_meet_at_a_new_journal_wait(own_postgres: Postgres) -> None:
    names = [f"op-{number}" for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(
            pool.map(
                lambda name: journal(own_postgres, "a/s").begin(operation(name)), names
            )
        )
    assert {one.name for one in journal(own_postgres, "a/s").operations()} == {*names}
