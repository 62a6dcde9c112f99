"""Pages of invoices hold each once, and are read along an index."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Select, text
from sqlalchemy.ext.asyncio import AsyncSession

from my_app.config import Flags
from my_app.core.billing.invoices import Invoice, issue
from my_app.core.billing.pricing import Plan, calculate_billing
from my_app.core.billing.repository import (
    Invoices,
    select_newest,
    select_older,
)
from my_app.core.platform.actor import Actor
from my_app.core.platform.db.engine import Database
from my_app.core.platform.identifiers import (
    new_identifier,
)

QUOTE = calculate_billing(Plan(seats=1, usage=0, currency="EUR"), Flags())
pytestmark = pytest.mark.anyio
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
async def session(own_database: Database) -> AsyncIterator[AsyncSession]:
    async with own_database.transaction(writing=True) as session:
        yield session


@pytest.fixture
def invoices(session: AsyncSession) -> Invoices:
    return Invoices(session)


@shared
@given(
    before=st.integers(1, 8),
    reads=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2)), max_size=8),
)
async def test_pages_partition_the_list_whatever_is_added_in_between(
    invoices: Invoices, before: int, reads: list[tuple[int, int]]
) -> None:
    """Each read fetches a page of some size; then some invoices are added."""
    example = await invoices.session.begin_nested()
    for _ in range(before):
        await add(invoices)
    expected = await invoices.newest(1000)
    seen: list[Invoice] = []
    for size, added in [*reads, (1000, 0)]:
        seen += await invoices.newest(size, before=seen[-1].id if seen else None)
        for _ in range(added):
            await add(invoices)
    await example.rollback()

    assert len(expected) == before
    assert seen == expected


async def add(invoices: Invoices) -> None:
    await invoices.add(issue(QUOTE, new_identifier(), Actor()))


@pytest.mark.parametrize(
    "statement", [select_newest, select_older], ids=["first", "next"]
)
async def test_a_page_is_read_along_the_primary_key(
    session: AsyncSession, statement: Select[Any]
) -> None:
    """So a page takes equally long with a thousand and with a million invoices."""
    dialect = session.get_bind().dialect
    asked = statement.limit(20).params(before=new_identifier())
    sql = asked.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    if dialect.name == "sqlite":
        steps = await session.execute(text(f"EXPLAIN QUERY PLAN {sql}"))
        (step,) = (row.detail for row in steps)  # A sort would be another.
        assert "USING INDEX sqlite_autoindex_invoices_1" in step
    else:
        # PostgreSQL would read and sort all of a small table.
        for way in ("seqscan", "bitmapscan", "sort"):
            await session.execute(text(f"SET LOCAL enable_{way} = off"))
        steps = await session.execute(text(f"EXPLAIN {sql}"))
        limit, scan = (row[0] for row in steps if "Cond:" not in row[0])
        assert limit.startswith("Limit")
        assert "Index Scan Backward using pk_invoices" in scan
