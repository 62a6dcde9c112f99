"""The git hooks: what they refuse, and that they agree with commitizen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from githooks import install_hook
from samples import REPOSITORY, Sample

pytestmark = pytest.mark.slow

HOOK = REPOSITORY / ".githooks" / "commit-msg"

ACCEPTED = [
    "feat: add a button",
    "feat(login): add a button",
    "feat!: drop the old price",
    "fix(api)!: rename a field\n\nBREAKING CHANGE: it is called amount now",
    "bump: version 1.0.0 → 1.1.0",
    "docs: describe the loop\n\nA body,\nof two lines.\n",
    "chore(deps)!: y",
    "fix: " + "x" * 67,
    "fix: 72 characters, not bytes: " + "ü" * 41,
    "style: a\n\n# a comment of git's\n",
    "test: a\n# ------------------------ >8 ------------------------\ndiff --git",
    "Merge branch 'main' into feat/login",
    'Revert "feat: add a button"\n\nThis reverts commit 4f1c2d3e4b5a.',
    "fixup! feat: add a button",
    "squash! feat: add a button",
    "amend! feat: add a button",
    "Pull request #1: feat",
]
REFUSED = [
    "",
    "\n\n",
    "# only a comment\n",
    "wip",
    "Initial commit",
    "add a button",
    "Feat: add a button",
    "feature: add a button",
    "hotfix: stop it",
    "deps: bump x",
    "feat:add a button",
    "feat : add a button",
    "feat(): add a button",
    "feat(api core): add a button",
    "feat(api: add a button",
    "feat!(api): add a button",
    "feat: ",
    "Bump x from 1 to 2",
    "fix: a\nno empty line",
    "fix: " + "x" * 68,
]


VERDICTS = {True: "accepted", False: "refused"}


def hook(message: str, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "message"
    file.write_text(message)
    return subprocess.run(
        [HOOK, file], check=False, capture_output=True, text=True, timeout=30
    )


@pytest.mark.parametrize("message", ACCEPTED)
def test_a_conventional_message_is_accepted(message: str, tmp_path: Path) -> None:
    done = hook(message, tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("message", REFUSED)
def test_any_other_is_refused_with_an_example(message: str, tmp_path: Path) -> None:
    done = hook(message, tmp_path)

    assert done.returncode == 1
    assert "  expected:  " in done.stderr


def test_the_hook_runs_nothing_that_is_in_a_message(tmp_path: Path) -> None:
    trap = tmp_path / "trap"

    hook(f"feat: $(touch {trap}) `touch {trap}`; touch {trap}", tmp_path)
    hook(f"%s -n $(touch {trap})", tmp_path)

    assert not trap.exists()


@pytest.mark.parametrize(
    ("messages", "verdict"), [(ACCEPTED, True), (REFUSED, False)], ids=["yes", "no"]
)
def test_commitizen_agrees(messages: list[str], verdict: bool, tmp_path: Path) -> None:
    """In one process: `cz check` takes most of a second to start."""
    folder = tmp_path / "messages"
    folder.mkdir()
    for number, message in enumerate(messages):
        (folder / f"{number:03}").write_text(message)
    program = (
        "import sys\n"
        "from commitizen.cli import main\n"
        "from commitizen.exceptions import CommitizenException\n"
        "from pathlib import Path\n"
        "for file in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    sys.argv = ['cz', 'check', '-l', '72', '--commit-msg-file', str(file)]\n"
        "    try:\n"
        "        main()\n"
        "    except (SystemExit, CommitizenException) as end:\n"
        "        print('refused' if getattr(end, 'exit_code', 0) else 'accepted')\n"
        "    else:\n"
        "        print('accepted')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, folder],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=REPOSITORY,
    )
    said = [line for line in done.stdout.splitlines() if line in VERDICTS.values()]
    disagreeing = [
        message
        for message, word in zip(messages, said, strict=True)
        if word != VERDICTS[verdict]
    ]

    assert disagreeing == []


def test_a_push_without_a_new_commit_runs_no_gate(released: Sample) -> None:
    """Push: `git push --delete` ran every gate, which took fourteen seconds."""
    folder = released.root.parent / "bin"
    folder.mkdir()
    (folder / "uv").write_text('#!/bin/sh\necho "$@" >>../ran; exec cat\n')
    (folder / "uv").chmod(0o755)
    hook = (REPOSITORY / ".githooks/pre-push").read_text()
    install_hook(released.root / ".git", "pre-push", hook)
    path = f"{folder}{os.pathsep}{released.env['PATH']}"
    ran = released.root.parent / "ran"
    released.git("branch", "feat/x")
    for push in (["feat/x"], ["--delete", "feat/x"]):
        assert released.run("git", "push", "origin", *push, PATH=path).code == 0
    assert "check --when push" not in ran.read_text()
    assert ran.read_text().count("trunkline push-check origin") == 2
    released.commit("feat: more")
    assert released.run("git", "push", "origin", "HEAD", PATH=path).code == 0
    assert "check --when push" in ran.read_text()
