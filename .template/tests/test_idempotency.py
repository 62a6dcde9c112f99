"""Idempotency keys: their syntax, and which requests are the same."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from my_app.core.platform.idempotency import (
    Claim,
    KeyReusedError,
    MalformedKeyError,
    MissingKeyError,
    check_same_request,
    fingerprint,
    is_expired,
    parse_key,
)

VISIBLE = "".join(chr(code) for code in range(0x21, 0x7F))
SEPARATORS = '",;\\'
keys = st.text(sorted(set(VISIBLE) - set(SEPARATORS)), min_size=1, max_size=255)
contents = st.dictionaries(st.text(), st.integers() | st.text() | st.none())
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def claim(content: dict[str, object], made_at: datetime = NOW) -> Claim:
    return Claim(key="a", fingerprint=fingerprint(content), made_at=made_at)


@given(keys)
@example("8e03978e-40d5-43dd-bc93-6894a57f9324")
@example("order:7/2026")
@example("dGVzdA==")
def test_a_key_is_the_same_with_quotes_and_without(key: str) -> None:
    assert parse_key([key]) == parse_key([f'"{key}"']) == key


@given(st.text().filter(lambda text: not text.isascii() or not text.isprintable()))
@example("")
@example('""')
@example('"a')
@example('a"')
@example("a,b")
@example('"a";b=1')
@example("a b")
@example("a\\b")
@example("a\n")
@example("a" * 256)
def test_a_malformed_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedKeyError) as raised:
        parse_key([text])

    assert raised.value.status == 400


def test_a_missing_key_is_refused_with_an_example() -> None:
    with pytest.raises(MissingKeyError, match="such as a UUID") as raised:
        parse_key([])

    assert raised.value.status == 400


@given(st.lists(keys, min_size=2, max_size=3))
def test_several_keys_are_refused(several: list[str]) -> None:
    with pytest.raises(MalformedKeyError, match="single"):
        parse_key(several)


@given(contents)
def test_the_order_of_members_does_not_matter(
    content: dict[str, object],
) -> None:
    backwards = dict(reversed(content.items()))

    assert fingerprint(content) == fingerprint(backwards)
    check_same_request(claim(content), claim(backwards))


@given(contents, contents)
def test_a_key_is_refused_exactly_if_the_request_differs(
    one: dict[str, object], other: dict[str, object]
) -> None:
    if one == other:
        check_same_request(claim(one), claim(other))
    else:
        with pytest.raises(KeyReusedError) as raised:
            check_same_request(claim(one), claim(other))
        assert raised.value.status == 422


@given(st.timedeltas(timedelta(), timedelta(days=400)), st.integers(1, 10_000))
def test_a_key_expires_after_its_lifetime_and_not_before(
    age: timedelta, hours: int
) -> None:
    lifetime = timedelta(hours=hours)

    assert is_expired(claim({}, NOW - age), NOW, lifetime) == (age >= lifetime)
