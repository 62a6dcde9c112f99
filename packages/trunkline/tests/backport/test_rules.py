from trunkline.backport.rules import (
    Hotfix,
    HotfixCommit,
    Kind,
    made_by,
    plan_steps,
    refuse_hotfix,
    section_subject,
)
from trunkline.commits.history import Commit
from trunkline.releases.changelog import find_section
from trunkline.releases.state import TagState
from trunkline.versions import Version

TAG = TagState("v1.1.1", local="t", remote="t", commit="f" * 40)
FIX = HotfixCommit("a" * 40, "fix: a crash")


def hotfix(
    *,
    previous: str = "1.1.0",
    follows: bool = True,
    recorded: bool = False,
    ahead_of_trunk: bool = False,
    commits: tuple[HotfixCommit, ...] = (FIX,),
) -> Hotfix:
    return Hotfix(
        tag=TAG,
        own=Version.parse("1.1.1"),
        previous=Version.parse(previous),
        follows=follows,
        section=find_section("## v1.1.1\n- a crash\n", "v1.1.1"),
        commits=commits,
        recorded=recorded,
        ahead_of_trunk=ahead_of_trunk,
    )


def kinds(found: Hotfix, trunk: str) -> list[Kind]:
    return [step.kind for step in plan_steps(found, trunk=Version.parse(trunk))]


def test_a_trunk_that_is_past_the_version_gets_the_fix_and_the_section() -> None:
    assert kinds(hotfix(), "1.2.0") == [Kind.PICK, Kind.SECTION]
    assert kinds(hotfix(), "1.2.0-alpha.0") == [Kind.PICK, Kind.SECTION]


def test_a_trunk_that_is_not_gets_the_bump_too() -> None:
    assert kinds(hotfix(), "1.1.0") == [Kind.PICK, Kind.BUMP]
    assert kinds(hotfix(), "1.1.1-alpha.3") == [Kind.PICK, Kind.BUMP]


def test_a_trunk_without_commits_of_its_own_is_moved_to_the_release() -> None:
    assert kinds(hotfix(ahead_of_trunk=True), "1.1.0") == [Kind.FORWARD]


def test_what_is_on_the_trunk_is_not_brought_again() -> None:
    here = (HotfixCommit("a" * 40, "fix: a crash", here="the same change is here"),)
    assert kinds(hotfix(commits=here), "1.2.0") == [Kind.SECTION]
    assert kinds(hotfix(commits=here, recorded=True), "1.2.0") == []


def test_only_a_patch_of_a_line_that_the_trunk_knows_is_a_hotfix() -> None:
    assert list(refuse_hotfix(hotfix(), trunk="main")) == []
    for other in (
        hotfix(previous="1.0.0"),
        hotfix(previous="1.1.1-alpha.0"),
        hotfix(previous="1.1.2"),
        hotfix(follows=False),
    ):
        assert len(list(refuse_hotfix(other, trunk="main"))) == 1


def test_a_backport_is_told_from_the_commits_of_a_person() -> None:
    origin = "\n\n(cherry picked from commit {})\n"
    made = [
        "fix: a crash" + origin.format("a" * 40),
        "bump: version 1.1.0 → 1.1.1" + origin.format("f" * 40),
        section_subject("v1.1.1"),
    ]
    others = ["feat: mine", "fix: another" + origin.format("b" * 40)]
    for message in made + others:
        subject, _, body = message.partition("\n\n")
        commit = Commit("c" * 40, "Jo", "2027-01-01T00:00:00Z", subject, body)
        assert made_by(hotfix(), commit) == (message in made)
