import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import FailedError
from trunkline.pipeline.stepfiles import parts, read_pairs, redact

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True)
lines = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20)


@given(st.dictionaries(names, lines))
def test_what_is_written_on_one_line_is_read_back(values: dict[str, str]) -> None:
    text = "".join(f"{name}={value}\n" for name, value in values.items())
    assert read_pairs(text, "GITHUB_OUTPUT") == values


@given(names, st.lists(lines.filter(lambda line: line != "END")))
def test_a_block_keeps_every_line(name: str, block: list[str]) -> None:
    text = "\n".join([f"{name}<<END", *block, "END", "after=1"])
    expected = {name: "\n".join(block), "after": "1"}
    assert read_pairs(text, "GITHUB_ENV") == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [("words\n", "expected NAME=value"), ("A<<END\nb\n", "no line `END`")],
)
def test_what_github_would_refuse_is_refused(text: str, said: str) -> None:
    with pytest.raises(FailedError, match=said):
        read_pairs(text, "GITHUB_OUTPUT")


@given(
    st.lists(lines.map(str.strip).filter(lambda secret: secret and "*" not in secret)),
    st.text(),
)
def test_no_secret_is_left_in_any_line(secrets: list[str], line: str) -> None:
    kept = {part for secret in secrets for part in parts(secret)}
    shown = redact(line + "".join(secrets), kept)
    assert not [part for part in kept if part in shown]
