"""The script that Alembic runs, on the connection that `upgrade` gives it."""

from alembic import context

from trunkline.deploy.journal_migrations.upgrade import VERSION

context.configure(
    connection=context.config.attributes["connection"],
    # The server may hold the tables of a service, too.
    version_table=VERSION.name,
)
context.run_migrations()
