import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messages import ANY_MESSAGES, MESSAGES, TEXT, cz_accepts
from samples import Sample
from trunkline.commits.conventional import (
    TYPES,
    entries,
    parse,
    problems,
    shown,
)
from trunkline.commits.messages import without_comments


def test_a_message_is_read_into_type_scope_breaking_and_subject() -> None:
    found = parse("feat(api)!: drop v1\n\nIt had no users.")
    assert found is not None
    assert found.groups() == ("feat", "api", "!", "drop v1")
    found = parse("docs: tell more")
    assert found is not None
    assert found.groups() == ("docs", None, None, "tell more")
    assert parse("Docs: tell more") is None


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("fixes: #12\n\nWarning: it hurts", ""),
        ("words\nfix: b", ""),
        ("feat: add login\n\nwords", "feat: add login"),
        ("Refs: #1\nBREAKING CHANGE: y\nmore of it", "BREAKING CHANGE: y\nmore of it"),
        ("feat: a\nfix: b", "feat: a\n\nfix: b"),
        ("BREAKING-CHANGE: y", "BREAKING-CHANGE: y"),
        ("feat: a\nmore\n## v9.0.0\n- b", "feat: a\nmore"),
    ],
)
def test_a_body_is_reduced_to_its_entries(body: str, kept: str) -> None:
    assert entries(body) == kept


def test_comments_and_the_diff_of_a_verbose_commit_are_no_part_of_a_message() -> None:
    text = (
        "feat: x\n# a comment\n\nwhy\n"
        "; ------------------------ >8 ------------------------\nfix: diff\n"
    )
    assert without_comments(text) == "feat: x\n\nwhy"


@given(TEXT | st.text())
def test_what_is_shown_is_one_line_that_steers_no_terminal(text: str) -> None:
    assert shown(text).isprintable()


@pytest.mark.parametrize("text", ["a\n::error::b", "\x1b[2J", "\udc80", "\u202e"])
def test_a_control_character_is_shown_by_its_number(text: str) -> None:
    assert "\\" in shown(text)


@pytest.mark.parametrize(("message", "accepted"), MESSAGES.items())
def test_the_rules_agree_with_those_of_cz(message: str, accepted: bool) -> None:
    assert cz_accepts(message) == accepted
    assert (not list(problems(message, fix=""))) == accepted


@given(ANY_MESSAGES)
@example("feat: x\n ")
@example("feat: x\n\n")
@example("feat(a)b): x")
def test_the_rules_agree_with_those_of_cz_on_any_text(message: str) -> None:
    found = [it for it in problems(message, fix="") if it.rule != "breaking"]
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
        "BREAKING: x",
        "Breaking change - x",
        "**Breaking:** x",
        "**BREAKING CHANGE**: x",
        "**BREAKING CHANGE:** x",
        "- BREAKING CHANGE: x",
    ],
)
def test_a_breaking_change_nearly_is_named_with_the_right_form(line: str) -> None:
    (problem,) = problems(f"fix: a\n\nWhy.\n\nRefs: #1\n{line}", fix="")
    assert (problem.rule, line in problem.found) == ("breaking", True)
    assert problem.expected.startswith("BREAKING CHANGE: ")


@pytest.mark.parametrize(
    "line",
    ["BREAKING CHANGE: x", "BREAKING-CHANGE: x", "Breaking changes come first.", "x"],
)
def test_a_breaking_change_and_words_about_one_pass(line: str) -> None:
    assert list(problems(f"fix: a\n\n{line}", fix="")) == []


def test_a_refusal_names_the_types() -> None:
    (problem,) = problems("wip", fix="")
    assert all(kind in problem.expected for kind in TYPES)
