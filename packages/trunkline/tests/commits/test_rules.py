import pytest
from hypothesis import example, given

from messages import ANY_MESSAGES, MESSAGES, cz_accepts
from samples import Sample
from trunkline.commits.conventional import TYPES
from trunkline.commits.rules import problems


@pytest.mark.parametrize(("message", "accepted"), MESSAGES.items())
def test_the_rules_agree_with_those_of_cz(message: str, accepted: bool) -> None:
    assert cz_accepts(message) == accepted
    assert (not list(problems(message))) == accepted


@given(ANY_MESSAGES)
@example("feat: x\n ")
@example("feat: x\n\n")
@example("feat(a)b): x")
def test_the_rules_agree_with_those_of_cz_on_any_text(message: str) -> None:
    found = [it for it in problems(message) if it.rule != "breaking"]
    assert (not found) == cz_accepts(message)


@pytest.mark.slow
@pytest.mark.parametrize(("message", "accepted"), MESSAGES.items())
def test_the_table_is_what_the_real_cz_check_says(
    sample: Sample, message: str, accepted: bool
) -> None:
    ran = sample.cz("check", "-l", "72", "--message", message)
    assert (ran.code == 0) == accepted, ran.all


@pytest.mark.parametrize(
    "line",
    [
        "Breaking Change: x",
        "breaking change: x",
        "BREAKING CHANGES: x",
        "BREAKING CHANGE x",
        "BREAKING CHANGE:x",
        "BREAKING CHANGE:",
        "BREAKING-CHANGE : x",
        "BREAKING_CHANGE: x",
        "**BREAKING CHANGE**: x",
        "**BREAKING CHANGE:** x",
        "- BREAKING CHANGE: x",
    ],
)
def test_a_breaking_change_nearly_is_named_with_the_right_form(line: str) -> None:
    (problem,) = problems(f"fix: a\n\nWhy.\n\nRefs: #1\n{line}")
    assert (problem.rule, line in problem.found) == ("breaking", True)
    assert problem.expected.startswith("BREAKING CHANGE: ")


@pytest.mark.parametrize(
    "line",
    ["BREAKING CHANGE: x", "BREAKING-CHANGE: x", "Breaking changes come first.", "x"],
)
def test_a_breaking_change_and_words_about_one_pass(line: str) -> None:
    assert list(problems(f"fix: a\n\n{line}")) == []


def test_a_refusal_names_the_types() -> None:
    (problem,) = problems("wip")
    assert all(kind in problem.expected for kind in TYPES)
