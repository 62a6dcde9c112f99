"""Fixtures of the template's proofs."""

from killed_postgres import own_postgres
from project_image import engine, image, project

from tests.conftest import anyio_backend, make_client, pytest_runtest_makereport
from tests.databases import postgres

__all__ = [
    "anyio_backend",
    "engine",
    "image",
    "make_client",
    "own_postgres",
    "postgres",
    "project",
    "pytest_runtest_makereport",
]
