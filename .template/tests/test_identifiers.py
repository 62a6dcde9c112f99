"""Identifiers of threads and of processes differ."""

from concurrent.futures import ThreadPoolExecutor

from my_app.core.platform.identifiers import Identifiers


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
