from hypothesis import given
from hypothesis import strategies as st

from trunkline.releases.changelog import find_section
from trunkline.releases.hotfix import (
    Commit,
    Fix,
    Hotfix,
    Kind,
    Step,
    plan_steps,
    progress,
    refuse_hotfix,
    section_subject,
)
from trunkline.releases.state import TagState
from trunkline.versions import Version

TAG = TagState("v1.1.1", local="t", remote="t", commit="f" * 40)
PICKS = tuple(Step(Kind.PICK, f"{n:040x}", f"fix: {n}") for n in range(4))
STEPS = (*PICKS, Step(Kind.SECTION, "f" * 40, section_subject("v1.1.1")))


def made(step: Step) -> Commit:
    """The commit that a step makes."""
    origin = f"(cherry picked from commit {step.commit})"
    trailer = "" if step.kind is Kind.SECTION else f"\n\n{origin}\n"
    return Commit(f"new {step.commit}", step.subject + trailer)


def hotfix(
    *,
    previous: str = "1.1.0",
    follows: bool = True,
    recorded: bool = False,
    ahead_of_trunk: bool = False,
    fixes: tuple[Fix, ...] = (Fix("a" * 40, "fix: a crash"),),
) -> Hotfix:
    return Hotfix(
        tag=TAG,
        own=Version.parse("1.1.1"),
        previous=Version.parse(previous),
        follows=follows,
        section=find_section("## v1.1.1\n- a crash\n", "v1.1.1"),
        fixes=fixes,
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
    here = (Fix("a" * 40, "fix: a crash", here="the same change is here"),)
    assert kinds(hotfix(fixes=here), "1.2.0") == [Kind.SECTION]
    assert kinds(hotfix(fixes=here, recorded=True), "1.2.0") == []


def test_only_a_patch_of_a_line_that_the_trunk_knows_is_a_hotfix() -> None:
    assert refuse_hotfix(hotfix(), trunk="main") is None
    for other in (
        hotfix(previous="1.0.0"),
        hotfix(previous="1.1.1-alpha.0"),
        hotfix(previous="1.1.2"),
        hotfix(follows=False),
    ):
        assert refuse_hotfix(other, trunk="main") is not None


@given(
    st.integers(0, len(STEPS)),
    st.lists(st.tuples(st.integers(0, len(STEPS)), st.text(max_size=20))),
)
def test_progress_is_told_from_the_commits_whatever_lies_between(
    done: int, others: list[tuple[int, str]]
) -> None:
    commits = [made(step) for step in STEPS[:done]]
    mine = [Commit("mine", f"feat: {text}") for _, text in others]
    for (position, _), commit in zip(others, mine, strict=True):
        commits.insert(position % (len(commits) + 1), commit)
    found = progress(STEPS, commits)
    assert found.remaining == STEPS[done:]
    assert len(found.done) == done
    assert sorted(c.message for c in found.foreign) == sorted(c.message for c in mine)
