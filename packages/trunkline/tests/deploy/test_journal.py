"""The journal of deploys: append-only, and old ones are read on."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.operation import Candidate, DeployStep, Operation, Outcome
from trunkline.errors import FailedError


def operation(name: str, at: float = 1.0) -> Operation:
    return Operation(name, Candidate(name, f"c-{name}"), "ana", at, took_back=False)


@pytest.fixture
def journal(tmp_path: Path) -> DeployJournal:
    return DeployJournal(tmp_path / "a folder" / "journal.db")


def test_what_was_written_is_read_in_the_order_of_the_beginnings(
    journal: DeployJournal,
) -> None:
    assert journal.operations() == []
    assert not journal.file.exists()
    journal.begin(operation("b", at=7200))
    journal.intend("b", DeployStep.PULL, 7201)
    journal.end("b", Outcome.FAILED, 7202, reason="no room", seconds=2)
    # The clock was set back an hour.
    journal.begin(operation("a", at=3600))
    journal.intend("a", DeployStep.PULL, 3601)
    first, second = journal.operations()
    assert (first.name, first.ending, first.reason, first.seconds) == (
        *("b", Outcome.FAILED, "no room"),
        2,
    )
    assert (second.name, second.step, second.ending) == ("a", DeployStep.PULL, None)
    assert second.steps == ((DeployStep.PULL, 3601),)


@pytest.mark.parametrize("change", ["UPDATE {} SET at = 0", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["operation", "event"])
def test_it_refuses_changes(journal: DeployJournal, table: str, change: str) -> None:
    journal.begin(operation("a"))
    journal.intend("a", DeployStep.PULL, 1)
    with (
        closing(sqlite3.connect(journal.file)) as database,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        database.execute(change.format(table))


def test_processes_that_meet_at_a_new_journal_wait(journal: DeployJournal) -> None:
    names = [f"op-{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: journal.begin(operation(name)), names))
    assert {one.name for one in journal.operations()} == {*names}


def test_a_file_that_is_no_journal_is_named(journal: DeployJournal) -> None:
    journal.file.parent.mkdir()
    journal.file.write_text("no database, but long enough to look like a file of one")
    with pytest.raises(FailedError, match=r"journal\.db cannot be used: file is not"):
        journal.operations()


@pytest.mark.parametrize("port", ["1", "port"])
def test_a_password_is_in_no_message(tmp_path: Path, port: str) -> None:
    address = f"postgresql+psycopg://shop:canary@127.0.0.1:{port}/shop"
    journal = DeployJournal(tmp_path / "unused", address=address, place="shop/staging")
    with pytest.raises(FailedError, match="cannot be used") as caught:
        journal.operations()
    assert "canary" not in str(caught.value)
