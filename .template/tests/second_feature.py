"""A second feature as a team adds it by hand: customers, one endpoint hidden."""

import re
from pathlib import Path

CORE = Path("src", "my_app", "core")

FILES = {
    CORE / "customers" / "__init__.py": '''"""Customers."""

from ..platform.feature import Feature
from .endpoints import router

feature = Feature(name="customers", router=router)
''',
    CORE / "customers" / "tables.py": '''"""The table of customers."""

from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from ..platform.db.tables import Base


class CustomerRow(Base):
    """One customer."""

    __tablename__ = "customers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
''',
    CORE / "customers" / "endpoints.py": '''"""The HTTP API of customers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from ..platform import cursors
from ..platform.context import Behind
from ..platform.db.database import Session
from ..platform.http.openapi import problem_responses
from ..platform.identifiers import new_identifier

router = APIRouter(prefix="/customers", tags=["customers"])

LIST = "/customers"
PAGE = 20
ERRORS = problem_responses(400, 404, 408, 413, 415, 422, 500, 503)
# PostgreSQL stores no NUL.
TEXT = "^[^\\\\x00]+$"


class New(BaseModel):
    """Who becomes a customer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(max_length=100, pattern=TEXT, examples=["Ann"])


class Customer(BaseModel):
    """A customer."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(examples=["019a9f3c-5a00-7d3e-8f21-6b0c1d2e3f40"])
    name: str = Field(examples=["Ann"])


class Page(BaseModel):
    """One page of customers, newest first."""

    items: list[Customer] = Field(examples=[[]])
    next_cursor: str | None = Field(examples=[None])


@router.post("", status_code=201, responses=ERRORS)
async def add_customer(new: New, session: Session) -> Customer:
    """Add a customer."""
    from .tables import CustomerRow  # noqa: PLC0415

    row = CustomerRow(id=new_identifier(), name=new.name)
    session.add(row)
    return Customer.model_validate(row)


@router.get("", responses=ERRORS)
async def list_customers(
    session: Session, cursor: str | None = Query(None, description="Of a page")
) -> Page:
    """List customers, newest first."""
    from sqlalchemy import select  # noqa: PLC0415

    from .tables import CustomerRow  # noqa: PLC0415

    found = select(CustomerRow).order_by(CustomerRow.id.desc()).limit(PAGE + 1)
    if cursor is not None:
        found = found.where(CustomerRow.id < cursors.decode(cursor, of=LIST))
    rows = [Customer.model_validate(row) for row in await session.scalars(found)]
    more = len(rows) > PAGE
    last = cursors.encode(rows[PAGE - 1].id, of=LIST) if more else None
    return Page(items=rows[:PAGE], next_cursor=last)


@router.get("/{customer_id}", responses=ERRORS)
async def get_customer(customer_id: UUID, session: Session) -> Customer:
    """Return a customer."""
    from .tables import CustomerRow  # noqa: PLC0415

    row = await session.get(CustomerRow, customer_id)
    if row is None:
        raise HTTPException(404)
    return Customer.model_validate(row)


@router.delete("/{customer_id}", status_code=204, responses=ERRORS)
async def delete_customer(customer_id: UUID, session: Session) -> None:
    """Delete a customer."""
    from .tables import CustomerRow  # noqa: PLC0415

    row = await session.get(CustomerRow, customer_id)
    if row is None:
        raise HTTPException(404)
    await session.delete(row)


@router.get(
    "/{customer_id}/letter",
    responses=ERRORS,
    dependencies=[Depends(Behind("ENABLE_LETTERS"))],
)
async def get_letter(
    customer_id: UUID,
    session: Session,
    sender: Annotated[str, Query(min_length=1, max_length=100, examples=["Bea"])],
) -> Customer:
    """Return what a letter to a customer needs; nobody writes to themselves."""
    customer = await get_customer(customer_id, session)
    if sender == customer.name:
        raise HTTPException(404)
    return customer
''',
    Path("tests", "core", "customers", "__init__.py"): "",
    Path(
        "tests", "core", "customers", "test_customers.py"
    ): '''"""Customers over HTTP."""

from httpx2 import AsyncClient


async def test_a_deleted_customer_is_gone(client: AsyncClient) -> None:
    made = (await client.post("/customers", json={"name": "Ann"})).json()
    assert (await client.delete(f"/customers/{made['id']}")).status_code == 204
    assert (await client.get(f"/customers/{made['id']}")).status_code == 404


async def test_a_letter_is_hidden_behind_its_flag(
    client: AsyncClient, enable_letters: bool
) -> None:
    made = (await client.post("/customers", json={"name": "Ann"})).json()
    answer = await client.get(f"/customers/{made['id']}/letter?sender=Bea")
    documented = "/letter" in (await client.get("/openapi.json")).text

    assert answer.status_code == (200 if enable_letters else 404)
    assert documented == enable_letters
''',
}
FLAG = """    ENABLE_LETTERS: bool = flag(
        "Letters to customers", owner="sales", expires=date(2100, 1, 1)
    )

    def enabled("""
EXAMPLE = """\
# Letters to customers
# owner: sales; expires: 2100-01-01
# ENABLE_LETTERS=false
"""
EDITS = (
    (CORE / "app.py", r"^from \. import (\w+)$", r"from . import \1, customers"),
    (CORE / "app.py", r"(    \w+\.feature,\n)\)", r"\1    customers.feature,\n)"),
    (Path("src", "my_app", "config.py"), r"^    def enabled\(", FLAG),
)


def add(root: Path) -> None:
    """Add the feature to a checkout, without its migration."""
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for path, old, new in EDITS:
        text, count = re.subn(old, new, (root / path).read_text(), flags=re.MULTILINE)
        assert count == 1, f"{path}: {old}"
        (root / path).write_text(text)
    with (root / ".env.example").open("a") as example:
        example.write(EXAMPLE)
