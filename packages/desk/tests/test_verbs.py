"""The command line, with `--desk URL` and without, passes through the page's rule."""

import os
import shlex
import subprocess
import sys

import pytest

from desks import DeskProcesses

pytestmark = pytest.mark.slow


def typed(
    desk: DeskProcesses, *words: str, by: str = "put"
) -> subprocess.CompletedProcess[str]:
    """Type a command anywhere but in a clone."""
    return subprocess.run(
        [sys.executable, "-m", "trunkline", *words, f"--desk={desk.url}/shop"],
        cwd=desk.file.parent,
        env=os.environ | {"DESK_TOKEN": desk.tokens[by]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_verbs_do_what_the_page_does(desk: DeskProcesses) -> None:
    ran = typed(desk, "reserve", "staging", "--until", "23:59", "--why", "for ACME")
    assert "put reserved staging until" in ran.stderr
    ran = typed(desk, "deploy", "feat/seats", "--to", "staging", by="other")
    assert ran.returncode == 1
    assert "put has staging until" in ran.stderr
    assert "for ACME" in ran.stderr
    assert f"type next: open {desk.url}/shop" in ran.stderr
    assert typed(desk, "deploy", "feat/seats", "--to", "staging").returncode == 0
    assert typed(desk, "rollback", "staging").returncode == 0
    assert desk.shop.get()["text"] == "main"
    desk.serves("main")
    ran = typed(desk, "status", "staging")
    assert ran.stdout.startswith("main ")
    assert "serving\nput until 20" in ran.stdout
    assert typed(desk, "release-env", "staging").returncode == 0
    ran = typed(desk, "release-env", "staging", by="see")
    assert "You may look" in ran.stderr
    rows = typed(desk, "history", "staging").stdout.splitlines()
    newest, *older = (" ".join(row.split()[1:]) for row in rows)
    assert newest.startswith("see was refused: You may look")
    assert "put put feat/seats on staging done" in older
    ran = typed(desk, "deploy", "v1.0.0", "--to", "production", "--yes")
    assert "Only a releaser may change production." in ran.stderr


def test_what_is_typed_on_the_host_passes_through_the_rule_too(
    desk: DeskProcesses,
) -> None:
    desk.ask("staging", {"action": "reserve", "why": "demo for ACME"})
    refused = desk.shop.deploy("feat/seats")
    assert refused.code == 1
    assert "found:     put has staging until" in refused.complaint
    assert "demo for ACME" in refused.complaint
    assert not desk.shop.trunkline("rollback", "staging").ok
    assert not desk.shop.trunkline("release-env", "staging").ok
    assert desk.shop.get()["text"] == "main"
    words = shlex.split(refused.complaint.rpartition("type next: uv run trunkline ")[2])
    ana = {"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ana"}
    taken = desk.shop.trunkline(*words, **ana)
    assert "ana took staging over from put until" in taken.complaint
    refused = desk.shop.deploy("feat/seats")
    assert "found:     ana has staging until" in refused.complaint
    argv = ("deploy", "feat/seats", "--to", "staging")
    desk.shop.trunkline(*argv, **ana).required()
    assert desk.serves("feat/seats")["reservation"]["holder"] == "ana"
    answer = desk.ask("staging", {"action": "put", "ref": "main"})
    assert answer.status == 409
    desk.shop.trunkline("rollback", "staging", **ana).required()
    desk.shop.trunkline("release-env", "staging", **ana).required()
    assert desk.serves("main")["reservation"] is None
    told = [(one["person"], one["text"]) for one in desk.ask("staging/history").json()]
    assert told[:2] == [("ana", "was done with staging"), ("ana", "took staging back")]
    assert told[3] == ("ana", "put feat/seats on staging")
