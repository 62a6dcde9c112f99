"""`trunkline … --desk URL`: the command line passes through the rule of the page."""

import os
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
    newest, *_, oldest = (" ".join(row.split()[1:]) for row in rows)
    assert newest.startswith("see was refused: You may look")
    assert oldest == "put put main on staging done"
    ran = typed(desk, "deploy", "v1.0.0", "--to", "production", "--yes")
    assert "Only a releaser may change production." in ran.stderr
