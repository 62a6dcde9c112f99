"""The tables of the desk; times are seconds since 1970 in UTC."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()


def _text(name: str, **more: object) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="", **more)  # type: ignore[arg-type]


person = Table(
    "person",
    metadata,
    Column("name", String(100), primary_key=True),
    _text("password"),
    Column("role", Integer, nullable=False),
    Column("removed", Boolean, nullable=False, default=False),
)
session = Table(
    "session",
    metadata,
    Column("token", String(64), primary_key=True),  # SHA-256 of what the cookie has
    Column("person", ForeignKey("person.name"), nullable=False),
    _text("by"),
    Column("until", Float, nullable=False),
)
token = Table(
    "token",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("name", String(100), unique=True, nullable=False),
    Column("role", Integer, nullable=False),
)
attempt = Table(
    "attempt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("account", String(100), nullable=False, index=True),
    Column("address", String(100), nullable=False, index=True),
)
# `place` is SERVICE/ENVIRONMENT everywhere.
reservation = Table(
    "reservation",
    metadata,
    Column("place", String(200), primary_key=True),
    Column("holder", String(100), nullable=False),
    Column("until", Float, nullable=False),
    _text("why"),
    _text("ref"),
)
request = Table(
    "request",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), unique=True, nullable=False),  # of the form
    Column("place", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("person", String(100), nullable=False),
    _text("by"),
    _text("ref"),
    _text("commit"),
    _text("subject"),
    _text("options"),  # JSON
    _text("why"),
    Column("at", Float, nullable=False),
    Column("state", String(20), nullable=False),
    Column("began", Float),
    Column("ended", Float),
    _text("said"),
    Column("stopped", Boolean, nullable=False, default=False),
    Index("request_by_place", "place", "state"),
)
# What happened, and what woke the pages that are open; never changed.
event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("place", String(200), nullable=False, index=True),
    # An act of a person, the step of a request, or its end.
    Column("kind", String(20), nullable=False),
    Column("person", String(100), nullable=False),
    _text("by"),
    _text("text"),
    _text("why"),
    Column("request", Integer),
    _text("key"),  # of the form
    Index("event_by_key", "key"),
)
snapshot = Table(
    "snapshot",
    metadata,
    Column("place", String(200), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("at", Float, nullable=False),  # when it was true
    Column("tried", Float, nullable=False),
    _text("document"),
    _text("problem"),
)
flag = Table(
    "flag",
    metadata,
    Column("place", String(200), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("value", Boolean, nullable=False),
)
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hook", String(500), nullable=False),
    _text("body"),
    Column("tries", Integer, nullable=False, default=0),
    Column("due", Float, nullable=False),
    Column("done", Boolean, nullable=False, default=False),
)
