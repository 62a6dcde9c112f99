"""What a database of its own costs each test."""

import re
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks import processes
from benchmarks.benchmark import BenchmarkError, Comparison
from benchmarks.samples import added, interleaved
from tests.postgres import programs

TESTS = 1_000
# What every asynchronous test asks for. `settings` would be no peer: to read the
# environment takes as long as a database does.
NOTHING = "anyio_backend"

TEST = """
import pytest

@pytest.mark.parametrize("number", range({tests}))
async def test({arguments}):
    pass
"""
# The median, for a few tests of many are disturbed by something else.
CONFTEST = """
from collections import Counter
from statistics import median
from time import perf_counter, process_time

import pytest

cpu, wall = Counter(), Counter()

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    begun = process_time(), perf_counter()
    answer = yield
    cpu[item.nodeid] += process_time() - begun[0]
    wall[item.nodeid] += perf_counter() - begun[1]
    return answer

def pytest_terminal_summary(terminalreporter):
    cpu_ms, wall_ms = (median(it.values()) * 1000 for it in (cpu, wall))
    terminalreporter.write_line(f"median CPU {cpu_ms} ms, wall {wall_ms} ms")
"""


class Sample(NamedTuple):
    """Milliseconds that a test took, with set-up and end.

    Of PostgreSQL the CPU time is that of the tests alone, not of the server.
    """

    cpu: float
    wall: float


def run(rounds: int) -> list[Comparison]:
    """Run many tests with a database and without, in turns."""
    chosen = ["sqlite", *(["postgres"] if programs() else [])]
    measures = {
        f"{database} {fixture}": partial(milliseconds, database, fixture)
        for database in chosen
        for fixture in ("database", NOTHING)
    }
    samples = interleaved(rounds, measures)
    return [
        added(
            f"set-up and end of a test's database, {database}: {kind}",
            "ms",
            ours=[getattr(each, kind) for each in samples[f"{database} database"]],
            theirs=[getattr(each, kind) for each in samples[f"{database} {NOTHING}"]],
        )
        for database in chosen
        for kind in Sample._fields
    ]


def milliseconds(database: str, fixture: str) -> Sample:
    """Return what a test takes that does nothing, of many that ask for a fixture."""
    with TemporaryDirectory(prefix="benchmark-") as folder:
        Path(folder, "conftest.py").write_text(CONFTEST)
        test = Path(folder, "test_many.py")
        arguments = f"number, {fixture}"
        test.write_text(TEST.format(tests=TESTS, arguments=arguments))
        config = ("-c", processes.PROJECT / "pyproject.toml", f"--rootdir={folder}")
        # The fixtures are the project's own.
        plugins = ("-ptests.conftest", "-pno:randomly")
        options = (*plugins, "--no-cov", f"--database={database}")
        command = (sys.executable, "-m", "pytest", *config, *options, test)
        said = processes.run(command).stdout
    found = re.search(r"median CPU ([\d.e-]+) ms, wall ([\d.e-]+) ms", said)
    if found is None:
        raise BenchmarkError(f"found no median in {said[-500:]!r}")
    return Sample(cpu=float(found[1]), wall=float(found[2]))
