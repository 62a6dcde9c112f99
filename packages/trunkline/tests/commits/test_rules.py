import pytest
from hypothesis import example, given

from messages import ANY_MESSAGES, MESSAGES, TEXT, cz_accepts
from samples import Sample
from trunkline.commits.conventional import TYPES
from trunkline.commits.rules import passing_example, problems

# Rules of commitizen; the others refuse more than it does.
SCHEMA = {"length", "schema", "blank-line"}


def rules(message: str) -> list[str]:
    return [problem.rule for problem in problems(message)]


@pytest.mark.parametrize(("message", "accepted"), MESSAGES.items())
def test_the_schema_agrees_with_cz_check(message: str, accepted: bool) -> None:
    assert cz_accepts(message) == accepted
    assert SCHEMA.isdisjoint(rules(message)) == accepted


@given(ANY_MESSAGES)
@example("feat: x\n ")
@example("feat: x\n\n")
@example("feat(a)b): x")
def test_the_schema_agrees_with_cz_check_on_any_text(message: str) -> None:
    assert SCHEMA.isdisjoint(rules(message)) == cz_accepts(message)


@pytest.mark.slow
@pytest.mark.parametrize(("message", "accepted"), MESSAGES.items())
def test_the_table_is_what_the_real_cz_check_says(
    sample: Sample, message: str, accepted: bool
) -> None:
    ran = sample.cz("check", "-l", "72", "--message", message)
    assert (ran.code == 0) == accepted, ran.all


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        ("docs: tell more\n\nfixes: #12", "body"),
        ("fix: x\n\nfeature: idea", "body"),
        ("feat: x\n\nWarning!: it hurts", "body"),
        ("feat: x\n\nRefs: #1\nBREAKING CHANGE: y", "body"),
        ("feat: x\n\nBREAKING-CHANGE: y", "body"),
        ("Merge branch 'a'\n\nfixes: #12", "body"),
        ("chore(deps)!: drop x", "changelog"),
        ("feat(a)(b): x", "changelog"),
        ("feat(a)!: support b (c): d", "breaking"),
    ],
)
def test_what_raises_a_version_by_accident_is_refused(message: str, rule: str) -> None:
    assert rules(message) == [rule]


@pytest.mark.parametrize(
    "message",
    [
        "docs: tell more\n\n- fixes: #12",
        "docs: tell more\n\nFixes #12",
        "feat: x\n\nfixes: #12",
        "feat: x\n\nBREAKING CHANGE: y",
        "chore(deps)!: drop x\n\nBREAKING CHANGE: x is gone",
        "feat!: x\n\nRefs: #1\nBREAKING CHANGE: y",
        "Merge pull request #1 from a/b\n\nfeat: add login",
        "chore!: drop x",
    ],
)
def test_what_raises_the_version_on_purpose_passes(message: str) -> None:
    assert rules(message) == []


@given(TEXT | ANY_MESSAGES)
@example("Bump x from 1 to 2")
@example("chore(a b)!: c (d): e")
@example("feat: " + "x" * 200)
def test_the_example_of_a_refusal_passes_itself(message: str) -> None:
    first = message.partition("\n")[0]
    assert rules(passing_example(first)) == []


@pytest.mark.parametrize(
    ("found", "suggested"),
    [
        ("Feat: Add login", "feat: add login"),
        ("feature: idea", "feat: idea"),
        ("feat:x", "feat: x"),
        ("hotfix: stop it", "fix: stop it"),
        ("deps: bump x", "build(deps): bump x"),
        ("feat(api core): x", "feat(api-core): x"),
        ("Initial commit", "chore: initial commit"),
        ("Bump x from 1 to 2", "build(deps): bump x from 1 to 2"),
        ("Fix HTTP (v2): retry", "fix: fix HTTP (v2): retry"),
        ("chore(deps)!: drop x", "chore!: drop x"),
        ("feat(a)(b): x", "feat(a-b): x"),
        ("", "feat: say what the change does"),
    ],
)
def test_the_example_is_near_to_what_was_written(found: str, suggested: str) -> None:
    assert passing_example(found) == suggested


def test_a_refusal_names_the_types() -> None:
    (problem,) = problems("wip")
    assert all(kind in problem.expected for kind in TYPES)
