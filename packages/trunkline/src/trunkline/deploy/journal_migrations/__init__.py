"""The tables of the journal, as Alembic brings them to their newest form."""
