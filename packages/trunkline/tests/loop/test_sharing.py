"""A run in two processes reports like one: each test once, and nothing is lost."""

import subprocess
import sys
from pathlib import Path

import pytest

from loop.projects import clean_environment

pytestmark = pytest.mark.slow

RUN = "import sys, pytest; from trunkline.loop.sharing import Sharing; "
RUN += "sys.exit(pytest.main(sys.argv[1:], plugins=[Sharing()]))"
# The first two tests wait for each other, so they are in two processes.
CONFTEST = """
import os, pathlib, sys, time, warnings
import pytest
FIRST, STDOUT = os.getpid(), sys.stdout
class OwnWarning(DeprecationWarning): pass
@pytest.fixture(scope="session", autouse=True)
def session():
    yield
    pathlib.Path(f"ended-{os.getpid()}").touch()
@pytest.fixture
def elsewhere(request):
    pathlib.Path(f"met-{os.getpid()}").touch()
    while len([*pathlib.Path().glob("met-*")]) < 2:
        time.sleep(0.01)
    return os.getpid() != FIRST
"""
TEST = (
    "import os, signal, conftest, pytest, warnings\ndef test_it(elsewhere):\n    {}\n"
)


class Project:
    """A project of several test files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "conftest.py").write_text(CONFTEST)

    def write(self, name: str, body: str) -> None:
        (self.root / f"test_{name}.py").write_text(TEST.format(body))

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run pytest with the plugin; return the exit code and the output."""
        given = ("-p", "no:randomly", "-p", "no:cov", "-p", "no:hypothesispytest")
        done = subprocess.run(
            [sys.executable, "-c", RUN, *given, *arguments],
            check=False,
            cwd=self.root,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    def left(self, pattern: str) -> int:
        """Count the files that tests have left."""
        return len([*self.root.glob(pattern)])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_one_summary_counts_the_tests_of_both(project: Project) -> None:
    for name in ("one", "two", "three"):
        project.write(name, "pass")
    code, shown = project.run("-v")

    assert code == 0
    assert "3 passed" in shown
    assert shown.count("PASSED") == len(("one", "two", "three"))
    assert project.left("ended-*") == len(("here", "elsewhere"))


def test_what_failed_is_shown_with_its_own_output(project: Project) -> None:
    for name in ("one", "two"):
        project.write(name, f"print('by {name}', file=conftest.STDOUT); assert {name}")
    code, shown = project.run()
    _, again = project.run("--last-failed", "-q")

    assert code == 1
    for name in ("one", "two"):
        assert f"Captured stdout call -----------------------------\nby {name}\n" in (
            shown
        )
        assert f"FAILED test_{name}.py::test_it - NameError" in shown
    assert "2 failed" in again


def test_a_failure_that_ends_the_run_leaves_none_to_the_others(
    project: Project,
) -> None:
    for name in ("one", "two"):
        project.write(name, "assert False")
    project.write("zzz", "conftest.pathlib.Path('zzz').touch()")
    code, shown = project.run("-x")

    assert code == 1
    assert "! stopping after " in shown
    assert not project.left("zzz")


@pytest.mark.parametrize("ending", ["os.kill(os.getpid(), 9)", "os._exit(0)"])
def test_a_process_that_is_gone_turns_the_run_red(
    project: Project, ending: str
) -> None:
    for name in ("one", "two"):
        project.write(name, f"{ending} if elsewhere else None")
    code, shown = project.run()

    assert code == 1
    assert "ended with" in shown
    assert "::test_it" in shown


def test_an_interrupted_process_ends_its_fixtures(project: Project) -> None:
    for name in ("one", "two"):
        project.write(name, "if elsewhere: raise KeyboardInterrupt")
    code, shown = project.run()

    assert code == 1
    assert "KeyboardInterrupt" in shown
    assert project.left("ended-*") == len(("here", "elsewhere"))


def test_a_warning_is_shown_wherever_it_was_given(project: Project) -> None:
    project.write("one", "warnings.warn('first', FutureWarning)")
    project.write("two", "warnings.warn('second', conftest.OwnWarning)")
    code, shown = project.run()

    assert code == 0
    assert "2 passed, 2 warnings" in shown
    assert "FutureWarning: first" in shown
    assert "Warning: second" in shown


@pytest.mark.parametrize("arguments", [["-p", "no:xdist"], ["--pdb"], ["test_one.py"]])
def test_one_process_will_do(project: Project, arguments: list[str]) -> None:
    for name in ("one", "two"):
        project.write(name, "assert False, 'elsewhere' if elsewhere else 'here'")
        (project.root / f"met-{name}").touch()
    code, shown = project.run(*arguments)

    assert code in {1, 2}
    assert "AssertionError: here" in shown
    assert "AssertionError: elsewhere" not in shown
