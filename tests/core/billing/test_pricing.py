"""The rules of pricing, over all that can be asked."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from my_app.config import Flags
from my_app.core.billing.pricing import (
    DISCOUNTS,
    FLAT_RATE,
    MAX_SEATS,
    MAX_USAGE,
    MINOR_UNITS,
    SEAT_TIERS,
    USAGE_TIERS,
    Currency,
    Plan,
    Tier,
    UnknownDiscountError,
    calculate_billing,
    rounded,
)

OLD = Flags(ENABLE_NEW_BILLING=False)
NEW = Flags(ENABLE_NEW_BILLING=True)
currencies = st.sampled_from(sorted(MINOR_UNITS))
plans = st.builds(
    Plan,
    seats=st.integers(1, MAX_SEATS),
    usage=st.integers(0, MAX_USAGE),
    currency=currencies,
    discount_code=st.none() | st.sampled_from(sorted(DISCOUNTS)),
)
states = st.sampled_from([OLD, NEW])


def total(plan: Plan, flags: Flags) -> int:
    return calculate_billing(plan, flags).total


def with_seats(plan: Plan, seats: int) -> Plan:
    return Plan(
        seats=seats,
        usage=plan.usage,
        currency=plan.currency,
        discount_code=plan.discount_code,
    )


@given(plans, states)
def test_a_total_is_the_sum_of_its_lines(plan: Plan, flags: Flags) -> None:
    quote = calculate_billing(plan, flags)

    assert quote.total == sum(line.amount for line in quote.lines)


@given(plans, states)
def test_a_total_is_never_negative(plan: Plan, flags: Flags) -> None:
    assert total(plan, flags) >= 0


@given(plans, st.integers(1, MAX_SEATS), states)
def test_a_total_never_decreases_with_seats(
    plan: Plan, more: int, flags: Flags
) -> None:
    larger = with_seats(plan, min(plan.seats + more, MAX_SEATS))

    assert total(larger, flags) >= total(plan, flags)


@given(plans, st.integers(1, 1000))
def test_a_total_never_decreases_with_usage(plan: Plan, more: int) -> None:
    used = Plan(
        seats=plan.seats, usage=min(plan.usage + more, MAX_USAGE), currency="EUR"
    )
    before = Plan(seats=plan.seats, usage=plan.usage, currency="EUR")

    assert total(used, NEW) >= total(before, NEW)


@pytest.mark.parametrize("tier", SEAT_TIERS[:-1])
@pytest.mark.parametrize("currency", sorted(MINOR_UNITS))
def test_tiers_are_continuous(tier: Tier, currency: Currency) -> None:
    """Crossing an edge adds one seat at the next tier's rate and changes no other."""
    assert tier.upto is not None
    following = SEAT_TIERS[SEAT_TIERS.index(tier) + 1]
    at, above = (
        total(Plan(seats=seats, usage=0, currency=currency), NEW)
        for seats in (tier.upto, tier.upto + 1)
    )

    assert above - at == following.rate * MINOR_UNITS[currency]


@given(st.integers(1, MAX_SEATS), currencies)
def test_every_seat_costs_the_rate_of_its_own_tier(
    seats: int, currency: Currency
) -> None:
    rates = [
        next(tier.rate for tier in SEAT_TIERS if tier.upto is None or seat <= tier.upto)
        for seat in range(1, min(seats, 200) + 1)
    ]
    plan = Plan(seats=len(rates), usage=0, currency=currency)

    assert total(plan, NEW) == sum(rates) * MINOR_UNITS[currency]


@given(plans)
def test_quantities_add_up_to_what_was_asked_for(plan: Plan) -> None:
    lines = calculate_billing(plan, NEW).lines

    assert sum(line.quantity for line in lines if line.kind == "seats") == plan.seats
    assert sum(line.quantity for line in lines if line.kind == "usage") == plan.usage


@given(plans)
def test_the_old_price_is_flat_and_usage_is_free(plan: Plan) -> None:
    undiscounted = Plan(seats=plan.seats, usage=plan.usage, currency=plan.currency)
    expected = plan.seats * FLAT_RATE * MINOR_UNITS[plan.currency]

    assert total(undiscounted, OLD) == expected


def test_usage_within_the_first_tier_is_free() -> None:
    first = USAGE_TIERS[0].upto
    assert first is not None
    free, charged = (
        total(Plan(seats=1, usage=usage, currency="USD"), NEW)
        for usage in (first, first + 1_000)
    )

    assert charged - free == 200


@pytest.mark.parametrize(
    ("exact", "expected"),
    [("0.4", 0), ("0.5", 1), ("1.5", 2), ("2.5", 3), ("2.49", 2)],
)
def test_half_a_minor_unit_is_rounded_up(exact: str, expected: int) -> None:
    assert rounded(Decimal(exact)) == expected


def test_a_discount_is_a_line_of_its_own() -> None:
    plan = Plan(seats=3, usage=0, currency="EUR", discount_code="WELCOME10")
    *_, line = calculate_billing(plan, OLD).lines

    assert (line.kind, line.amount) == ("discount", -324)


def test_an_unknown_discount_is_refused() -> None:
    plan = Plan(seats=3, usage=0, currency="EUR", discount_code="FREE")

    with pytest.raises(UnknownDiscountError, match="No discount has this code"):
        calculate_billing(plan, OLD)
