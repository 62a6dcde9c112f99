import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages import TEXT
from trunkline.commits.conventional import (
    Header,
    entries,
    parse,
    shown,
    without_comments,
)


def test_a_message_is_read_into_type_scope_breaking_and_subject() -> None:
    assert parse("feat(api)!: drop v1\n\nIt had no users.") == Header(
        "feat", "api", breaking=True, subject="drop v1"
    )
    assert parse("docs: tell more") == Header("docs", None, False, "tell more")
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
