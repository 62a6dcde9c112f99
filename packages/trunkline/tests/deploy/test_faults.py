"""What goes wrong on a machine, with a real service: the old one serves on."""

import os
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
import urllib3

from deploy.shops import Shop, end_all
from disks import fill, small_disk
from trunkline import process

pytestmark = pytest.mark.slow


@pytest.fixture
def serving(shop: Shop) -> Shop:
    shop.deploy("main").required()
    return shop


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("exits", "ended before it was ready"),
        ("sick", "was not ready, or named another commit"),
        ("liar", "was not ready, or named another commit"),
        ("breaks", "could not migrate the database"),
        ("turns", "became unhealthy within 4 seconds"),
    ],
)
def test_a_bad_candidate_costs_nobody_a_request(
    serving: Shop, kind: str, said: str
) -> None:
    serving.set(window=4)
    serving.branch(kind, "one more")
    with serving.load() as sent:
        ran = serving.deploy(kind)
    assert ran.code == 1
    assert said in ran.complaint
    assert "main" in sent
    assert (serving.get()["text"], serving.running()) == ("main", 1)
    ending = "restored" if kind == "turns" else "failed"
    assert serving.history()[0]["ending"] == ending


def test_a_migration_that_hangs_is_in_nobodys_way(serving: Shop) -> None:
    serving.branch("hangs", "one more")
    serving.set(deadline=4)
    ran = serving.deploy("hangs")
    assert not ran.ok
    lines = "waiting for a lock\nstopped after 4 seconds, the `deadline` of staging"
    assert lines in ran.complaint
    serving.deploy("main").required()


def test_one_that_ignores_sigterm_is_killed(serving: Shop) -> None:
    serving.branch("stubborn")
    serving.deploy("stubborn").required()
    serving.git("checkout", "--quiet", "main")
    with serving.load():
        serving.trunkline("rollback", "staging").required()
    assert serving.running() == 1


def test_a_second_deployer_is_told_who_does_what_since_when(serving: Shop) -> None:
    serving.set(window=5)
    serving.branch("feat/login")
    serving.branch("feat/tiers")
    with serving.deploying("feat/login", until="watch") as one:
        refused = serving.deploy("feat/tiers")
        waited = serving.deploy("feat/tiers", "--wait")
        assert one.wait() == 0
    assert refused.code == 1
    assert "is changing staging since 20" in refused.complaint
    assert "Z: deploy feat/login" in refused.complaint
    assert "--wait" in refused.complaint
    assert waited.ok
    assert serving.get()["text"] == "feat/tiers"
    assert serving.running() == 1


def test_too_small_a_disk_is_refused_and_taking_back_still_works(serving: Shop) -> None:
    serving.branch("feat/login")
    serving.deploy("feat/login").required()
    serving.branch("feat/tiers")
    serving.set(room=10**9)
    ran = serving.deploy("feat/tiers")
    assert ran.code == 1
    assert "MB free" in ran.complaint
    assert serving.get()["text"] == "feat/login"
    assert len([*serving.folder.glob("trees/*/src")]) == 2
    # Nor does it need what installs packages.
    serving.trunkline("rollback", "staging", UV="/bin/false").required()
    assert serving.get()["text"] == "main"


def test_a_disk_that_fills_during_a_pull_leaves_no_half_of_it(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kibibytes=40 * 1024) as disk:
        shop = Shop(disk)
        try:
            shop.deploy("main").required()
            shop.write("large", "x" * 3 * 1024**2)
            shop.branch("large")
            fill(disk, but=2048)
            ran = shop.deploy("large")
            assert (ran.code, "unable to write" in ran.complaint) == (1, True), ran
            assert (shop.get()["text"], shop.running()) == ("main", 1)
            assert len([*shop.folder.glob("trees/*")]) == 2  # With its `.complete`.
            assert shop.history()[0]["ending"] == "failed"
            (disk / "filling").unlink()
            shop.deploy("large").required()
        finally:
            end_all(shop.folder)


def test_a_taken_port_is_named(shop: Shop) -> None:
    program = "import http.server as h, sys; h.test(port=int(sys.argv[1]))"
    port = shop.url.rpartition(":")[2]
    with subprocess.Popen(
        ["python3", "-c", program, port], stdout=subprocess.DEVNULL
    ) as other:
        while not _answers(shop.url):
            time.sleep(0.05)
        ran = shop.deploy("main")
        other.kill()
    assert ran.code == 1
    assert f"another program listens at 127.0.0.1:{port}" in ran.complaint
    assert shop.running() == 0


def _answers(url: str) -> bool:
    try:
        urllib3.request("GET", url, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return True


def test_a_secret_is_in_no_output_no_journal_and_no_list_of_processes(
    serving: Shop,
) -> None:
    secret, password = "canary-of-a-greeting", "canary-of-a-password"
    address = f"SERVER=postgresql://shop:{password}@127.0.0.1/shop"
    serving.write("staging.env", f"GREETING={secret}\n{address}\n")
    seen = []
    for kind in ("exits", "breaks", "feat/login"):
        serving.branch(kind)
        ran = serving.deploy(kind)
        seen += [ran.text, ran.complaint]
        assert "***" in ran.complaint or ran.ok
    seen.append(serving.trunkline("history", "staging", "--json").text)
    seen.append(process.run(["ps", "axww", "-o", "args"]).text)
    with closing(sqlite3.connect(serving.folder / "journal.db")) as journal:
        seen += list(journal.iterdump())
    assert [one for one in seen if secret in one or password in one] == []
    assert serving.get()["greeting"] == secret
    kept = [*serving.folder.glob("instances/*/variables")]
    assert kept
    assert {file.stat().st_mode & 0o077 for file in kept} == {0}


def test_one_connection_always_reaches_the_newest_and_the_proxy_stays(
    serving: Shop,
) -> None:
    pid = (serving.folder / "proxy.pid").read_text()
    with urllib3.PoolManager(maxsize=1) as pool:
        for name in ("one", "two", "three"):
            serving.branch(name)
            serving.deploy(name).required()
            answer = pool.request("GET", serving.url, retries=False)
            assert answer.json()["text"] == name
            assert serving.running() == 1
        assert pool.connection_from_url(serving.url).num_connections == 1
    assert (serving.folder / "proxy.pid").read_text() == pid
    os.kill(int(pid), 0)


def test_the_commit_is_the_one_that_the_branch_had_when_the_deploy_began(
    serving: Shop,
) -> None:
    wanted = serving.branch("feat/login")
    with serving.deploying("feat/login", until="pull") as one:
        serving.branch("feat/login", "moved")
        assert one.wait() == 0
    assert serving.get("/version")["commit"] == wanted


def test_a_live_file_that_is_gone_is_restored_by_the_next_deploy(serving: Shop) -> None:
    serving.branch("exits")
    (serving.folder / "live").unlink()
    assert serving.deploy("exits").code == 1
    assert (serving.get()["text"], serving.running()) == ("main", 1)


def test_a_foreign_live_file_needs_a_human(serving: Shop) -> None:
    live = serving.folder / "live"
    ours = live.read_text()
    live.write_text("10.0.0.1:80\n")
    serving.branch("feat/login")
    ran = serving.deploy("feat/login")
    assert ran.code == 1
    assert "needs-a-human" in ran.complaint
    assert live.read_text() == "10.0.0.1:80\n"
    # What it says to type works.
    command = ran.complaint.rpartition("type next: ")[2].partition("  (")[0]
    process.run(["sh", "-c", command], check=True)
    assert live.read_text().strip() == ours.strip()
    serving.deploy("feat/login").required()
    assert serving.get()["text"] == "feat/login"


def test_what_was_taken_back_twice_is_never_returned_to(shop: Shop) -> None:
    for name in ("good", "bad", "worse"):
        shop.branch(name)
        shop.deploy(name).required()
        if name != "good":
            shop.trunkline("rollback", "staging").required()
            assert shop.get()["text"] == "good"
    assert shop.running() == 1
