"""Databases of a branch's own, through the command line and a real service."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from deploy.shops import Shop, end_all
from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.operation import Candidate, Operation, Outcome

pytestmark = pytest.mark.slow


@pytest.fixture
def tiers(shop: Shop) -> Shop:
    """Serve a branch whose migration no other branch has."""
    shop.deploy("main").required()
    shop.branch("feat/tiers", "tiers")
    shop.deploy("feat/tiers").required()
    shop.git("checkout", "--quiet", "main")
    shop.branch("feat/other", "other")
    return shop


def files(shop: Shop) -> set[str]:
    return {file.name for file in Path(shop.folder, "data").glob("*.db")}


def done(shop: Shop, file: str = "service.db") -> list[str]:
    with closing(sqlite3.connect(shop.folder / "data" / file)) as database:
        return [row[0] for row in database.execute("SELECT id FROM done")]


def test_migrations_are_announced_with_their_subjects(shop: Shop) -> None:
    planned = shop.deploy("main", "--dry-run").required()
    assert "will migrate: one Add it" in planned.text
    assert "\x1b" not in planned.text
    # What is planned leaves no variables behind, and nothing serves.
    assert [*shop.folder.glob("instances/*")] == []
    ran = shop.deploy("main").required()
    assert "will migrate: one Add it" in ran.complaint
    assert "nothing to migrate" in shop.deploy("main", "--dry-run").text


def test_migrations_of_another_branch_are_refused_before_anything_stops(
    tiers: Shop,
) -> None:
    planned = tiers.deploy("feat/other", "--dry-run")
    with tiers.load():
        ran = tiers.deploy("feat/other")
    assert ran.code == planned.code == 1
    assert planned.complaint in ran.complaint
    assert "migrations that feat/other lacks: tiers" in ran.complaint
    first, *ways = ran.complaint.partition("type next: ")[2].splitlines()
    assert (first, len(ways)) == ("one of", 3)
    for way in ways:
        uv, run, program, *words = way.partition("  (")[0].split()
        assert (uv, run, program) == ("uv", "run", "trunkline")
        tiers.trunkline(*words, "--dry-run").required()
    assert (tiers.get()["text"], tiers.running()) == ("feat/tiers", 1)
    assert done(tiers) == ["one", "tiers"]


def test_a_branch_keeps_its_own_database_until_it_is_gone(tiers: Shop) -> None:
    tiers.deploy("feat/other", "--own-database").required()
    (own,) = files(tiers) - {"service.db"}
    assert (done(tiers), done(tiers, own)) == (["one", "tiers"], ["one", "other"])
    # Also without the option, and by its other names.
    for name in ("feat-other", "refs/heads/feat/other"):
        assert "nothing to migrate" in tiers.deploy(name, "--dry-run").text
    assert tiers.deploy("feat-other").required()
    tiers.trunkline("rollback", "staging").required()
    assert tiers.get()["text"] == "feat/tiers"
    assert own in files(tiers)
    tiers.git("checkout", "--quiet", "main")
    tiers.git("branch", "--delete", "--force", "feat/other")
    tiers.deploy("feat/tiers").required()
    assert files(tiers) == {"service.db"}


def test_what_lost_its_database_is_not_taken_back_to(tiers: Shop) -> None:
    tiers.git("checkout", "--quiet", "main")
    tiers.deploy("feat/other", "--own-database").required()
    tiers.git("branch", "--delete", "--force", "feat/other")
    tiers.deploy("main").required()
    assert files(tiers) == {"service.db"}
    tiers.trunkline("rollback", "staging").required()
    assert tiers.get()["text"] == "feat/tiers"
    assert files(tiers) == {"service.db"}


def test_where_all_before_lost_its_database_that_is_said(shop: Shop) -> None:
    shop.branch("feat/other")
    shop.deploy("feat/other", "--own-database").required()
    shop.git("checkout", "--quiet", "main")
    shop.git("branch", "--delete", "--force", "feat/other")
    shop.deploy("main").required()
    ran = shop.trunkline("rollback", "staging")
    assert ran.code == 1
    assert "but feat/other, whose database was dropped" in ran.complaint
    assert shop.get()["text"] == "main"


def test_the_environment_moves_to_a_new_database(tiers: Shop) -> None:
    refused = tiers.deploy("feat/other", "--new-database")
    assert refused.code == 2
    assert "no terminal to ask on" in refused.complaint
    tiers.deploy("feat/other", "--new-database", "--yes").required()
    (new,) = files(tiers) - {"service.db"}
    tiers.deploy("main").required()
    assert (done(tiers), done(tiers, new)) == (["one", "tiers"], ["one", "other"])


def test_a_branch_s_own_database_goes_from_beside_a_new_one_too(tiers: Shop) -> None:
    tiers.deploy("feat/other", "--new-database", "--yes").required()
    shared = files(tiers)
    tiers.branch("feat/third")
    tiers.deploy("feat/third", "--own-database").required()
    assert len(files(tiers) - shared) == 1
    tiers.git("checkout", "--quiet", "main")
    tiers.git("branch", "--delete", "--force", "feat/third")
    tiers.deploy("main").required()
    assert files(tiers) == shared


def test_what_serves_takes_its_migrations_back(tiers: Shop) -> None:
    tiers.deploy("feat/other", "--downgrade", "--yes").required()
    assert done(tiers) == ["one", "other"]


def test_what_serves_does_so_whatever_was_recorded_last(tiers: Shop) -> None:
    journal = DeployJournal(tiers.folder / "journal.db")
    gone = Candidate("gone", "0" * 40)
    journal.begin(Operation("gone", gone, "bob", at=1, took_back=False))
    journal.end("gone", Outcome.LIVE, at=2)
    tiers.deploy("feat/other", "--downgrade", "--yes").required()
    assert done(tiers) == ["one", "other"]


def test_what_was_put_on_from_elsewhere_is_accepted_before_it_does_so(
    tiers: Shop,
) -> None:
    (tiers.folder / "journal.db").unlink()
    ran = tiers.deploy("feat/other", "--downgrade", "--yes")
    assert (ran.code, "which this journal does not have" in ran.complaint) == (1, True)
    assert done(tiers) == ["one", "tiers"]
    fix = ran.complaint.partition("type next: ")[2].partition("  (")[0]
    uv, run, program, *words = fix.split()
    assert (uv, run, program) == ("uv", "run", "trunkline")
    tiers.trunkline(*words).required()
    tiers.deploy("feat/other", "--downgrade", "--yes").required()
    assert done(tiers) == ["one", "other"]


def test_after_a_restart_of_the_machine_what_served_last_does_so(tiers: Shop) -> None:
    end_all(tiers.folder)
    tiers.deploy("feat/other", "--downgrade", "--yes").required()
    assert done(tiers) == ["one", "other"]


def test_where_nothing_is_left_to_do_so_another_way_leads_on(tiers: Shop) -> None:
    served = tiers.git("rev-parse", "feat/tiers")
    tiers.deploy("feat/other", "--dry-run")
    end_all(tiers.folder)
    shutil.rmtree(tiers.folder / "trees" / served)
    tiers.set(room=10**9)
    ran = tiers.deploy("feat/other", "--downgrade", "--yes")
    assert ran.code == 1
    assert "feat/tiers, which served last, was not pulled" in ran.complaint
    tiers.set(room=1)
    (tiers.folder / "journal.db").unlink()
    ran = tiers.deploy("feat/other", "--downgrade", "--yes")
    assert "nothing that was put on here, to take back tiers" in ran.complaint
    uv, run, program, *words = ran.complaint.partition("type next: ")[2].split()
    assert (uv, run, program) == ("uv", "run", "trunkline")
    tiers.trunkline(*words).required()
    assert done(tiers) == ["one", "tiers"]


@pytest.mark.parametrize("way", ["--own-database", "--new-database", "--downgrade"])
def test_production_has_one_database(shop: Shop, way: str) -> None:
    ran = shop.trunkline("deploy", "v1.0.0", "--to", "production", way, "--yes")
    assert ran.code == 1
    assert "releases-only" in ran.complaint


def test_a_commit_of_before_is_deployed_without_a_preflight(shop: Shop) -> None:
    service = shop.root / "src/shop/__init__.py"
    old = service.read_text().replace(
        "def migrations(words):",
        'def migrations(words):\n    words[0] == "migrate" or sys.exit(2)',
    )
    service.write_text(old)
    shop.git("commit", "--quiet", "--all", "--message", "feat: an old one")
    shop.deploy("HEAD").required()
    assert done(shop) == ["one"]
