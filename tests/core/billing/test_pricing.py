"""Pricing rules, checked over all possible plans."""

from dataclasses import replace
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


@given(plans, states)
def test_a_total_is_never_negative(plan: Plan, flags: Flags) -> None:
    assert total(plan, flags) >= 0


@given(plans, st.integers(1, MAX_SEATS), states)
def test_a_total_never_decreases_with_seats(
    plan: Plan, more: int, flags: Flags
) -> None:
    larger = replace(plan, seats=min(plan.seats + more, MAX_SEATS))

    assert total(larger, flags) >= total(plan, flags)


@given(plans, st.integers(1, 1000))
def test_a_total_never_decreases_with_usage(plan: Plan, more: int) -> None:
    larger = replace(plan, usage=min(plan.usage + more, MAX_USAGE))

    assert total(larger, NEW) >= total(plan, NEW)


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
def test_quantities_add_up_to_the_plan(plan: Plan) -> None:
    lines = calculate_billing(plan, NEW).lines

    assert sum(line.quantity for line in lines if line.kind == "seats") == plan.seats
    assert sum(line.quantity for line in lines if line.kind == "usage") == plan.usage


@given(plans)
def test_the_old_price_is_flat_and_usage_is_free(plan: Plan) -> None:
    undiscounted = replace(plan, discount_code=None)
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


def test_a_discount_is_a_separate_line() -> None:
    plan = Plan(seats=3, usage=0, currency="EUR", discount_code="WELCOME10")
    *_, line = calculate_billing(plan, OLD).lines

    assert (line.kind, line.amount) == ("discount", -324)


def test_an_unknown_discount_is_refused() -> None:
    plan = Plan(seats=3, usage=0, currency="EUR", discount_code="FREE")

    with pytest.raises(UnknownDiscountError, match="No discount has this code"):
        calculate_billing(plan, OLD)
