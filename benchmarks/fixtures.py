"""What a database of its own costs each test."""

import re
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import processes
from benchmarks.benchmark import BenchmarkError, Comparison
from benchmarks.samples import added, interleaved
from tests.postgres import programs

TESTS = 1_000

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

took = Counter()

def pytest_runtest_logreport(report):
    if report.when != "call":
        took[report.nodeid] += report.duration

def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"median {median(took.values()) * 1000} ms")
"""


def run(rounds: int) -> list[Comparison]:
    """Run many tests with a database and without, in turns."""
    chosen = ["sqlite", *(["postgres"] if programs() else [])]
    measures = {
        f"{database} {fixture}": partial(milliseconds, database, fixture)
        for database in chosen
        for fixture in ("database", "settings")
    }
    samples = interleaved(rounds, measures)
    return [
        added(
            f"set-up and end of a test's database, {database}",
            "ms",
            ours=samples[f"{database} database"],
            theirs=samples[f"{database} settings"],
        )
        for database in chosen
    ]


def milliseconds(database: str, fixture: str) -> float:
    """Return what set-up and end of a test take, of many that ask for a fixture."""
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
    found = re.search(r"median ([\d.e-]+) ms", said)
    if found is None:
        raise BenchmarkError(f"found no median in {said[-500:]!r}")
    return float(found[1])
