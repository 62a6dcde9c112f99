"""Storing invoices, and how long their keys are remembered."""

import itertools
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from my_app.config import Flags
from my_app.core.billing.invoices import Invoice, issue
from my_app.core.billing.pricing import Plan, calculate_billing
from my_app.core.billing.repository import (
    PURGE_BATCH,
    PURGE_EVERY,
    Invoices,
    select_newest,
    select_older,
    table,
)
from my_app.core.platform.db.engine import Database
from my_app.core.platform.idempotency import (
    Claim,
    KeyReusedError,
    fingerprint,
)
from my_app.core.platform.identifiers import (
    Identifiers,
    new_identifier,
)

from tests.core.billing.test_pricing import plans, states

LIFETIME = timedelta(hours=24)
QUOTE = calculate_billing(Plan(seats=1, usage=0, currency="EUR"), Flags())
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    async with database.transaction(writing=True) as session:
        yield session


@pytest.fixture
def invoices(session: AsyncSession) -> Invoices:
    return Invoices(session)


def made(*, ago: timedelta = timedelta(), identifier: UUID | None = None) -> Invoice:
    """Issue an invoice some time ago."""
    then = Identifiers(lambda: time.time_ns() - int(ago.total_seconds() * 1e9))
    return issue(QUOTE, identifier or (then() if ago else new_identifier()))


def claim(invoice: Invoice, key: str | None = None, body: str = "") -> Claim:
    return Claim(
        key=key or str(uuid4()),
        fingerprint=fingerprint({"body": body}),
        made_at=invoice.created_at,
    )


async def remembered(session: AsyncSession) -> int:
    key = table.c.idempotency_key
    return (await session.scalars(select(func.count(key)))).one()


@shared
@given(plan=plans, flags=states)
async def test_an_invoice_is_read_as_it_was_stored(
    invoices: Invoices, plan: Plan, flags: Flags
) -> None:
    invoice = issue(calculate_billing(plan, flags), new_identifier())
    await invoices.add(invoice, claim(invoice))

    assert await invoices.get(invoice.id) == invoice
    assert await invoices.newest(1) == [invoice]


@shared
@given(
    requests=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), max_size=20
    )
)
async def test_each_key_has_one_invoice_that_of_its_first_request(
    invoices: Invoices, requests: list[tuple[str, str]]
) -> None:
    run = str(uuid4())
    first: dict[str, tuple[str, Invoice]] = {}
    for key, body in requests:
        invoice = made()
        body_then, invoice_then = first.setdefault(key, (body, invoice))
        request = claim(invoice, run + key, body)
        if body == body_then:
            answer = await invoices.add_once(invoice, request, lifetime=LIFETIME)
            assert answer == (invoice_then, invoice is not invoice_then)
        else:
            with pytest.raises(KeyReusedError):
                await invoices.add_once(invoice, request, lifetime=LIFETIME)

    stored = {each.id for each in await invoices.newest(1000)}
    assert {invoice.id for _, invoice in first.values()} <= stored


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


async def add(invoices: Invoices) -> Invoice:
    invoice = made()
    assert await invoices.add(invoice, claim(invoice))
    return invoice


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


async def test_an_expired_key_may_be_reused(invoices: Invoices) -> None:
    old = made(ago=LIFETIME + timedelta(minutes=1))
    new = made()
    await invoices.add(old, claim(old, "key"))
    answer = await invoices.add_once(new, claim(new, "key", "other"), lifetime=LIFETIME)

    assert answer == (new, False)
    assert await invoices.newest(10) == [new, old]
    again = await invoices.replay(claim(new, "key", "other"), lifetime=LIFETIME)
    assert again == new


async def test_a_key_is_remembered_until_it_expires(invoices: Invoices) -> None:
    old = made(ago=LIFETIME - timedelta(minutes=1))
    new = made()
    await invoices.add(old, claim(old, "key"))

    answer = await invoices.add_once(new, claim(new, "key"), lifetime=LIFETIME)

    assert answer == (old, True)
    assert await invoices.newest(10) == [old]


async def test_expired_keys_are_cleared_in_batches(
    invoices: Invoices, session: AsyncSession
) -> None:
    olds = [made(ago=LIFETIME * 2) for _ in range(PURGE_BATCH + 10)]
    for old in olds:
        await invoices.add(old, claim(old))
    fresh = await add(invoices)
    new = made(identifier=UUID(int=new_identifier().int // PURGE_EVERY * PURGE_EVERY))
    await invoices.add_once(new, claim(new), lifetime=LIFETIME)

    assert await remembered(session) == 10 + 2
    assert set(await invoices.newest(1000)) == {new, fresh, *olds}


async def test_most_invoices_cost_one_statement(
    invoices: Invoices, session: AsyncSession
) -> None:
    """Only one invoice in many pays for clearing keys."""
    old = made(ago=LIFETIME * 2)
    await invoices.add(old, claim(old))
    new = made(identifier=UUID(int=new_identifier().int | 1))
    await invoices.add_once(new, claim(new), lifetime=LIFETIME)

    assert await remembered(session) == 2


@pytest.mark.slow
async def test_keys_never_pile_up(invoices: Invoices, session: AsyncSession) -> None:
    """After ten lifetimes little more than the keys of one remain."""
    per_lifetime = 100
    step = LIFETIME // per_lifetime // timedelta(microseconds=1) * 1000
    clock = itertools.count(time.time_ns(), step)
    make = Identifiers(lambda: next(clock))
    for number in range(10 * per_lifetime):
        drawn = make().int // PURGE_EVERY * PURGE_EVERY
        new = made(identifier=UUID(int=drawn + number % PURGE_EVERY))
        await invoices.add_once(new, claim(new), lifetime=LIFETIME)

    assert await remembered(session) <= per_lifetime + PURGE_EVERY
