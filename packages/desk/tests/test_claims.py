"""Whoever acts, whatever they want and whatever is true: what the rule never allows."""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from trunkline_desk.claims import (
    CLAIMS,
    Action,
    Ground,
    Person,
    Reservation,
    Role,
    Wish,
    claim,
    clock,
    denial,
)

NOW = 1_800_000_000.0
NAMES = st.sampled_from(["ana", "ben", "kim"])
PEOPLE = st.builds(Person, NAMES, st.sampled_from(Role), st.just("password"))
ENDS = st.floats(NOW + 1, NOW + 9000)
# What can be wished for although somebody else has it.
PATIENT = {Action.TAKE_OVER, Action.TELL}


def reservations(*holders: str) -> st.SearchStrategy[Reservation]:
    """Return reservations of these people that have not ended."""
    return st.builds(
        Reservation,
        holder=st.sampled_from(holders),
        until=ENDS,
        why=st.sampled_from(["", "demo for ACME"]),
        ref=st.sampled_from(["", "feat/seats"]),
    )


STATES = ["a.1.0", "a.1.1", "b.2.1"]
HELD = reservations("", "ana", "ben", "kim")
GROUNDS = st.builds(
    Ground,
    name=st.sampled_from(["staging", "production"]),
    accepts_any=st.booleans(),
    reservation=st.none() | HELD,
    state=st.sampled_from(STATES),
)


def wishes(actions: Iterable[Action] = Action) -> st.SearchStrategy[Wish]:
    """Return wishes for one of these actions, from pages old and new."""
    return st.builds(
        Wish,
        action=st.sampled_from(sorted(actions)),
        seen=st.sampled_from(["", *STATES]),
        why=st.sampled_from(["", " ", "it is urgent"]),
        typed=st.sampled_from(["", "staging", "production"]),
    )


@given(wishes(), PEOPLE, GROUNDS)
def test_a_viewer_changes_nothing(wish: Wish, person: Person, ground: Ground) -> None:
    found = denial(wish, replace(person, role=Role.VIEWER), ground, NOW)
    assert found is not None
    assert found.status == 403


@given(wishes(), PEOPLE, GROUNDS)
def test_only_a_releaser_touches_what_takes_releases_and_types_its_name(
    wish: Wish, person: Person, ground: Ground
) -> None:
    ground = replace(ground, accepts_any=False)
    if denial(wish, person, ground, NOW) is None:
        assert person.role is Role.RELEASER
        assert wish.action in {*CLAIMS, Action.STOP} or wish.typed == ground.name


@given(wishes(), PEOPLE, GROUNDS, reservations("eve"))
def test_what_another_has_is_left_alone_but_for_a_reason(
    wish: Wish, person: Person, ground: Ground, held: Reservation
) -> None:
    if denial(wish, person, replace(ground, reservation=held), NOW) is None:
        assert wish.action in PATIENT
        assert wish.action is Action.TELL or wish.why.strip()


@given(wishes(), PEOPLE, GROUNDS, reservations(""))
def test_a_freeze_stops_everybody_and_ends_by_a_releaser_only(
    wish: Wish, person: Person, ground: Ground, held: Reservation
) -> None:
    if denial(wish, person, replace(ground, reservation=held), NOW) is None:
        assert person.role is Role.RELEASER or wish.action is Action.TELL
        assert wish.action in CLAIMS


@given(wishes(set(Action) - CLAIMS), PEOPLE, GROUNDS)
def test_what_serves_changes_only_for_who_saw_it(
    wish: Wish, person: Person, ground: Ground
) -> None:
    if denial(wish, person, ground, NOW) is None:
        # Only who stops what is running must have seen that as well.
        parts = 3 if wish.action is Action.STOP else 2
        assert wish.seen.split(".")[:parts] == ground.state.split(".")[:parts]


@given(wishes(), PEOPLE, GROUNDS, HELD)
def test_a_reservation_that_has_ended_is_none(
    wish: Wish, person: Person, ground: Ground, held: Reservation
) -> None:
    free = replace(ground, reservation=None)
    ended = replace(ground, reservation=replace(held, until=NOW))
    said = [denial(wish, person, one, NOW) for one in (ended, free)]
    assert str(said[0]) == str(said[1])


@given(wishes(set(Action) - PATIENT), NAMES, GROUNDS, reservations("eve"))
def test_whoever_is_in_the_way_is_named_with_why_and_until(
    wish: Wish, name: str, ground: Ground, held: Reservation
) -> None:
    person = Person(name, Role.RELEASER, "password")
    found = denial(wish, person, replace(ground, reservation=held), NOW)
    assert found is not None
    assert found.status == 409
    for part in (held.holder, held.why, clock(held.until, NOW)):
        assert part in found.sentence


@given(wishes({Action.PUT}), PEOPLE, HELD, ENDS)
def test_whoever_puts_on_has_it_and_keeps_what_they_had(
    wish: Wish, person: Person, held: Reservation, until: float
) -> None:
    mine = replace(held, holder=person.name)
    assert claim(wish, person, mine, until=until, ref="feat/seats") == Reservation(
        person.name, max(until, mine.until), wish.why or mine.why, "feat/seats"
    )


def test_a_time_of_another_day_has_its_date() -> None:
    assert clock(NOW, NOW) == "08:00 UTC"
    assert clock(NOW + 3 * 86400, NOW) == "18 Jan 08:00 UTC"
    assert clock(NOW - 16 * 86400, NOW) == "30 Dec 2026 08:00 UTC"


@given(wishes({Action.EXTEND}), PEOPLE, GROUNDS, ENDS)
def test_whoever_may_keep_longer_has_it_that_long(
    wish: Wish, person: Person, ground: Ground, until: float
) -> None:
    if denial(wish, person, ground, NOW) is None:
        found = claim(wish, person, ground.reservation, until=until, ref="")
        assert found is not None
        assert found.until == until
        # A freeze is still nobody's.
        held = ground.reservation
        assert found.holder == (held.holder if held else person.name)


@given(wishes(set(Action) - CLAIMS - {Action.PUT}), PEOPLE, st.none() | HELD)
def test_only_claims_and_putting_on_change_who_has_it(
    wish: Wish, person: Person, held: Reservation | None
) -> None:
    assert claim(wish, person, held, until=NOW + 1, ref="") == held
