"""Create the tables; nobody can change what happened."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# By dialect: events can be added and read.
_APPEND_ONLY = {
    "sqlite": (
        "CREATE TRIGGER event_stays BEFORE UPDATE ON event "
        "BEGIN SELECT RAISE(ABORT, 'events stay'); END",
        "CREATE TRIGGER event_kept BEFORE DELETE ON event "
        "BEGIN SELECT RAISE(ABORT, 'events stay'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION event_stays() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'events stay'; END $$",
        "CREATE TRIGGER event_stays BEFORE UPDATE OR DELETE ON event "
        "FOR EACH ROW EXECUTE FUNCTION event_stays()",
    ),
}


def upgrade() -> None:
    """Create the tables and the triggers."""
    _create_people()
    op.create_table(
        "reservation", _key("place"), *_text("holder", "why", "ref"), _time("until")
    )
    op.create_table(
        "request",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.Text, unique=True, nullable=False),  # of the form
        *_text("place", "kind", "person", "by", "ref", "commit", "subject"),
        *_text("options", "why", "state", "said"),
        _time("at"),
        *(sa.Column(name, sa.Double) for name in ("began", "ended")),
        _switch("stopped"),
    )
    op.create_index("request_by_place", "request", ["place", "state"])
    op.create_index("request_by_time", "request", ["place", "at"])
    op.create_table(
        "event",
        sa.Column("id", sa.Integer, primary_key=True),
        *_text("place", "kind", "person", "by", "text", "why", "key", "wish"),
        _time("at"),
        sa.Column("request", sa.Integer),
    )
    for name in ("key", "request"):
        op.create_index(f"event_by_{name}", "event", [name])
    # A page with a long history reads no more of it than it shows.
    op.create_index("event_by_kind", "event", ["place", "kind", "id"])
    op.create_table(
        "snapshot",
        *(_key("place"), _key("kind"), _time("at"), _time("tried")),
        *_text("document", "digest", "problem"),
    )
    op.create_table(
        "delivery",
        sa.Column("event", sa.Integer, primary_key=True, autoincrement=False),
        *(_key("hook"), _count("tries"), _time("due")),
    )
    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def _create_people() -> None:
    op.create_table(
        "person", _key("name"), *_text("password"), _count("role"), _switch("removed")
    )
    op.create_table(
        "session",
        _key("token"),
        sa.Column("person", sa.Text, sa.ForeignKey("person.name"), nullable=False),
        *_text("by"),
        _time("until"),
    )
    op.create_table(
        "token",
        *(_key("token"), _count("role")),
        sa.Column("name", sa.Text, unique=True, nullable=False),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer, primary_key=True),
        _time("at"),
        *_text("account", "address"),
    )
    for name in ("account", "address"):
        op.create_index(f"attempt_by_{name}", "attempt", [name])


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _text(*names: str) -> Iterator[sa.Column[str]]:
    for name in names:
        yield sa.Column(name, sa.Text, nullable=False, server_default="")


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def _time(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=False)


def _switch(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())
