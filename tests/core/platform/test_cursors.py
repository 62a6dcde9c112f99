"""A cursor is accepted unchanged or not at all."""

from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from my_app.core.platform.cursors import (
    InvalidCursorError,
    decode,
    encode,
)

LISTS = "notes"


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
