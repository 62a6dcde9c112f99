"""A PostgreSQL server for tests."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.servers import PATIENCE, free_port

USER = "tester"
GIGABYTE = 2**30

# Waits for the tests to end, however they end, and removes the server: SIGQUIT stops it
# at once and releases its shared memory, which a kill would not.
JANITOR = """
import os, shutil, signal, sys, time
sys.stdin.read()
file = os.path.join(sys.argv[1], "data", "postmaster.pid")
deadline = time.monotonic() + 10
try:
    pid = int(open(file).readline())
    os.kill(pid, signal.SIGQUIT)
    while os.path.exists(file) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
except (OSError, ValueError):
    pass
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""

# Only protects against a crash of the machine, not of the server.
QUICK = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB")
# Keeps what a kill leaves behind in the server's own folder.
TIDY = ("dynamic_shared_memory_type=mmap",)


class Postgres:
    """A server on its own port."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs = programs
        self.data = folder / "data"
        self.output = folder / "output"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def run(self, program: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Start one of PostgreSQL's programs as a permitted user."""
        account = unprivileged()
        with self.output.open("ab") as output:
            return subprocess.Popen(
                [self.programs / program, *arguments],
                cwd=self.data.parent,
                user=account and account.pw_uid,
                group=account and account.pw_gid,
                extra_groups=[] if account else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def create(self) -> None:
        """Create its files."""
        options = ("--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
        made = self.run("initdb", "-D", self.data, "-U", USER, *options)
        assert made.wait(PATIENCE) == 0, self.output.read_text()

    def start(self) -> None:
        """Start it and wait until it responds."""
        listen = ("-p", str(self.port), "-h", "127.0.0.1", "-k", "")
        quick = [word for setting in QUICK + TIDY for word in ("-c", setting)]
        self.process = self.run("postgres", "-D", self.data, *listen, *quick)
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"it does not answer: {self.output.read_text()}")

    def execute(self, statement: str) -> None:
        """Run a statement as the owner, outside a transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())


def unprivileged() -> pwd.struct_passwd | None:
    """Return the user to run as instead of root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def programs() -> Path | None:
    """Find PostgreSQL's programs; Debian has a folder per version."""
    found = shutil.which("postgres")
    candidates = [Path(found).resolve()] if found else []
    candidates += Path("/usr/lib/postgresql").glob("*/bin/postgres")
    folders = [file.parent for file in candidates if (file.parent / "initdb").exists()]
    return max(
        folders, key=lambda folder: (len(folder.parts), str(folder)), default=None
    )


def memory() -> Path | None:
    """Return a folder in memory if the system has one with enough room."""
    shared = Path("/dev/shm")  # noqa: S108 - the server's files are its own
    try:
        roomy = shutil.disk_usage(shared).free > GIGABYTE
    except FileNotFoundError:
        return None
    return shared if roomy else None


@contextmanager
def running_postgres(
    programs: Path, kind: type[Postgres] = Postgres
) -> Iterator[Postgres]:
    """Run a server and clean up after it, even after a `kill -9` of the tests."""
    # Not in pytest's folder, which other users cannot access.
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=memory()))
    if account := unprivileged():
        os.chown(folder, account.pw_uid, account.pw_gid)
    janitor = subprocess.Popen(
        [sys.executable, "-c", JANITOR, folder],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    server = kind(programs, folder)
    try:
        server.create()
        server.start()
        yield server
    finally:
        janitor.communicate(timeout=PATIENCE)
        if server.process:
            server.process.wait(PATIENCE)
