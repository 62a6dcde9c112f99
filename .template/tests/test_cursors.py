"""A cursor is accepted unchanged or not at all, wherever it was changed."""

from uuid import UUID

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from my_app.core.platform.cursors import (
    InvalidCursorError,
    decode,
    encode,
)

identifiers = st.uuids()
LISTS = "notes"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="


@given(identifiers)
def test_a_cursor_needs_no_escaping_in_a_url(last: UUID) -> None:
    cursor = encode(last, of=LISTS)

    assert len(cursor) == 32
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert cursor.isascii()


@given(identifiers, st.integers(0, 31), st.sampled_from(ALPHABET))
def test_a_cursor_with_a_changed_character_is_refused(
    last: UUID, place: int, character: str
) -> None:
    cursor = encode(last, of=LISTS)
    assume(cursor[place] != character)

    with pytest.raises(InvalidCursorError):
        decode(cursor[:place] + character + cursor[place + 1 :], of=LISTS)


@given(identifiers, st.integers(0, 31))
def test_a_truncated_or_extended_cursor_is_refused(last: UUID, length: int) -> None:
    cursor = encode(last, of=LISTS)

    for changed in (cursor[:length], cursor + "A", f" {cursor}", f"{cursor}\n"):
        with pytest.raises(InvalidCursorError):
            decode(changed, of=LISTS)


@given(st.uuids())
def test_a_cursor_decodes_to_the_end_of_the_page(last: UUID) -> None:
    assert decode(encode(last, of=LISTS), of=LISTS) == last


@given(st.text())
@example(encode(UUID(int=0), of="customers"))
@example("\x00" * 32)
@example("\u0661" * 32)
@example("=" * 32)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursorError):
        decode(text, of=LISTS)
