from collections.abc import Callable
from dataclasses import dataclass

import pytest

from hotfixes import arrange, backported, entries, headings, release_hotfix
from samples import Sample


@dataclass(frozen=True, slots=True)
class Case:
    """Where main is, what a backport of v1.1.1 leaves, and what the next bump makes."""

    name: str
    before: tuple[str, ...]
    alpha: bool
    bump: bool
    version: str
    sections: list[str]
    after: str
    next_sections: list[str]
    next_entries: list[str]


CASES = (
    Case(
        name="main has released 1.2.0",
        before=("feat: more",),
        alpha=False,
        bump=True,
        version="1.2.0",
        sections=["v1.2.0", "v1.1.1", "v1.1.0", "v1.0.0"],
        after="v1.2.1",
        next_sections=["v1.2.1", "v1.2.0", "v1.1.1", "v1.1.0", "v1.0.0"],
        next_entries=["a crash"],
    ),
    Case(
        name="main is at 1.2.0-alpha.0",
        before=("feat: more",),
        alpha=True,
        bump=True,
        version="1.2.0-alpha.0",
        sections=["v1.2.0-alpha.0", "v1.1.1", "v1.1.0", "v1.0.0"],
        after="v1.2.0",
        next_sections=["v1.2.0", "v1.1.1", "v1.1.0", "v1.0.0"],
        next_entries=["more", "a crash"],
    ),
    Case(
        name="main is still at 1.1.0, with a feature",
        before=("feat: more",),
        alpha=False,
        bump=False,
        version="1.1.1",
        sections=["v1.1.1", "v1.1.0", "v1.0.0"],
        after="v1.2.0",
        next_sections=["v1.2.0", "v1.1.1", "v1.1.0", "v1.0.0"],
        next_entries=["more", "a crash"],
    ),
    Case(
        name="main is at an alpha of the same patch",
        before=("fix: a typo",),
        alpha=True,
        bump=True,
        version="1.1.1",
        sections=["v1.1.1", "v1.1.1-alpha.0", "v1.1.0", "v1.0.0"],
        after="v1.1.2",
        next_sections=["v1.1.2", "v1.1.1", "v1.1.1-alpha.0", "v1.1.0", "v1.0.0"],
        next_entries=["a typo", "a crash"],
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_changelog_and_the_next_bump_are_right_when(
    case: Case, released: Sample
) -> None:
    arrange(released, *case.before, alpha=case.alpha, bump=case.bump)
    fix = release_hotfix(released)
    ran = backported(released)
    assert "git push origin main" in ran.out
    assert released.version == case.version
    assert headings(released) == case.sections
    assert entries(released, "v1.1.1") == ["a crash"]
    assert released.read("crash.txt") == "fixed\n"
    assert f"(cherry picked from commit {fix})" in released.git("log", "-2")
    assert released.run("uv", "lock", "--check", "--offline").code == 0
    assert released.git("status", "--porcelain") == ""
    released.push()
    released.bump()
    assert f"v{released.version}" == case.after
    assert headings(released) == case.next_sections
    assert sorted(entries(released, case.after)) == sorted(case.next_entries)
    assert released.run("uv", "lock", "--check", "--offline").code == 0


def test_a_second_run_has_nothing_to_do(hotfixed: Sample) -> None:
    backported(hotfixed)
    before = hotfixed.picture()
    ran = backported(hotfixed)
    assert ran.out == "nothing to do: main has all of v1.1.1\n"
    assert hotfixed.picture() == before


def test_a_trunk_with_nothing_of_its_own_becomes_the_release(released: Sample) -> None:
    release_hotfix(released)
    backported(released)
    assert released.git("rev-parse", "HEAD") == released.git("rev-parse", "v1.1.1^{}")
    released.push()
    assert "nothing to release" in released.trunkline("release").out


def test_commits_are_picked_in_order_and_those_that_are_here_skipped(
    released: Sample,
) -> None:
    arrange(released, "feat: more", bump=True)
    early = released.commit("fix: found on main", {"early.txt": "fixed\n"})
    released.push()
    released.git("switch", "-q", "-c", "hotfix/v1.1.1", "v1.1.0")
    released.git("cherry-pick", early)
    first = released.commit("fix: one", {"list.txt": "one\n"})
    second = released.commit("fix: two", {"list.txt": "one\ntwo\n"})
    released.bump("--increment", "PATCH")
    released.git("switch", "-q", "main")
    ran = backported(released)
    assert "found on main (the same change is here)" in ran.out
    subjects = released.git("log", "--format=%s", "origin/main..").splitlines()
    assert subjects == ["docs(changelog): record v1.1.1", "fix: two", "fix: one"]
    bodies = released.git("log", "--format=%b", "origin/main..")
    assert bodies.index(second) < bodies.index(first)


def test_a_dry_run_changes_nothing_and_prints_the_plan(hotfixed: Sample) -> None:
    fix = hotfixed.git("rev-parse", "--short=12", "hotfix/v1.1.1^")
    before = hotfixed.picture()
    plan = backported(hotfixed, "v1.1.1", "--dry-run").out.splitlines()[1:]
    assert hotfixed.picture() == before
    assert [line.split()[:2] for line in plan] == [
        ["pick", fix],
        ["changelog", hotfixed.git("rev-parse", "v1.1.1^{}")[:12]],
    ]


def test_the_second_hotfix_of_a_line_waits_for_the_first(hotfixed: Sample) -> None:
    second = {"second.txt": "fixed\n"}
    release_hotfix(hotfixed, version="1.1.2", since="v1.1.1", files=second)
    ran = hotfixed.trunkline("backport", "v1.1.2")
    assert (ran.code, "uv run trunkline backport v1.1.1" in ran.err) == (1, True)
    backported(hotfixed)
    backported(hotfixed, "v1.1.2")
    assert headings(hotfixed) == ["v1.2.0", "v1.1.2", "v1.1.1", "v1.1.0", "v1.0.0"]


def test_an_unpushed_backport_is_no_half_made_release(released: Sample) -> None:
    arrange(released, "feat: more", bump=False)
    release_hotfix(released)
    backported(released)
    ran = released.trunkline("release")
    assert ran.code == 0, ran.all
    assert "refs/tags/v1.2.0" in released.remote_refs()


def test_every_file_that_holds_the_version_gets_the_new_one(released: Sample) -> None:
    real = released.read("pyproject.toml")
    files = '[tool.commitizen]\nversion_files = ["chart.yaml:^appVersion"]\n'
    text = real.replace("[tool.commitizen]\n", files)
    chart = "appVersion: 1.1.0\nsince: 1.1.0\n"
    released.commit("fix: chart", {"pyproject.toml": text, "chart.yaml": chart})
    released.push()
    released.bump()
    release_hotfix(released, version="1.1.2", since="v1.1.1")
    # A line beside the version's own would be a conflict for `git cherry-pick`.
    text = released.read("pyproject.toml").replace('"1.1.1" #', '"1.1.1" # mine,')
    released.commit("chore: note", {"pyproject.toml": text})
    released.push()
    backported(released, "v1.1.2")
    assert '"1.1.2" # mine,' in released.read("pyproject.toml")
    assert released.read("chart.yaml") == "appVersion: 1.1.2\nsince: 1.1.0\n"
    assert released.git("log", "-1", "--format=%s") == "bump: version 1.1.1 → 1.1.2"
    assert released.run("uv", "lock", "--check", "--offline").code == 0


def on_hotfix(sample: Sample) -> None:
    sample.git("switch", "-q", "hotfix/v1.1.1")


def dirty(sample: Sample) -> None:
    sample.write("notes.txt", "mine")


def behind(sample: Sample) -> None:
    other = sample.clone("other")
    other.commit("feat: theirs")
    other.push()


def shallow(sample: Sample) -> None:
    tip = sample.git("rev-parse", "HEAD")
    (sample.root / ".git/shallow").write_text(f"{tip}\n")


def unpushed_tag(sample: Sample) -> None:
    sample.git("push", "-q", "origin", ":refs/tags/v1.1.1")


def unfetched_tag(sample: Sample) -> None:
    sample.git("tag", "-d", "v1.1.1")


def merging(sample: Sample) -> None:
    sample.git("merge", "-q", "-s", "ours", "--no-commit", "hotfix/v1.1.1")


def as_it_is(_: Sample) -> None:
    pass


REFUSED: tuple[tuple[str, Callable[[Sample], None], str, str], ...] = (
    ("another branch", on_hotfix, "v1.1.1", "git switch main"),
    ("uncommitted files", dirty, "v1.1.1", "notes.txt"),
    ("commits on origin", behind, "v1.1.1", "git pull --rebase origin main"),
    ("a shallow clone", shallow, "v1.1.1", "git fetch --unshallow"),
    ("a merge under way", merging, "v1.1.1", "git merge --abort"),
    ("a tag that is not pushed", unpushed_tag, "v1.1.1", "not on origin"),
    ("a tag that is not fetched", unfetched_tag, "v1.1.1", "git fetch --tags"),
    ("an unknown tag", as_it_is, "v1.1.7", "neither here nor on origin"),
    ("a minor release", as_it_is, "v1.2.0", "expected:  a patch release"),
    ("no tag at all", as_it_is, "1.1.1", "expected one like v1.1.1"),
)


@pytest.mark.parametrize(
    ("arrangement", "tag", "says"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_it_refuses(
    arrangement: Callable[[Sample], None], tag: str, says: str, hotfixed: Sample
) -> None:
    arrangement(hotfixed)
    before = hotfixed.picture()
    ran = hotfixed.trunkline("backport", tag)
    assert ran.code in {1, 2}, ran.all
    assert says in ran.err
    assert hotfixed.picture() == before
