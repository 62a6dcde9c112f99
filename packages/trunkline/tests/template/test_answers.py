import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import FailedError
from trunkline.template.answers import Answers, parse_answers, print_answers

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]))
ANSWERS = Answers("a", "A", "gh:acme/template", "v1.0.0", {"keep_billing": False})


@given(TEXT, TEXT, st.dictionaries(st.from_regex(r"\Akeep_[a-z]+\Z"), st.booleans()))
def test_what_is_written_is_read(
    source: str, commit: str, kept: dict[str, bool]
) -> None:
    answers = Answers("acme_api", "Acme API", source, commit, kept)
    assert parse_answers(print_answers(answers, header="# Written.\n")) == answers


def test_other_ways_to_write_yaml_are_read() -> None:
    text = "# x\n\n_commit: v1.0.0\n_src_path:  'gh:acme/template' \n"
    text += 'keep_billing: false\npackage: a # short\ntitle: "A"\n'
    assert parse_answers(text) == ANSWERS


@pytest.mark.parametrize("text", ["", "package: a\n", "- a\n", "a: 1\n  b: 2\n"])
def test_a_file_that_says_too_little_is_refused(text: str) -> None:
    with pytest.raises(FailedError, match=r"\.copier-answers\.yml[^\n]*\n.*git log"):
        parse_answers(text)


@pytest.mark.parametrize(
    "line",
    [
        "<<<<<<< ours",
        "=======",
        'title: "A',
        "title: 'A",
        "title: 'A'B'",
        'title: "\\"',
    ],
)
def test_a_file_that_was_spoilt_is_refused_by_its_line(line: str) -> None:
    whole = print_answers(ANSWERS, header="# Written.\n")
    with pytest.raises(FailedError, match=r"line 2: found .*expected `name: value`\n"):
        parse_answers(f"# Written.\n{line}\n{whole}")
