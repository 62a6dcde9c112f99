"""Run commits of this repository on this machine, each from a worktree of its own."""

import json
import os
import shutil
import socket
from pathlib import Path

import urllib3

from trunkline import process
from trunkline.deploy.environments import Environment
from trunkline.deploy.operation import Candidate, Instance
from trunkline.errors import FailedError
from trunkline.files import write_record
from trunkline.git import Repository

HOST = "127.0.0.1"
# Longer than the service's own delay and grace together.
STOP_SECONDS = 30.0
LAST_LINES = 20
DEFAULTS = {"APP_ENVIRONMENT": "staging", "APP_SHUTDOWN_DELAY_SECONDS": "3"}
# What belongs to the deployer's own project, not to the service.
FOREIGN = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH", "PYTHONHOME")


class LocalEngine:
    """Instances are processes; `lock` stays held while a migration runs."""

    def __init__(
        self,
        environment: Environment,
        repository: Repository,
        folder: Path,
        *,
        script: str,
        migrates: bool,
        lock: int,
    ) -> None:
        self.environment = environment
        self.repository = repository
        self.folder = folder
        self.script = script
        self.migrates = migrates
        self.lock = lock

    def running(self) -> tuple[Instance, ...]:
        """Return the instances whose process holds its lock."""
        found = []
        for file in sorted(self.folder.glob("instances/*/instance.json")):
            if process.launched(file.with_name("alive.lock")):
                found.append(Instance(**json.loads(file.read_text(encoding="utf-8"))))
        return tuple(found)

    def pull(self, candidate: Candidate) -> None:
        """Check the commit out and install what it needs."""
        tree = self._tree(candidate.commit)
        done = tree.with_name(f"{tree.name}.complete")
        if done.exists() and tree.exists():
            return
        self._remove_tree(tree)
        self.repository.run("worktree", "prune")
        self.repository.run(
            *("worktree", "add", "--detach", str(tree), candidate.commit),
            timeout=300,
            check=True,
        )
        argv = [os.environ.get("UV", "uv"), "sync", "--frozen", "--no-dev", "--quiet"]
        # The worktree has its own environment, whatever this process runs in.
        env = dict.fromkeys(FOREIGN[:1], "")
        process.run(argv, cwd=tree, env=env, timeout=600, check=True)
        done.touch()

    def migrate(self, candidate: Candidate, operation: str) -> None:
        """Upgrade the environment's database by the candidate's own command."""
        place = self.folder / "instances" / operation
        place.mkdir(parents=True, exist_ok=True)
        self._keep_variables(candidate, place)
        if not self.migrates:
            return
        done = process.run(
            [self._program(candidate), "migrate"],
            cwd=self._data(),
            env=self._variables(place),
            timeout=600,
            inherit=(self.lock,),
        )
        if not done.ok:
            last = "\n".join(done.complaint.splitlines()[-LAST_LINES:])
            raise FailedError(f"could not migrate the database: {last}")

    def start(self, candidate: Candidate, operation: str) -> Instance:
        """Start the service on a free port."""
        place = self.folder / "instances" / operation
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
        inherited = {k: v for k, v in os.environ.items() if k not in FOREIGN}
        process.launch(
            [self._program(candidate)],
            cwd=self._data(),
            env=inherited | self._variables(place) | own,
            output=place / "output.log",
            pid=place / "pid",
            alive=place / "alive.lock",
        )
        return new

    def stop(self, instance: Instance) -> None:
        """Let it finish its requests, and kill it if it does not end."""
        place = self.folder / "instances" / instance.operation
        process.end_launched(place / "alive.lock", place / "pid", patience=STOP_SECONDS)

    def logs(self, operation: str) -> str:
        """Return the last lines that the instance wrote."""
        file = self.folder / "instances" / operation / "output.log"
        if not file.exists():
            return ""
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(line for line in lines[-LAST_LINES:] if line.isprintable())

    def clean(self, kept: frozenset[str]) -> None:
        """Remove commits that are not in `kept`, and what their instances left."""
        for tree in self.folder.glob("trees/*"):
            if tree.is_dir() and tree.name not in kept:
                self._remove_tree(tree)
        serving = {one.operation for one in self.running()}
        for file in self.folder.glob("instances/*/instance.json"):
            commit = json.loads(file.read_text(encoding="utf-8"))["commit"]
            if commit not in kept and file.parent.name not in serving:
                shutil.rmtree(file.parent, ignore_errors=True)
        self.repository.run("worktree", "prune")

    def well(self, instance: Instance) -> bool:
        """Whether the instance is ready and names the commit it was started from."""
        base = f"http://{instance.address}"
        try:
            ready = urllib3.request("GET", f"{base}/readyz", timeout=2, retries=False)
            if ready.status != 200:  # noqa: PLR2004 - HTTP's OK
                return False
            named = urllib3.request("GET", f"{base}/version", timeout=2, retries=False)
            return bool(named.json()["commit"] == instance.commit)
        except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError):
            return False

    def _tree(self, commit: str) -> Path:
        return self.folder / "trees" / commit

    def _remove_tree(self, tree: Path) -> None:
        tree.with_name(f"{tree.name}.complete").unlink(missing_ok=True)
        shutil.rmtree(tree, ignore_errors=True)

    def _program(self, candidate: Candidate) -> str:
        return str(self._tree(candidate.commit) / ".venv" / "bin" / self.script)

    def _data(self) -> Path:
        """Return where the service runs: a relative database is the environment's."""
        folder = self.folder / "data"
        folder.mkdir(exist_ok=True)
        return folder

    def _keep_variables(self, candidate: Candidate, place: Path) -> None:
        """Keep the variables of now, or those of an earlier operation, with it."""
        then = self.folder / "instances" / candidate.variables_of / "variables"
        if candidate.variables_of and then.exists():
            text = then.read_text(encoding="utf-8")
        else:
            text = "".join(
                f"{self._read(name)}\n" for name in self.environment.variables
            )
        file = place / "variables"
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")

    def _read(self, name: str) -> str:
        try:
            return (self.repository.root / name).read_text(encoding="utf-8")
        except OSError as error:
            raise FailedError(
                f"has no variables: {name} cannot be read ({error.strerror})"
            ) from error

    def _variables(self, place: Path) -> dict[str, str]:
        lines = (place / "variables").read_text(encoding="utf-8").splitlines()
        pairs = (
            line.strip().partition("=")
            for line in lines
            if "=" in line and not line.lstrip().startswith("#")
        )
        return DEFAULTS | {name: value for name, _, value in pairs}


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        port: int = listening.getsockname()[1]
        return port
