"""Invoices written by hand with FastAPI and SQLAlchemy.

The same price, the same table and the same settings of the database, but neither
idempotency nor paging nor observability.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import JSON, BigInteger, DateTime, String, event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from my_app.config import Flags
from my_app.core.billing.pricing import Plan, calculate_billing
from my_app.core.billing.schemas import QuoteRequest
from my_app.core.billing.schemas.invoices import InvoiceResponse

url = os.environ["BARE_DATABASE_URL"]
engine = create_async_engine(url, pool_size=10, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)
flags = Flags()

if url.startswith("sqlite"):

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _: object) -> None:  # noqa: ANN401 - any driver's
        """Set the pragmas that most guides recommend."""
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA busy_timeout=10000")


class Base(DeclarativeBase):
    """The base of the models."""


class Invoice(Base):
    """One invoice."""

    __tablename__ = "bare_invoices"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), default=lambda: datetime.now(UTC)
    )
    currency: Mapped[str] = mapped_column(String(3))
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    total: Mapped[int] = mapped_column(BigInteger)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Make the table."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


async def get_session() -> AsyncIterator[AsyncSession]:
    """Give a session to a request."""
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]
app = FastAPI(lifespan=lifespan)


@app.post("/billing/invoices", status_code=201, response_model=InvoiceResponse)
async def create_invoice(request: QuoteRequest, session: Session) -> Invoice:
    """Price a plan and store the invoice."""
    quote = calculate_billing(Plan(**request.model_dump()), flags)
    invoice = Invoice(
        currency=quote.currency,
        lines=[asdict(line) for line in quote.lines],
        total=quote.total,
    )
    session.add(invoice)
    await session.commit()
    return invoice


@app.get("/billing/invoices/{invoice_id}", response_model=InvoiceResponse)
async def get_invoice(invoice_id: UUID, session: Session) -> Invoice:
    """Return one invoice."""
    invoice = await session.get(Invoice, invoice_id)
    if invoice is None:
        raise HTTPException(404)
    return invoice
