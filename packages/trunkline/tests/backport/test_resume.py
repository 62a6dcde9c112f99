import stat

import pytest

from hotfixes import backported, headings
from samples import Ran, Sample

RECORD = ".git/trunkline/backport.json"


@pytest.fixture
def stopped(hotfixed: Sample) -> Sample:
    """A backport of v1.1.1 that waits for a conflict to be resolved."""
    hotfixed.commit("feat: own", {"crash.txt": "mine\n"})
    hotfixed.push()
    ran = hotfixed.trunkline("backport", "v1.1.1")
    assert ran.code == 1, ran.all
    return hotfixed


def on(sample: Sample, *arguments: str) -> Ran:
    return sample.trunkline("backport", *arguments)


def finished(sample: Sample) -> None:
    """Check that all of v1.1.1 is on main, once."""
    assert headings(sample) == ["v1.2.0", "v1.1.1", "v1.1.0", "v1.0.0"]
    log = sample.git("log", "--format=%s", "origin/main..").splitlines()
    assert log == ["docs(changelog): record v1.1.1", "fix: a crash"]
    assert sample.git("status", "--porcelain") == ""
    assert not (sample.root / RECORD).exists()
    assert "nothing to do" in backported(sample).out


def test_a_conflict_says_what_is_done_what_is_left_and_what_to_type(
    hotfixed: Sample,
) -> None:
    hotfixed.commit("feat: own", {"crash.txt": "mine\n"})
    hotfixed.push()
    fix = hotfixed.git("rev-parse", "--short=12", "hotfix/v1.1.1^")
    bump = hotfixed.git("rev-parse", "--short=12", "v1.1.1^{}")
    ran = on(hotfixed, "v1.1.1")
    assert ran.code == 1
    assert ran.err == (
        "trunkline: the backport of v1.1.1 stopped at a conflict\n"
        f"  conflict:  pick       {fix}  fix: a crash\n"
        "    crash.txt\n"
        f"  remains:   changelog  {bump}  docs(changelog): record v1.1.1\n"
        "  type next, when the conflicts are resolved:\n"
        "    git add -- crash.txt\n"
        "    uv run trunkline backport --continue\n"
        "  or, to go back to where it began:\n"
        "    uv run trunkline backport --abort\n"
    )


def test_continue_commits_what_was_fixed_and_makes_the_rest(stopped: Sample) -> None:
    stopped.write("crash.txt", "mine, fixed\n")
    assert "git add -- crash.txt" in on(stopped, "--continue").err
    stopped.git("add", "crash.txt")
    assert on(stopped, "--continue").code == 0
    assert stopped.read("crash.txt") == "mine, fixed\n"
    assert "cherry picked from" in stopped.git("log", "-1", "--format=%b", "HEAD~1")
    finished(stopped)


def test_the_message_and_the_author_of_a_fixed_commit_are_the_hotfix_s(
    released: Sample,
) -> None:
    released.commit("feat: own", {"crash.txt": "mine\n"})
    released.push()
    released.bump()
    released.git("switch", "-q", "-c", "hotfix/v1.1.1", "v1.1.0")
    message = "fix: a crash\n\n#12 is a reason.\n\nReviewed-by: A <a@example.com>"
    author = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com"}
    released.write("crash.txt", "fixed\n")
    released.git("add", "crash.txt")
    released.run("git", "commit", "-q", "--cleanup=verbatim", "-m", message, **author)
    fix = released.git("rev-parse", "HEAD")
    released.bump("--increment", "PATCH")
    released.git("switch", "-q", "main")
    assert on(released, "v1.1.1").code == 1
    released.git("add", "crash.txt")
    assert on(released, "--continue").code == 0
    shown = released.git("log", "-1", "--format=%an%n%B", "HEAD~1")
    assert shown == f"Ada\n{message}\n(cherry picked from commit {fix})"


def test_a_pick_that_a_person_has_continued_counts(stopped: Sample) -> None:
    stopped.write("crash.txt", "mine, fixed\n")
    stopped.git("add", "crash.txt")
    stopped.run("git", "cherry-pick", "--continue", GIT_EDITOR="true")
    assert on(stopped, "--continue").code == 0
    finished(stopped)


def test_a_fix_that_is_not_wanted_is_recorded_by_an_empty_commit(
    stopped: Sample,
) -> None:
    stopped.git("checkout", "HEAD", "--", "crash.txt")
    assert on(stopped, "--continue").code == 0
    assert stopped.git("diff", "--stat", "HEAD~2", "HEAD~1") == ""
    finished(stopped)


def test_abort_goes_back_to_where_it_began(hotfixed: Sample) -> None:
    hotfixed.commit("feat: own", {"crash.txt": "mine\n"})
    hotfixed.push()
    before = hotfixed.picture()
    on(hotfixed, "v1.1.1")
    hotfixed.write("crash.txt", "half-fixed\n")
    assert on(hotfixed, "--abort", "--dry-run").code == 0
    assert on(hotfixed, "--abort").code == 0
    assert hotfixed.picture() == before
    assert on(hotfixed, "--abort").code == 1


def test_abort_keeps_edits_of_other_files(stopped: Sample) -> None:
    changelog = stopped.read(".gitignore")
    stopped.write(".gitignore", changelog + "mine\n")
    stopped.write("new.txt", "mine\n")
    assert on(stopped, "--abort").code == 0
    assert stopped.read(".gitignore") == changelog + "mine\n"
    assert stopped.read("new.txt") == "mine\n"


def test_abort_refuses_to_lose_a_commit_that_is_not_its_own(stopped: Sample) -> None:
    stopped.git("add", "crash.txt")
    stopped.git("commit", "-q", "-m", "feat: my own work")
    head = stopped.git("rev-parse", "HEAD")
    ran = on(stopped, "--abort")
    assert (ran.code, "feat: my own work" in ran.err) == (1, True)
    assert stopped.git("rev-parse", "HEAD") == head


def test_no_release_and_no_other_backport_while_one_is_under_way(
    stopped: Sample,
) -> None:
    for command in (("backport", "v1.1.1"), ("release",), ("guard",)):
        ran = stopped.trunkline(*command)
        assert ran.code == 1
        assert "type next: uv run trunkline backport --continue" in ran.err


def test_it_is_continued_on_its_own_branch(stopped: Sample) -> None:
    stopped.git("add", "crash.txt")
    stopped.git("cherry-pick", "--quit")
    stopped.git("stash", "-q")
    stopped.git("switch", "-q", "-c", "other")
    assert "type next: git switch main" in on(stopped, "--continue").err


def test_a_hook_that_says_no_stops_it_and_continue_tries_again(
    hotfixed: Sample,
) -> None:
    hook = hotfixed.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho red >&2; exit 1\n")
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    ran = on(hotfixed, "v1.1.1")
    assert (ran.code, "red" in ran.err, "--continue" in ran.err) == (1, True, True)
    hook.unlink()
    assert on(hotfixed, "--continue").code == 0
    finished(hotfixed)


def test_the_two_endings_exclude_each_other(hotfixed: Sample) -> None:
    for arguments in ((), ("--continue", "--abort"), ("v1.1.1", "--abort")):
        assert on(hotfixed, *arguments).code == 2


def test_a_record_that_cannot_be_read_is_no_bug(stopped: Sample) -> None:
    (stopped.root / RECORD).write_text('{"tag": ')
    ran = on(stopped, "--continue")
    assert (ran.code, "cannot be read" in ran.err) == (1, True)
