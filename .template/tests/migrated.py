"""What migrations left in a database, and taking them back."""

from pathlib import Path

from alembic import command
from sqlalchemy import NullPool, create_engine, inspect, make_url

from my_app.migrations.commands import configuration
from my_app.migrations.connection import migrating

from tests.databases import settings_of


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
