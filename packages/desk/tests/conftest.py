"""A desk that the tests of a module share."""

from collections.abc import Iterator

import pytest

from desks import DeskProcesses, running_desk


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcesses]:
    with running_desk(tmp_path_factory.mktemp("desk")) as one:
        yield one


@pytest.fixture
def desk(running: DeskProcesses) -> DeskProcesses:
    """`main` serves, and nobody has reserved anything."""
    running.calm()
    return running
