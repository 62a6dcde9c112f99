"""What a crash leaves, built by hand: states that a kill meets only by chance."""

import pytest

from githooks import install_hook
from samples import Sample
from trunkline.releases.journal import RELEASE, Journal, read_journal, write_journal


def interrupted(sample: Sample, **changes: str) -> None:
    """Leave the record of a release of v1.2.0 that stopped before its commit."""
    sample.commit("feat: log out")
    fields = {
        "branch": "main",
        "start": sample.git("rev-parse", "HEAD"),
        "tag": "v1.2.0",
    }
    write_journal(sample.root / ".git" / RELEASE, Journal(**{**fields, **changes}))


def record(sample: Sample) -> Journal | None:
    return read_journal(sample.root / ".git" / RELEASE)


@pytest.mark.parametrize("name", ["pyproject.toml", "uv.lock", "CHANGELOG.md"])
@pytest.mark.parametrize("kept", [0, 20])
def test_a_file_that_was_cut_off_comes_back(
    released: Sample, name: str, kept: int
) -> None:
    interrupted(released)
    released.write(name, released.read(name)[:kept])
    ran = released.trunkline("release")
    assert (ran.code, released.version) == (0, "1.2.0"), ran.all
    assert f"{name}: as committed" in ran.err


def test_edits_since_the_crash_are_kept_as_a_patch(released: Sample) -> None:
    interrupted(released)
    mine = released.read("pyproject.toml") + "# mine\n"
    released.write("pyproject.toml", mine)
    ran = released.trunkline("release")
    assert (ran.code, released.version) == (0, "1.2.0"), ran.all
    command = ran.err.partition("to get the edits back: ")[2].splitlines()[0]
    assert released.run("sh", "-c", f"{command} --3way").code == 0
    assert "# mine" in released.read("pyproject.toml")


def test_locks_of_a_killed_git_are_removed(released: Sample) -> None:
    interrupted(released)
    for name in ("index", "HEAD", "refs/heads/main", "refs/tags/v1.2.0"):
        (released.root / f".git/{name}.lock").touch()
    ran = released.trunkline("release")
    assert (ran.code, released.version) == (0, "1.2.0"), ran.all


def test_a_crash_right_after_a_bump_leaves_that_bump_alone(released: Sample) -> None:
    released.commit("feat: log out")
    released.bump("--prerelease", "alpha")
    start = released.git("rev-parse", "HEAD")
    journal = Journal("main", start, "v1.2.0")
    write_journal(released.root / ".git" / RELEASE, journal)
    ran = released.trunkline("release")
    assert (ran.code, released.version) == (0, "1.2.0"), ran.all
    assert released.git("rev-parse", "HEAD^") == start
    assert released.git("tag", "--list", "v1.2.0-alpha.0") != ""


def test_a_dry_run_only_says_what_is_left(released: Sample) -> None:
    interrupted(released)
    before, journal = released.picture(), record(released)
    ran = released.trunkline("release", "--dry-run")
    assert (ran.code, "v1.2.0 is half-made; would: restore" in ran.out) == (0, True)
    assert (released.picture(), record(released)) == (before, journal)


def test_on_another_branch_it_names_the_one_to_go_to(released: Sample) -> None:
    interrupted(released)
    released.git("checkout", "-q", "-b", "hotfix/v1.1.1")
    ran = released.trunkline("release")
    assert (ran.code, "git switch main" in ran.err) == (1, True)
    assert record(released) is not None


def test_a_bare_bump_does_not_go_on_where_a_release_stopped(released: Sample) -> None:
    interrupted(released)
    before = released.picture()
    ran = released.cz("bump", "--yes")
    assert "rule `interrupted`" in ran.err
    assert released.picture() == before


def test_a_record_that_history_has_passed_is_dropped(released: Sample) -> None:
    interrupted(released, start="0" * 40)
    ran = released.trunkline("release")
    assert (ran.code, released.version) == (0, "1.2.0"), ran.all
    assert record(released) is None


def test_a_lost_bump_under_later_commits_is_left_to_a_person(released: Sample) -> None:
    released.commit("feat: log out")
    assert released.cz("bump", "--yes").code == 0
    released.commit("feat: more", {"more.txt": "more"})
    other = released.clone("other")
    other.commit("fix: first")
    other.push()
    before = released.picture()
    ran = released.trunkline("release")
    assert (ran.code, "rule `half-made`" in ran.err) == (1, True)
    assert released.picture() == before
    fix = next(line for line in ran.err.splitlines() if "type next: " in line)
    assert released.run("sh", "-c", fix.partition("type next: ")[2]).code == 0
    released.git("pull", "-q", "--rebase", "origin", "main")
    ran = released.trunkline("release")
    assert (ran.code, released.version) == (0, "1.2.0"), ran.all


def test_a_rebased_bump_is_taken_back(released: Sample) -> None:
    released.commit("feat: log out", {"a.txt": "a"})
    assert released.cz("bump", "--yes").code == 0
    other = released.clone("other")
    other.commit("fix: first", {"b.txt": "b"})
    other.push()
    released.git("pull", "-q", "--rebase", "origin", "main")
    assert released.trunkline("release").code == 1
    assert released.git("tag", "--list", "v1.2.0") == ""
    ran = released.trunkline("release")
    assert (ran.code, released.version) == (0, "1.2.0"), ran.all
    assert "- first" in released.read("CHANGELOG.md")


def test_a_linked_work_tree_releases_like_any_other(released: Sample) -> None:
    released.commit("feat: log out")
    released.git("checkout", "-q", "--detach")
    released.git("worktree", "add", "-q", "../linked", "main")
    linked = Sample(released.root.parent / "linked", released.origin, released.env)
    ran = linked.trunkline("release")
    assert (ran.code, linked.version) == (0, "1.2.0"), ran.all


@pytest.mark.parametrize("name", ["HEAD", "packed-refs", "refs/heads/main"])
def test_a_lock_of_a_killed_git_is_named_before_anything_changes(
    released: Sample, name: str
) -> None:
    released.commit("feat: log out")
    lock = released.root / f".git/{name}.lock"
    lock.touch()
    ran = released.trunkline("release")
    assert (ran.code, released.version) == (1, "1.1.0"), ran.all
    command = ran.err.partition("type next: ")[2].partition("  (")[0]
    assert released.run("sh", "-c", command).code == 0
    ran = released.trunkline("release")
    assert (ran.code, released.version) == (0, "1.2.0"), ran.all


def test_no_hook_is_blamed_for_what_git_itself_cannot_do(released: Sample) -> None:
    released.commit("feat: log out")
    install_hook(
        released.root / ".git", "pre-commit", "touch .git/refs/heads/main.lock"
    )
    ran = released.trunkline("release")
    assert ran.code == 1
    assert "main.lock': File exists" in ran.err
    assert "type next: uv run trunkline release  (once that is fixed)" in ran.err
