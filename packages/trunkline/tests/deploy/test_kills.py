"""A deployer that is killed before, in and after each step, while clients ask."""

import os
import signal
import time

import pytest

from deploy.shops import Shop
from seeds import LATER, ROUNDS
from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.lock import holder
from trunkline.deploy.operation import DeployStep, Outcome, RecoveryVerdict

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("step", [*DeployStep])
@pytest.mark.parametrize("again", range(ROUNDS or 1))
def test_the_next_command_ends_it_by_the_facts(
    shop: Shop, step: DeployStep, again: int
) -> None:
    shop.deploy("main").required()
    for number, later in enumerate(LATER):
        # Each has one to migrate, or it would have no such step.
        commit = shop.branch(f"feat/{number}", *map(str, range(number + 1)))
        with shop.load():
            with shop.deploying(f"feat/{number}", until=step) as one:
                time.sleep(later)
                os.killpg(one.pid, signal.SIGKILL)
                one.wait()
            while holder(shop.folder):  # What asks the database ends by itself.
                time.sleep(0.01)
            ran = shop.deploy("main")
        assert ran.ok, ran.complaint
        assert (shop.get()["text"], shop.running()) == ("main", 1)
        operations = DeployJournal(shop.folder / "journal.db").operations()
        last = next(o for o in operations if o.candidate.commit == commit)
        if f"ended: {RecoveryVerdict.RESTORE}," in ran.complaint:
            assert last.ending is Outcome.FAILED
        elif f"ended: {RecoveryVerdict.ADOPT}," in ran.complaint:
            assert last.ending is Outcome.LIVE
            assert last.seconds > 0
        else:
            assert (step, last.ending) == (DeployStep.STOP, Outcome.LIVE)
