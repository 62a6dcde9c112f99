"""One run in several processes, forked once its tests are collected.

Each takes the tests of one file after the other. What the others note is reported by
the first one, so there is one summary, one exit code and one list of what failed.
"""

import builtins
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from typing import IO, Any
from warnings import WarningMessage

import pytest

# Bytes that stand for a file of tests in the pipe that all processes take from.
SIZE = 4
# The exit code of a process that has done its part; a test may exit with 0.
DONE = 97


class Sharing:
    """A plugin for projects whose tests pytest-xdist can run in parallel.

    There are as many processes as for `pytest -n auto`. Without that plugin, with
    `-p no:xdist` and in the debugger there is one.
    """

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the tests of a session; leave it to pytest if one process will do."""
        config, option = session.config, session.config.option
        alone = session.testsfailed or not config.pluginmanager.hasplugin("xdist")
        if alone or option.collectonly or option.usepdb or option.trace:
            return None
        files = [[*them] for _, them in groupby(session.items, lambda item: item.path)]
        wanted = config.hook.pytest_xdist_auto_num_workers(config=config)
        if (others := min(wanted, len(files)) - 1) < 1:
            return None
        share(session, files, others)
        return True


def share(
    session: pytest.Session, files: Sequence[list[pytest.Item]], others: int
) -> None:
    """Run the tests of all files, here and in other processes."""
    # One folder for temporary files, which this process clears away.
    if factory := getattr(session.config, "_tmp_path_factory", None):
        factory.getbasetemp()
    left, filled = os.pipe()
    os.write(filled, b"".join(n.to_bytes(SIZE) for n in range(others + 1, len(files))))
    os.close(filled)
    sys.stdout.flush()
    started = [start(session, take(files, left, n)) for n in range(1, others + 1)]
    try:
        run(session, take(files, left, 0))
    finally:
        os.close(left)
        for pid, notes in started:
            _, status = os.waitpid(pid, 0)
            with notes:
                report(session, notes, os.waitstatus_to_exitcode(status))
    stop_if_told(session)


def take(
    files: Sequence[list[pytest.Item]], left: int, first: int
) -> Iterator[pytest.Item]:
    """Yield the tests of one file, then those of each that is left."""
    yield from files[first]
    while number := os.read(left, SIZE):
        yield from files[int.from_bytes(number)]


def start(session: pytest.Session, items: Iterator[pytest.Item]) -> tuple[int, IO[str]]:
    """Fork a process that runs tests; return it and where it notes what happens."""
    notes = tempfile.TemporaryFile("w+")  # noqa: SIM115 - both processes need it
    if pid := os.fork():
        return pid, notes

    def note(hook: str, _: Sequence[object], given: Mapping[str, Any]) -> None:
        if found := plain(session.config, hook, given):
            notes.write(f"{json.dumps((hook, found), default=str)}\n")
            notes.flush()

    code = 1
    plugins: Any = session.config.pluginmanager
    try:
        if session.config.option.capture == "fd":
            capture_apart(plugins.getplugin("capturemanager"))
        plugins.unregister(name="terminalreporter")
        plugins.add_hookcall_monitoring(before=note, after=lambda *_: None)
        with suppress(session.Failed, session.Interrupted):
            run(session, items)
        code = DONE
    except BaseException:
        traceback.print_exc()
    finally:
        plugins.getplugin("runner").pytest_sessionfinish(session)  # Ends fixtures.
        os._exit(code)


def capture_apart(capture: Any) -> None:  # noqa: ANN401 - pytest's own, not exported
    """Capture output in new files; those from before the fork have one position."""
    capture.resume_global_capture()
    for stream in (sys.stdout, sys.stderr):
        with tempfile.TemporaryFile() as fresh:
            os.dup2(fresh.fileno(), stream.fileno())
    capture.suspend_global_capture()


def run(session: pytest.Session, items: Iterator[pytest.Item]) -> None:
    """Run tests as pytest does; leave none to the others if one ends the run."""
    try:
        item = next(items, None)
        while item:
            following = next(items, None)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            stop_if_told(session)
            item = following
    finally:
        for _ in items:
            pass


def stop_if_told(session: pytest.Session) -> None:
    """End the run as pytest does after a failure with `-x`, or at a plugin's wish."""
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)


def plain(
    config: pytest.Config, hook: str, given: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Return the arguments of a hook that reports, as JSON has them."""
    match hook:
        case "pytest_runtest_logstart" | "pytest_runtest_logfinish":
            return given
        case "pytest_runtest_logreport":
            to_plain = config.hook.pytest_report_to_serializable
            return {"report": to_plain(config=config, report=given["report"])}
        case "pytest_warning_recorded":
            it: WarningMessage = given["warning_message"]
            parts = (str(it.message), it.category.__name__, it.filename, it.lineno)
            return {**given, "warning_message": parts}
    return None


def report(session: pytest.Session, notes: IO[str], code: int) -> None:
    """Report what another process noted; end the run if something ended that one."""
    hooks, test = session.config.hook, "no test"
    notes.seek(0)
    for line in notes:
        if not line.endswith("\n"):
            break  # The process was killed.
        name, found = json.loads(line)
        test = found.get("nodeid", test)
        if name == "pytest_warning_recorded":
            text, kind, *place = found["warning_message"]
            category = getattr(builtins, kind, UserWarning)
            found["warning_message"] = WarningMessage(text, category, *place)
            hooks.pytest_warning_recorded.call_historic(kwargs=found)
            continue
        if "report" in found:
            restore = hooks.pytest_report_from_serializable
            found["report"] = restore(config=session.config, data=found["report"])
        getattr(hooks, name)(**found)
    if code != DONE:
        pytest.exit(f"a process of this run ended with {code} in {test}", returncode=1)
