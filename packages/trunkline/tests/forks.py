"""Run a Python program in a fork, where its imports are already loaded.

Most of the 0.7 s of a `cz bump` are imports. A fork gets them for free and is otherwise
a separate process: folder, environment, descriptors, exit code.
"""

import gc
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn


def run_forked(
    main: Callable[[], object],
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: str = "",
) -> tuple[int, str, str]:
    """Run `main` as the program `argv`; returns exit code, output and error output."""
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(stdin.encode())
        given.seek(0)
        child = os.fork()
        if child == 0:
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(env)
            tempfile.tempdir = None  # TMPDIR may be another one
            _become(main, argv, (given.fileno(), out.fileno(), err.fileno()))
        _, status = os.waitpid(child, 0)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return os.waitstatus_to_exitcode(status), texts[0], texts[1]


def _become(
    main: Callable[[], object], argv: Sequence[str], streams: Sequence[int]
) -> NoReturn:
    code = 1
    try:
        for target, source in enumerate(streams):
            os.dup2(source, target)
        # A program inherits neither the locks nor the sockets of who starts it. Objects
        # of the parent must not close what gets the same number later.
        gc.freeze()
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        sys.argv = list(argv)
        warnings.simplefilter("ignore")
        code = _exit_code(main)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        # The fork must not run the clean-up of the test run.
        os._exit(code)


def _exit_code(main: Callable[[], object]) -> int:
    try:
        try:
            main()
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            return 1
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0
