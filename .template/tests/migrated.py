"""Migrations of the tests' own: writing them, taking them back, what they left."""

from pathlib import Path

from alembic import command
from sqlalchemy import NullPool, create_engine, inspect, make_url

from my_app.migrations.commands import configuration
from my_app.migrations.connection import migrating

from tests.plugins.databases import settings_of

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


def downgrade(url: str, folder: Path, revision: str) -> None:
    """Take migrations back, as a developer may with Alembic's own command."""
    config = configuration(folder)
    with migrating(settings_of(url)) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def tables(url: str) -> set[str]:
    """List a database's tables but those of the migrations themselves."""
    address = make_url(url)
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    engine = create_engine(address, poolclass=NullPool)
    found = set(inspect(engine).get_table_names())
    return found - {"alembic_version", "migration_history"}
