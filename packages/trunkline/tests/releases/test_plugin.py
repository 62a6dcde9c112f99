"""The commitizen plugin: the changelog lists exactly what raises the version."""

import re

import pytest
from commitizen.changelog import generate_tree_from_commits
from commitizen.config.base_config import BaseConfig
from commitizen.git import GitCommit
from commitizen.tags import TagRules
from commitizen.version_increment import VersionIncrement
from hypothesis import example, given

from messages import ANY_MESSAGES
from samples import Sample
from trunkline.releases.plugin import TrunklineCz


def counted_and_listed(message: str) -> tuple[str, int]:
    """Return which part of the version a message raises, and how many entries it is."""
    cz = TrunklineCz(BaseConfig())
    title, _, body = message.partition("\n")
    commits = cz.filter_commits([GitCommit("1" * 40, title, body)])
    raised = VersionIncrement.get_highest_by_messages(
        [commit.message for commit in commits], cz.bump_pattern, cz.bump_map
    )
    tree = generate_tree_from_commits(
        commits,
        [],
        cz.commit_parser,
        cz.changelog_pattern,
        change_type_map=cz.change_type_map,
        rules=TagRules(),
    )
    entries = [part["changes"] for part in tree]
    return raised.name, sum(len(kind) for part in entries for kind in part.values())


@given(ANY_MESSAGES)
@example("Warning(a)(b)!: x")
def test_a_message_raises_the_version_if_and_only_if_it_is_listed(message: str) -> None:
    raised, listed = counted_and_listed(message)
    assert (raised != "NONE") == (listed > 0)


@pytest.mark.parametrize(
    ("message", "raised"),
    [
        ("docs: tell more\n\nfixes: #12", "NONE"),
        ("docs: tell more\n\nwords\nfix: b", "NONE"),
        ("fix: x\n\nfeature: idea", "PATCH"),
        ("feat: x\n\nWarning: it hurts", "MINOR"),
        ("feat: x\n\nRefs: #1\nBREAKING CHANGE: y", "MAJOR"),
        ("feat: x\n\nBREAKING-CHANGE: y", "MAJOR"),
        ("chore(deps)!: drop x", "MAJOR"),
        ("feat(a)!: support b (c): d", "MAJOR"),
        ("feat(a)(b): x", "NONE"),
        ("fix:nospace", "NONE"),
        ("Merge pull request #1 from a/b\n\nfeat: add login", "NONE"),
        ("Merge pull request #1 from a/b\n\nfeat!: drop v1", "MAJOR"),
        ("Merge branch 'x'\n\nwords\n\nBREAKING CHANGE: v1 is gone", "MAJOR"),
        ('Revert "feat: log in"\n\nThis reverts commit 1234.', "PATCH"),
        ('Reapply "feat: log in"', "MINOR"),
        ("revert: the login", "PATCH"),
    ],
)
def test_only_what_was_meant_raises_the_version(message: str, raised: str) -> None:
    assert counted_and_listed(message)[0] == raised


def test_breaking_changes_come_first_below_their_own_heading(released: Sample) -> None:
    released.commit("fix: a bug")
    released.commit("chore(deps)!: drop Python 3.11")
    released.commit("feat(api)!: new api\n\nRefs: #1\nBREAKING-CHANGE: v1 is gone")
    out = released.cz("bump", "--dry-run", "--yes").out
    section = re.sub(r" \(\w{7}\)", "", out[out.index("## v2.0.0") :]).strip()
    assert section.partition("\n")[2] == (
        "\n### BREAKING CHANGES\n\n"
        "- v1 is gone\n- **api**: new api\n- **deps**: drop Python 3.11\n\n"
        "### Fix\n\n- a bug"
    )


def test_breaking_commits_on_a_merge_are_told_once(released: Sample) -> None:
    """Commits on a merge: what raises the version stands in the changelog."""
    for number, title in enumerate(("feat!: drop v1", "fix: the door")):
        released.git("switch", "-q", "-c", f"b{number}", "main~0")
        released.commit(title, {f"{number}.txt": "x"})
        released.git("switch", "-q", "main")
        body = "feat!: drop v1" if number == 0 else "fix!: close it"
        message = f"Merge pull request #{number} from a/b\n\n{body}"
        released.git("merge", "-q", "--no-ff", "-m", message, f"b{number}")
    out = released.cz("bump", "--dry-run", "--yes").out
    entries = re.findall(r"^- (.*) \(\w{7}\)$", out, re.MULTILINE)
    assert sorted(entries) == ["close it", "drop v1", "the door"]
    assert "## v2.0.0" in out


def test_a_revert_releases_and_is_told(released: Sample) -> None:
    commit = released.commit("feat: log out", {"out.txt": "out"})
    released.bump()
    released.git("revert", "--no-edit", commit)
    ran = released.trunkline("release")
    assert (ran.code, released.version) == (0, "1.2.1"), ran.all
    assert "### Revert\n\n- feat: log out (" in released.read("CHANGELOG.md")


def test_cz_check_applies_the_rules_of_this_tool(sample: Sample) -> None:
    assert sample.cz("check", "--message", "feat: add login").code == 0
    ran = sample.cz("check", "--message", "feat: " + "x" * 80)
    assert (ran.code != 0, "at most 72" in ran.all) == (True, True)


def test_the_other_commands_of_cz_work(released: Sample) -> None:
    released.commit("feat: log out")
    changelog = released.cz("changelog", "--dry-run")
    assert (changelog.code, "- log out" in changelog.out) == (0, True), changelog.all
    for arguments in (["example"], ["info"], ["schema"], ["version", "-p"]):
        assert released.cz(*arguments).code == 0
    released.write("new.txt", "new")
    released.git("add", "new.txt")
    # Without a terminal there is nobody to ask, but the plugin was loaded.
    assert "committer has not been found" not in released.cz("commit").all


def test_the_first_release_asks_nothing(sample: Sample) -> None:
    sample.commit("feat: log in")
    shown = sample.run("cz", "bump", "--dry-run")
    made = sample.run("cz", "bump")
    assert (shown.code, made.code) == (0, 0), shown.all + made.all
    assert "tag to create: v0.1.0" in shown.out
    assert "first tag" not in shown.all + made.all
    assert sample.git("describe", "--exact-match") == "v0.1.0"


def test_a_version_whose_tag_is_missing_is_not_taken_for_the_first(
    released: Sample,
) -> None:
    released.commit("feat: log out")
    released.git("tag", "-d", "v1.1.0")
    released.git("push", "-q", "origin", ":refs/tags/v1.1.0")
    before = released.picture()
    ran = released.run("cz", "bump")
    assert ran.code != 0
    assert released.picture() == before
