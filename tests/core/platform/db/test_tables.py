"""Portable column types."""

import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, Table, insert, select
from sqlalchemy.exc import StatementError

from my_app import core
from my_app.core.platform.db.engine import Database
from my_app.core.platform.db.tables import (
    UTCDateTime,
    load_tables,
)

TOKYO = timezone(timedelta(hours=9))
moments = Table("moments", MetaData(), Column("at", UTCDateTime))


async def kept(database: Database, value: datetime | None) -> datetime | None:
    """Write a datetime and read it back."""
    async with database.transaction(writing=True) as session:
        await (await session.connection()).run_sync(moments.create)
        await session.execute(insert(moments).values(at=value))
        return await session.scalar(select(moments.c.at))


async def test_a_datetime_is_returned_in_utc(database: Database) -> None:
    noon = datetime(2026, 11, 21, 12, 0, 0, 123_456, tzinfo=TOKYO)
    found = await kept(database, noon)

    assert found == noon
    assert found is not None
    assert found.tzinfo == UTC or found.utcoffset() == timedelta(0)


async def test_none_stays_none(database: Database) -> None:
    assert await kept(database, None) is None


async def test_a_naive_datetime_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="a datetime needs a time zone"):
        await kept(database, datetime(2026, 11, 21))


def test_the_tables_of_a_feature_are_found_by_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No feature has a name like this.
    (tmp_path / "_parcels").mkdir()
    (tmp_path / "_parcels/__init__.py").touch()
    (tmp_path / "_parcels/tables.py").write_text("loaded = True\n")
    monkeypatch.setattr(core, "__path__", [str(tmp_path)])

    load_tables()

    assert sys.modules.pop(f"{core.__name__}._parcels.tables").loaded
