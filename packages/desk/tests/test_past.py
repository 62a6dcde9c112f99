"""A desk that comes to a service which terminals have deployed for weeks."""

import getpass
from pathlib import Path

import pytest
from deploy.shops import Shop, end_all
from trunkline.output import shown_time

from desks import DeskProcesses, started

pytestmark = pytest.mark.slow


def told(desk: DeskProcesses) -> list[tuple[str, str]]:
    found = desk.ask("staging/history", by="see").json()
    return [(one["text"], one["state"]) for one in found]


def test_its_history_begins_with_what_the_journal_has(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    shop = Shop(tmp_path / "shop")
    try:
        for name in ("exits", "feat/seats"):
            shop.branch(name)
        for name in ("main", "exits", "feat/seats"):
            shop.deploy(name)
        shop.trunkline("rollback", "staging").required()
        before = [
            ("took staging back", "done"),
            ("put feat/seats on staging", "done"),
            ("put exits on staging", "failed"),
            ("put main on staging", "done"),
        ]
        with started(DeskProcesses(tmp_path, shop)) as desk:
            desk.serves("main")
            assert told(desk) == before
            found = desk.ask("staging/history", by="see").json()
            assert {(one["person"], one["by"]) for one in found} == {
                (getpass.getuser(), "journal")
            }
            times = [shown_time(one["at"]) for one in found]
            assert times == [one["at"] for one in shop.history()]
            desk.ask("staging", {"action": "put", "ref": "feat/seats"})
            desk.serves("feat/seats")
            desk.kill("runner")
            desk.start("runner")
            desk.ask("staging", {"action": "take back"})
            desk.serves("main")
            assert told(desk)[2:] == before
    finally:
        end_all(shop.folder)
