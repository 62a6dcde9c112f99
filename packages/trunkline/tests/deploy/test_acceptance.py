"""`trunkline accept`: what another clone put on is taken as it is."""

import json
import shlex
import shutil

import pytest

from deploy.shops import Shop

pytestmark = pytest.mark.slow


def test_what_was_put_on_elsewhere_is_recorded_and_taken_back_from(shop: Shop) -> None:
    shop.deploy("main").required()
    journal = shop.folder / "journal.db"
    shutil.copy(journal, shop.root / "before.db")
    commit = shop.branch("feat/login")
    shop.deploy("feat/login").required()
    # As if that had been another clone, whose journal is its own.
    shutil.move(shop.root / "before.db", journal)
    told = json.loads(shop.trunkline("status", "staging", "--json").text)
    assert (told["commit"], told["recorded"]["ref"]) == (commit, "main")
    assert commit[:12] in shop.trunkline("accept", "staging").required().text
    told = json.loads(shop.trunkline("status", "staging", "--json").text)
    assert told["recorded"]["commit"] == commit
    assert (told["ref"], told["before"]["ref"]) == (commit[:12], "main")
    again = shop.trunkline("accept", "staging").required()
    assert "nothing to accept" in again.complaint
    assert len(shop.history()) == 2
    shop.trunkline("rollback", "staging").required()
    assert shop.get()["text"] == "main"


def test_what_is_not_well_is_not_accepted(shop: Shop) -> None:
    ran = shop.trunkline("accept", "staging")
    assert ran.code == 1
    said = shlex.split(ran.complaint.rpartition("type next: uv run trunkline ")[2])
    assert shop.trunkline(*said).text == "nothing serves on staging"
