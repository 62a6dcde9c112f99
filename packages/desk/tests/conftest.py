"""A desk that the tests of a module share."""

import signal
from collections.abc import Iterator

import pytest

from desks import DeskProcesses, running_desk

# A shell starts background jobs with SIGINT ignored. Programs that the tests start
# would inherit that and never see an interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcesses]:
    with running_desk(tmp_path_factory.mktemp("desk")) as one:
        yield one


@pytest.fixture
def desk(running: DeskProcesses) -> DeskProcesses:
    """`main` serves, and nobody has reserved anything."""
    running.calm()
    return running
