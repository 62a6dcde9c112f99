"""Run commits of this repository as local processes, each in its own worktree."""

import json
import os
import shutil
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from trunkline import process
from trunkline.deploy.environments import Environment
from trunkline.deploy.operation import Candidate, Instance, Operation
from trunkline.deploy.probe import is_well
from trunkline.deploy.proxy import ensure_proxy
from trunkline.deploy.variables import Variables
from trunkline.errors import FailedError
from trunkline.files import write_record
from trunkline.git import Repository
from trunkline.process import Completed, TimedOutError

HOST = "127.0.0.1"
# Seconds; longer than the service's shutdown delay and grace together.
STOP_SECONDS = 30.0
MEGABYTE = 10**6
# Bytes of a log before it is cut, and of its end, which stay.
LONGEST, KEPT = 10 * MEGABYTE, 10**5
DEFAULTS = {
    "APP_ENVIRONMENT": "staging",
    "APP_SHUTDOWN_DELAY_SECONDS": "3",
    "APP_DATABASE_URL": "sqlite:///service.db",
}
# Variables of the deployer's own project, not the service's.
FOREIGN = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH", "PYTHONHOME")
# The service's variables come from the operation, so that a rollback has them.
READ = ("APP_", "ENABLE_")
# The deployer's own secrets, which a failing service might print.
SECRET = ("TRUNKLINE_", "DESK_")
TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")


class LocalEngine:
    """Instances are processes; a migration inherits the file descriptor `lock`."""

    def __init__(
        self,
        environment: Environment,
        repository: Repository,
        folder: Path,
        *,
        script: str,
        lock: int,
    ) -> None:
        self.environment = environment
        self.repository = repository
        self.folder = folder
        self.script = script
        self.lock = lock
        self.variables = Variables(folder, repository.root, environment.variables)

    def running(self) -> tuple[Instance, ...]:
        """Return the instances whose process holds its lock file."""
        # A desk asks every few seconds, and each command does.
        for pattern in ("proxy.log", "instances/*/output.log"):
            for log in self.folder.glob(pattern):
                _cut(log)
        found = []
        for file in sorted(self.folder.glob("instances/*/instance.json")):
            if process.launched(file.with_name("alive.lock")):
                found.append(Instance(**json.loads(file.read_text(encoding="utf-8"))))
        return tuple(found)

    def well(self, instance: Instance) -> bool:
        """Ask the instance itself."""
        host = self.environment.host
        return is_well(instance.address, commit=instance.commit, host=host)

    def ensure_proxy(self) -> None:
        """Start the environment's Caddy unless it is running."""
        ensure_proxy(self.environment, self.folder)

    def pull(self, candidate: Candidate) -> None:
        """Check out the commit and install its dependencies."""
        tree = self._tree(candidate.commit)
        done = tree.with_name(f"{tree.name}.complete")
        if done.exists() and tree.exists():
            return
        free = shutil.disk_usage(self.folder).free // MEGABYTE
        if free < self.environment.room:
            raise FailedError(
                f"was not pulled: found {free} MB free at {self.folder}, expected "
                f"{self.environment.room} MB (`room` of the environment)"
            )
        self._remove_tree(tree)
        try:
            self._install(tree, candidate.commit)
        except FailedError:
            # The disk may be full, and the journal needs room to record it.
            self._remove_tree(tree)
            raise
        done.touch()

    def _install(self, tree: Path, commit: str) -> None:
        self.repository.run("worktree", "prune")
        add = ("worktree", "add", "--detach", str(tree), commit)
        self.repository.run(*add, timeout=300, check=True)
        argv = [os.environ.get("UV", "uv"), "sync", "--frozen", "--no-dev", "--quiet"]
        # The worktree has its own virtual environment.
        env = {"VIRTUAL_ENV": "", "UV_PROJECT_ENVIRONMENT": ".venv"}
        process.run(argv, cwd=tree, env=env, timeout=600, check=True)

    def ask(
        self, candidate: Candidate, operation: str, argv: Sequence[str]
    ) -> Completed:
        """Run a command in the commit's virtual environment; it inherits the lock."""
        try:
            return process.run(
                [self._program(candidate, argv[0]), *argv[1:]],
                cwd=self._data(),
                env=self._environment(operation),
                timeout=self.environment.deadline,
                inherit=(self.lock,),
                group=True,
            )
        except TimedOutError as error:
            said = error.written + self.environment.overdue.encode()
            return Completed(tuple(argv), 1, b"", said)

    def start(self, candidate: Candidate, operation: str) -> Instance:
        """Start the service on a free port."""
        place = self.variables.place(operation)
        port = _free_port()
        new = Instance(operation, candidate.commit, f"{HOST}:{port}")
        record = {"operation": operation, "commit": new.commit, "address": new.address}
        write_record(place / "instance.json", record)
        own = {
            "APP_HOST": HOST,
            "APP_PORT": str(port),
            "APP_COMMIT": candidate.commit,
            "APP_BRANCH": candidate.ref,
        }
        process.launch(
            [self._program(candidate, self.script)],
            cwd=self._data(),
            env=process.environment(self._environment(operation) | own),
            output=place / "output.log",
            pid=place / "pid",
            alive=place / "alive.lock",
        )
        return new

    def settle(self, instance: Instance) -> None:
        """Do nothing: no process survives a reboot."""

    def stop(self, instance: Instance) -> None:
        """Stop it gracefully, and kill it if it does not exit."""
        place = self.variables.place(instance.operation)
        process.end_launched(place / "alive.lock", place / "pid", patience=STOP_SECONDS)

    def logs(self, operation: str) -> str:
        """Return the last lines that the instance wrote."""
        file = self.folder / "instances" / operation / "output.log"
        if not file.exists():
            return ""
        said = _end(file).decode(errors="replace")
        return self.variables.last_lines(operation, said)

    def remove(self, operation: str) -> None:
        """Do nothing: an exited process leaves nothing behind."""

    def clean(self, kept: Sequence[Operation]) -> None:
        """Remove what is left of commits that are not in `kept`."""
        running = self.running()
        commits = {one.candidate.commit for one in kept}
        commits |= {one.commit for one in running}
        for tree in self.folder.glob("trees/*"):
            if tree.is_dir() and tree.name not in commits:
                self._remove_tree(tree)
        self.variables.clean(kept, {one.operation for one in running})
        self.repository.run("worktree", "prune")

    def _tree(self, commit: str) -> Path:
        return self.folder / "trees" / commit

    def _remove_tree(self, tree: Path) -> None:
        tree.with_name(f"{tree.name}.complete").unlink(missing_ok=True)
        shutil.rmtree(tree, ignore_errors=True)

    def _program(self, candidate: Candidate, name: str) -> str:
        return str(self._tree(candidate.commit) / ".venv" / "bin" / name)

    def _data(self) -> Path:
        """Return the working folder, to which the path of a SQLite file is relative."""
        folder = self.folder / "data"
        folder.mkdir(exist_ok=True)
        return folder

    def _environment(self, operation: str) -> dict[str, str | None]:
        """Return the service's environment; None marks what it must not inherit."""
        others = [name for name in os.environ if name.startswith(READ + SECRET)]
        own = (*FOREIGN, *TOKENS, self.environment.journal)
        return {
            **dict.fromkeys([*own, *others]),
            **DEFAULTS,
            **self.variables.read(operation),
        }


def _cut(log: Path) -> None:
    """Leave the end of a log that is too long; whoever writes it only appends."""
    with suppress(OSError):  # Gone since, or another user's.
        if log.stat().st_size > LONGEST:
            end = _end(log)
            with log.open("ab") as file:
                file.truncate(0)
                file.write(end)


def _end(log: Path) -> bytes:
    with log.open("rb") as file:
        if file.seek(0, os.SEEK_END) > KEPT:
            file.seek(-KEPT, os.SEEK_END)
            file.readline()  # Half a line may begin with half a secret.
        else:
            file.seek(0)
        return file.read()


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        port: int = listening.getsockname()[1]
        return port
