"""Run images as containers of the local Docker engine, with `docker compose`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from trunkline.deploy.engines.complaints import compose_refusal
from trunkline.deploy.engines.compose_file import proxy_variables, team_files
from trunkline.deploy.engines.image_store import ImageStore
from trunkline.deploy.environments import Environment
from trunkline.deploy.operation import Candidate, Instance, Operation
from trunkline.deploy.probe import is_well
from trunkline.deploy.proxy import FIRST, reads_files
from trunkline.deploy.variables import LAST_LINES, Variables
from trunkline.errors import FailedError, Refusal
from trunkline.files import replace_content
from trunkline.images.engine import docker, everything
from trunkline.output import say
from trunkline.process import Completed, TimedOutError

# The service in the team's file that both colours extend, and its port.
SERVICE, PORT = "service", 8000
# What runs beside it, one at a time: a migration, or a question.
COMMAND = "command"
COLOURS = ("blue", "green")
LABEL = "dev.trunkline"
OPERATION = f"{LABEL}.operation"


class ComposeEngine:
    """Instances are two colours of one service, each pinned to an image's digest."""

    def __init__(
        self,
        environment: Environment,
        root: Path,
        folder: Path,
        *,
        images: ImageStore,
    ) -> None:
        self.environment = environment
        self.folder = folder
        self.images = images
        self.project = images.project
        self.files = team_files(environment, root)
        self.override = folder / "compose.json"
        self.variables = Variables(folder, root, environment.variables)
        self.proxy = proxy_variables(environment, folder / "switch")
        # Where an instance answers, also while the engine is away.
        self.ports: dict[str, str] = {}

    def running(self) -> tuple[Instance, ...]:
        """Return the instances whose container is running."""
        names = ("operation", "commit", "address", "folder")
        shown = "\t".join(f'{{{{.Label "{LABEL}.{name}"}}}}' for name in names)
        colours = f"--filter=name=^{self.project}-({'|'.join(COLOURS)})$"
        said = _listed(colours, f"--format={shown}").splitlines()
        rows = [line.split("\t") for line in said]
        for *_, address, folder in rows:
            if folder not in {"", str(self.folder)}:
                raise _another_clone(self._name(address), Path(folder))
        return tuple(Instance(*row[:3]) for row in rows)

    def well(self, instance: Instance) -> bool:
        """Ask the instance itself, at its published port."""
        name, host = self._name(instance.address), self.environment.host
        # Asked again after a failure: a container that was restarted has another port.
        if not (port := self.ports.pop(name, "")):
            port = docker("port", name, f"{PORT}/tcp").text.partition("\n")[0]
        if not is_well(port, commit=instance.commit, host=host):
            return False
        self.ports[name] = port
        return True

    def ensure_proxy(self) -> None:
        """Start the proxy and the database, unless they are running."""
        (self.folder / "switch").mkdir(parents=True, exist_ok=True)
        # So that a person can call `docker compose` with all files, too.
        files = ":".join(map(str, (*self.files, self.override)))
        own = {"COMPOSE_FILE": files, "COMPOSE_PROJECT_NAME": self.project}
        lines = [f"{name}={value}\n" for name, value in (self.proxy | own).items()]
        (self.folder / "compose.env").write_text("".join(lines), encoding="utf-8")
        today = self.variables.today()
        proxy = self._name("proxy-1")
        docker("rm", proxy)  # Unless it runs; made again, it has the url of now.
        shown = '--format={{index .Config.Labels "com.docker.compose.config-hash"}}'
        known = docker("inspect", shown, proxy)
        up = ("up", "--detach", "--no-recreate", "--wait")
        self._compose(*up, env=today, files=self.files)
        if known.ok:
            self._compare_proxy(known.text, today)
        else:
            _require_version(proxy)

    def pull(self, candidate: Candidate) -> None:
        """Pull the image, unless it is here already."""
        self.images.pull(candidate.digest)

    def ask(
        self, candidate: Candidate, operation: str, argv: Sequence[str]
    ) -> Completed:
        """Run a command in a container of its own, which is removed afterwards."""
        container = self._name(COMMAND)
        # Left by a killed deploy, perhaps before the container was started.
        if state := _state_of(container):
            if state == "running":
                say(f"waiting for an earlier one: docker logs --follow {container}")
            self._finish(container)
        # Detached, or Docker's own failure would be taken for the program's.
        run = ("run", "--detach", "--no-deps", "--no-TTY", f"--name={container}")
        colour = self._add(candidate, operation)
        self._compose(*run, colour, *argv, env=self.variables.read(operation))
        return self._finish(container)

    def start(self, candidate: Candidate, operation: str) -> Instance:
        """Start a container, which Docker does not restart until it is settled."""
        colour = self._add(candidate, operation)
        up = ("up", "--detach", "--no-deps", "--renew-anon-volumes", colour)
        self._compose(*up, env=self.variables.read(operation))
        return Instance(operation, candidate.commit, colour)

    def settle(self, instance: Instance) -> None:
        """Let Docker restart it, for example after a reboot."""
        name = self._name(instance.address)
        docker("update", "--restart=unless-stopped", name).required()

    def stop(self, instance: Instance) -> None:
        """Stop it within `stop_grace_period`, and remove it."""
        docker("stop", self._name(instance.address))
        self._remove(instance.address)

    def logs(self, operation: str) -> str:
        """Return the last lines of the instance's log."""
        tail = ("logs", f"--tail={LAST_LINES}")
        asked = [docker(*tail, self._name(one)) for one in self._colours(operation)]
        said = "\n".join(everything(one) for one in asked if one.ok)
        return self.variables.last_lines(operation, said)

    def remove(self, operation: str) -> None:
        """Remove an operation's container and its service in the override."""
        for colour in self._colours(operation):
            self._remove(colour)

    def clean(self, kept: Sequence[Operation]) -> None:
        """Remove the images that this environment pulled and no longer needs."""
        services = self._services().values()
        needed = {one.candidate.digest for one in kept}
        needed |= {one["image"].partition("@")[2] for one in services}
        self.images.clean(needed)
        self.variables.clean(kept, {one["labels"][OPERATION] for one in services})

    def _compare_proxy(self, known: str, today: Mapping[str, str]) -> None:
        """Say how to recreate a proxy whose configuration has changed since.

        Nobody reaches the service meanwhile, so a person chooses the moment.
        """
        wanted = self._compose("config", "--hash=proxy", env=today, files=self.files)
        if known not in wanted.text:
            files = (*self.environment.variables, str(self.folder / "compose.env"))
            env = " ".join(f"--env-file={quote(one)}" for one in files)
            say(
                "the proxy is not as `url` and its file say now\n  type next: docker "
                f"compose {env} up --detach --no-deps proxy  (nobody "
                "reaches the service for a second)"
            )

    def _name(self, part: str) -> str:
        return f"{self.project}-{part}"

    def _services(self) -> dict[str, Any]:
        if not self.override.exists():
            return {}
        text = self.override.read_text(encoding="utf-8").replace("$$", "$")
        found: dict[str, Any] = json.loads(text)["services"]
        return found

    def _colours(self, operation: str) -> list[str]:
        """Return the colour of an operation, if the override has it."""
        services = self._services().items()
        return [k for k, one in services if one["labels"][OPERATION] == operation]

    def _remove(self, colour: str) -> None:
        name = self._name(colour)
        done = docker("rm", "--force", "--volumes", name)
        if not done.ok and _state_of(name):
            done.required()
        self._write({k: one for k, one in self._services().items() if k != colour})

    def _add(self, candidate: Candidate, operation: str) -> str:
        """Write the new colour beside what runs, unless it is, and return it."""
        services, image = self._services(), self.images.at(candidate.digest)
        for colour in self._colours(operation):
            if services[colour]["image"] == image:
                return colour
        taken = {one.address for one in self.running()}
        if not (free := [one for one in COLOURS if one not in taken]):
            raise FailedError(f"has no free colour: found {' and '.join(COLOURS)}")
        colour = free[0]
        services[colour] = {
            "extends": {"file": str(self.files[0]), "service": SERVICE},
            "container_name": self._name(colour),
            "image": image,
            "pull_policy": "never",
            # Until it is settled: one that cannot start has to end.
            "restart": "no",
            # For the probe.
            "ports": [f"127.0.0.1::{PORT}"],
            "env_file": [
                {"path": str(self.variables.file(operation)), "format": "raw"}
            ],
            "labels": {
                OPERATION: operation,
                f"{LABEL}.commit": candidate.commit,
                f"{LABEL}.address": colour,
                f"{LABEL}.folder": str(self.folder),
            },
        }
        self._write(services)
        return colour

    def _write(self, services: Mapping[str, object]) -> None:
        text = json.dumps({"services": services}, indent=2).replace("$", "$$")
        replace_content(self.override, text.encode(), staging=self.folder)

    def _finish(self, container: str) -> Completed:
        """Wait until a container exits, or stop it at the deadline, and remove it."""
        overdue = ""
        try:
            done = docker("wait", container, timeout=self.environment.deadline)
            if not done.ok and _state_of(container):
                done.required()  # It keeps running; the next deploy waits for it.
            code = int(done.text or "1")
        except TimedOutError:
            code, overdue = 1, self.environment.overdue
            docker("stop", container)
        logs = docker("logs", f"--tail={LAST_LINES}", container)
        docker("rm", "--force", "--volumes", container)
        said = f"{everything(logs)}\n{overdue}".strip().encode()
        return Completed((container,), code, logs.stdout, said)

    def _compose(
        self,
        *words: str,
        env: Mapping[str, str],
        files: Sequence[Path] = (),
    ) -> Completed:
        """Run `docker compose`; no argument contains a variable's value."""
        named = [f"--file={it}" for it in files or (*self.files, self.override)]
        argv = ["compose", "--progress=quiet", "--project-name", self.project, *named]
        done = docker(*argv, *words, env={**env, **self.proxy})
        if not done.ok:
            failed = FailedError(
                f"`docker compose {words[0]}` failed: {done.complaint}"
            )
            raise compose_refusal(done.complaint, self.environment) or failed
        return done


def _another_clone(container: str, folder: Path) -> Refusal:
    clone = next((one.parent for one in folder.parents if one.name == ".git"), folder)
    return Refusal(
        rule="one-clone",
        found=f"{container}, which the clone at {clone} deployed",
        expected="one clone for each environment of a machine",
        fix=f"cd {quote(str(clone))}  (then the same command; if that clone is gone: "
        f"docker rm --force {container})",
    )


def _listed(*words: str) -> str:
    """Run `docker ps`; raises FailedError if the engine does not answer."""
    found = docker("ps", *words)
    if found.ok:
        return found.text
    raise FailedError(
        f"docker does not answer: {found.complaint}\n"
        "  type next: docker info  (until it answers; then the same command)"
    )


def _state_of(container: str) -> str:
    """Return a container's state, such as running; empty without a container."""
    return _listed("--all", f"--filter=name=^{container}$", "--format={{.State}}")


def _require_version(proxy: str) -> None:
    """Remove and refuse a proxy that is too old to read the live file."""
    version = docker("exec", proxy, "caddy", "version").text
    if reads_files(version):
        return
    image = docker("inspect", "--format={{.Config.Image}}", proxy).text
    docker("rm", "--force", proxy)
    raise Refusal(
        rule="caddy",
        found=f"Caddy {version} in {image}, the image of the proxy",
        expected=f"Caddy {FIRST[0]}.{FIRST[1]} or newer",
        fix=f"docker pull {image}  (or name a newer one in the proxy's file)",
    )
