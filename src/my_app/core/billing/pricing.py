"""Pricing rules: pure functions on integers and decimals.

Amounts are integers in the currency's minor unit (cents; whole yen). Rates are exact
decimals. Each line is rounded once, half up, and a total is the sum of its lines, so
customers are charged exactly what they add up themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, Protocol

from ..platform.errors import DomainError

Currency = Literal["EUR", "JPY", "USD"]
Kind = Literal["seats", "usage", "discount"]

MAX_SEATS = 100_000
MAX_USAGE = 1_000_000_000

# A rate of 1 in each currency's minor unit. Prices are fixed per currency, not
# converted daily: 1.00 is 90 euro cents, 150 yen or 100 US cents.
MINOR_UNITS: Mapping[Currency, Decimal] = {
    "EUR": Decimal(90),
    "JPY": Decimal(150),
    "USD": Decimal(100),
}

FLAT_RATE = Decimal("12.00")


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to and including `upto` cost `rate` each; None means no upper limit."""

    upto: int | None
    rate: Decimal


# Graduated: each unit costs the rate of the tier it falls into, so crossing a boundary
# changes only the price of the units above it.
SEAT_TIERS = (
    Tier(10, Decimal("12.00")),
    Tier(50, Decimal("10.00")),
    Tier(None, Decimal("8.00")),
)
USAGE_TIERS = (
    Tier(10_000, Decimal(0)),
    Tier(1_000_000, Decimal("0.0020")),
    Tier(None, Decimal("0.0012")),
)

DISCOUNTS = {
    "WELCOME10": Decimal("0.10"),
    "NONPROFIT25": Decimal("0.25"),
}


class BillingFlags(Protocol):
    """The flags that pricing depends on."""

    @property
    def ENABLE_NEW_BILLING(self) -> bool:
        """Graduated tiers and metered usage instead of a flat price."""


class UnknownDiscountError(DomainError):
    """No discount has this code."""

    status = 422
    code = "unknown_discount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a customer wants priced, within MAX_SEATS and MAX_USAGE."""

    seats: int
    usage: int
    currency: Currency
    discount_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a quote; `amount` is in minor units, negative for a discount."""

    kind: Kind
    description: str
    quantity: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The price of a plan, in minor units of its currency."""

    currency: Currency
    lines: tuple[Line, ...]

    @property
    def total(self) -> int:
        """The sum of the lines."""
        return sum(line.amount for line in self.lines)


def calculate_billing(plan: Plan, flags: BillingFlags) -> Quote:
    """Price a plan.

    Raises:
        UnknownDiscountError: the plan's discount code does not exist.
    """
    minor_units = MINOR_UNITS[plan.currency]
    if flags.ENABLE_NEW_BILLING:
        lines = [
            *graduated("seats", plan.seats, SEAT_TIERS, minor_units),
            *graduated("usage", plan.usage, USAGE_TIERS, minor_units),
        ]
    else:
        lines = [flat(plan.seats, minor_units)]
    if plan.discount_code is not None:
        lines.append(discount(plan.discount_code, lines))
    return Quote(currency=plan.currency, lines=tuple(lines))


def flat(seats: int, minor_units: Decimal) -> Line:
    """Price every seat at the same rate; usage is free of charge."""
    return Line(
        kind="seats",
        description="Seats",
        quantity=seats,
        amount=rounded(seats * FLAT_RATE * minor_units),
    )


def graduated(
    kind: Kind, units: int, tiers: Sequence[Tier], minor_units: Decimal
) -> Iterator[Line]:
    """Price units tier by tier, with one line per tier reached."""
    below = 0
    for tier in tiers:
        top = units if tier.upto is None else min(units, tier.upto)
        if top <= below:
            return
        upto = "" if tier.upto is None else f" to {tier.upto:,}"
        yield Line(
            kind=kind,
            description=f"{kind.capitalize()} from {below + 1:,}{upto}",
            quantity=top - below,
            amount=rounded((top - below) * tier.rate * minor_units),
        )
        below = top


def discount(code: str, lines: Sequence[Line]) -> Line:
    """Deduct a percentage of the sum of the lines."""
    share = DISCOUNTS.get(code)
    if share is None:
        raise UnknownDiscountError("No discount has this code.")
    amount = sum(line.amount for line in lines)
    return Line(
        kind="discount",
        description=f"{code}: {share:.0%} off",
        quantity=1,
        amount=-rounded(amount * share),
    )


def rounded(amount: Decimal) -> int:
    """Round to a whole minor unit, half up: the commercial rule."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))
