"""A desk for the tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from desks import DeskProcesses, running_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskProcesses]:
    with running_desk(tmp_path) as one:
        yield one
