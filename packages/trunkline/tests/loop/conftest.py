"""A project with the loop running in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loop.projects import Shop, build_shop, looping


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two modules."""
    return build_shop(tmp_path)


@pytest.fixture
def shop(project: Path) -> Iterator[Shop]:
    """The project with the loop, after its first verdict."""
    with looping(project) as shop:
        assert shop.verdict() == ("green", "all quick tests")
        yield shop
