"""A database of a branch's own on PostgreSQL, made by the service's driver."""

import psycopg
import pytest
from trunkline.deploy import own_database

from tests.postgres import Postgres


def query(url: str, statement: str) -> list[object]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(statement.encode())
        return [row[0] for row in found] if found.description else []


def databases(url: str) -> set[object]:
    return {*query(url, "SELECT datname FROM pg_database")}


def test_it_is_copied_from_the_idle_template_once(own_postgres: Postgres) -> None:
    url = own_postgres.url()
    own, template = (own_database.beside(url, name) for name in ("own", "template"))
    own_database.make(url, "template")
    query(template, "CREATE TABLE kept (id integer)")
    own_database.make(url.replace("postgresql:", "postgresql+psycopg:"), "own")
    query(template, "CREATE TABLE later (id integer)")
    own_database.make(url, "own")

    names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    assert query(own, names) == ["kept"]
    with psycopg.connect(own):  # Whoever is connected to it is cut off.
        own_database.drop(url, "own")
    own_database.drop(url, "own")
    assert own.rpartition("/")[2].partition("?")[0] not in databases(url)


def test_a_template_in_use_is_not_copied(own_postgres: Postgres) -> None:
    url = own_postgres.url()
    own_database.make(url, "template")
    with (
        psycopg.connect(own_database.beside(url, "template")),
        pytest.raises(psycopg.errors.ObjectInUse, match="being accessed"),
    ):
        own_database.make(url, "own")
    own_database.make(url, "own")
