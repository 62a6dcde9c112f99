"""Request and response bodies of billing."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from ..pricing import MAX_SEATS, MAX_USAGE, Currency, Kind


def whole(value: object) -> object:
    """Accept 5.0 as 5: in JSON it is an integer. Strict mode still refuses "5"."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WholeNumber = Annotated[int, BeforeValidator(whole)]
Amount = Annotated[int, Field(description="In minor units of the currency")]

LINE: JsonDict = {
    "kind": "seats",
    "description": "Seats",
    "quantity": 12,
    "amount": 12_960,
}


class QuoteRequest(BaseModel):
    """The plan to price."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"seats": 12, "usage": 25_000, "currency": "EUR"},
                {"seats": 3, "currency": "USD", "discount_code": "WELCOME10"},
            ]
        },
    )

    seats: WholeNumber = Field(
        ge=1, le=MAX_SEATS, description="People who use the service"
    )
    usage: WholeNumber = Field(
        0, ge=0, le=MAX_USAGE, description="Metered units, such as API calls per month"
    )
    currency: Currency
    discount_code: str | None = Field(
        None, min_length=1, max_length=32, pattern="^[A-Z0-9]+$"
    )


class QuoteLine(BaseModel):
    """One line of a quote."""

    model_config = ConfigDict(from_attributes=True)

    kind: Kind
    description: str
    quantity: int
    amount: Amount


class QuoteResponse(BaseModel):
    """The price of the plan; `total` is the sum of the lines' amounts."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [{"currency": "EUR", "lines": [LINE], "total": 12_960}]
        },
    )

    currency: Currency
    lines: list[QuoteLine]
    total: Amount
