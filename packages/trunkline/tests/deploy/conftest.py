"""A service to deploy."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.shops import Shop, end_all


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    end_all(made.folder.parent)
