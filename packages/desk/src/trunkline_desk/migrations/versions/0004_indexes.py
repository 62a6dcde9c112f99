"""Let a page with a long history read no more of it than it shows."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Find events by request, or by kind, and requests by time."""
    op.create_index("event_by_request", "event", ["request"])
    op.create_index("event_by_kind", "event", ["place", "kind", "id"])
    op.create_index("request_by_time", "request", ["place", "at"])
    # Whatever it found, `event_by_kind` finds.
    op.drop_index("event_by_place", "event")
