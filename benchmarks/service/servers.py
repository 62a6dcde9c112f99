"""Servers under load."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.harness import machine, processes


class Server(NamedTuple):
    """A running peer, and the file with its output."""

    process: Popen[bytes]
    port: int
    log: Path


@contextmanager
def served(
    peer: str, path: str, *through: str | Path, **variables: str
) -> Iterator[Server]:
    """Run a peer on its CPU until it answers `path`, with its output in a file.

    `through` are the arguments of Python that come before its module.
    """
    port = processes.free_port()
    module = ("-m", "benchmarks.service.peers.serve", peer, str(port))
    env = processes.environment(APP_ENVIRONMENT="staging", **variables)
    with ExitStack() as stack:
        log = Path(stack.enter_context(TemporaryDirectory(prefix="benchmark-")), "log")
        output = stack.enter_context(log.open("wb"))
        command = (sys.executable, *through, *module)
        with machine.pinned(machine.cpus().server):
            started = processes.started(command, env=env, output=output)
            process = stack.enter_context(started)
        processes.wait_for(process, port, path)
        yield Server(process, port, log)
