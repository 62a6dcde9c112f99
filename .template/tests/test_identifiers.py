"""Identifiers sort by age; those of threads and of processes differ."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from my_app.core.platform.identifiers import (
    Identifiers,
    made_at,
    new_identifier,
)

# Nanoseconds until the year 10889, when 48 bits of milliseconds are used up.
times = st.integers(0, (1 << 48) - 2).map(lambda millisecond: millisecond * 1_000_000)


def at(readings: Sequence[int]) -> list[UUID]:
    """Generate one identifier per reading of the clock."""
    clock = iter(readings)
    make = Identifiers(lambda: next(clock))
    return [make() for _ in readings]


@given(st.lists(times, min_size=2, max_size=50))
def test_identifiers_increase_whatever_the_clock_does(
    readings: list[int],
) -> None:
    made = at(readings)

    assert made == sorted(set(made))
    assert [str(each) for each in made] == sorted(str(each) for each in made)
    assert [each.bytes for each in made] == sorted(each.bytes for each in made)


@given(times)
def test_an_identifier_is_a_uuid_7_with_its_time(
    reading: int,
) -> None:
    (made,) = at([reading])

    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == reading // 1_000_000


def test_the_time_of_an_identifier_is_now() -> None:
    before = datetime.now(UTC)
    told = made_at(new_identifier())

    assert abs(told - before) < timedelta(seconds=10)
    assert told.microsecond % 1000 == 0


def test_all_bits_but_those_of_the_clock_are_random() -> None:
    """Two processes share nothing but the millisecond."""
    own = [Identifiers(lambda: 0)().int & (1 << 80) - 1 for _ in range(200)]
    fixed = 7 << 76 | 0b10 << 62

    assert len(set(own)) == len(own)
    for bit in range(76):
        seen = {each >> bit & 1 for each in own}
        assert seen == ({0, 1} if bit not in (62, 63) else {fixed >> bit & 1})


def test_threads_never_generate_the_same_identifier() -> None:
    make = Identifiers()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: make(), range(2_000)))

    assert len(set(made)) == len(made)
