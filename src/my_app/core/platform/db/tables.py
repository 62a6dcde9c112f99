"""The base class of all models, and portable column types."""

from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

from sqlalchemy import DateTime, Dialect, MetaData
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from .... import core

# Migrations refer to constraints by name, so names must be the same everywhere.
NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored and returned in UTC; SQLite has no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Convert to UTC.

        Raises:
            ValueError: the datetime is naive, so its UTC time is unknown.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime needs a time zone: datetime.now(UTC)")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Mark as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value


class Base(DeclarativeBase):
    """The base of every model; `datetime` columns are UTC."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: UTCDateTime}  # noqa: RUF012 - SQLAlchemy's own


def load_tables() -> MetaData:
    """Import every feature's `tables` module and return all tables."""
    for feature in iter_modules(core.__path__, f"{core.__name__}."):
        if feature.ispkg and find_spec(f"{feature.name}.tables"):
            import_module(f"{feature.name}.tables")
    return Base.metadata
