"""Run a Python program in a fork, where its imports are already loaded.

Most of the 0.7 s of a `cz bump` are imports. A fork gets them for free and is otherwise
a separate process: folder, environment, descriptors, exit code.
"""

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
) -> tuple[int, str, str]:
    """Run `main` as the program `argv`; returns exit code, output and error output."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(env)
            _become(main, argv, out.fileno(), err.fileno())
        _, status = os.waitpid(child, 0)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return os.waitstatus_to_exitcode(status), texts[0], texts[1]


def _become(
    main: Callable[[], object], argv: Sequence[str], out: int, err: int
) -> NoReturn:
    code = 1
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (out, 1), (err, 2)):
            os.dup2(source, target)
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
