"""Migrations of the tests' own, for tests of what runs them."""

from pathlib import Path

TEMPLATE = '''"""{revision}"""

import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {below!r}


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''


def write(
    folder: Path,
    revision: str,
    below: str | None = None,
    *,
    up: str = "",
    down: str = "",
) -> None:
    """Write a migration that makes a table of its own name, unless told otherwise."""
    up = up or f'op.create_table("{revision}", sa.Column("id", sa.Integer))'
    down = down or f'op.drop_table("{revision}")'
    content = TEMPLATE.format(revision=revision, below=below, up=up, down=down)
    (folder / f"{revision}.py").write_text(content)
