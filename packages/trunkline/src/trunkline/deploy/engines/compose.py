"""Run images as containers of the local Docker engine, with `docker compose`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from trunkline.deploy.engines.compose_file import (
    COLOURS,
    LABEL,
    PORT,
    free_colour,
    proxy_variables,
    read_override,
    service,
    team_files,
    write_override,
)
from trunkline.deploy.engines.docker import listed, state_of
from trunkline.deploy.engines.image_store import ImageStore
from trunkline.deploy.environments import Environment
from trunkline.deploy.operation import Candidate, Instance, Operation
from trunkline.deploy.probe import is_well
from trunkline.deploy.proxy import FIRST, reads_files
from trunkline.deploy.variables import LAST_LINES, Variables
from trunkline.errors import FailedError, Refusal
from trunkline.files import replace_content
from trunkline.images.engine import TIMEOUT, docker, everything
from trunkline.output import say
from trunkline.process import Completed, TimedOutError

EMPTY = b'{"services": {}}'
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
        # Where this machine reaches an instance, by the name of its container.
        self.ports: dict[str, str] = {}

    def running(self) -> tuple[Instance, ...]:
        """Return the instances whose container is running."""
        names = ("operation", "commit", "address", "folder")
        shown = "\t".join(f'{{{{.Label "{LABEL}.{name}"}}}}' for name in names)
        colours = f"--filter=name=^{self.project}-({'|'.join(COLOURS)})$"
        said = listed(colours, f"--format={shown}").splitlines()
        rows = [line.split("\t") for line in said]
        for *_, address, folder in rows:
            if folder not in {"", str(self.folder)}:
                raise _another_clone(self._name(address), Path(folder))
        return tuple(Instance(*row[:3]) for row in rows)

    def well(self, instance: Instance) -> bool:
        """Ask the instance itself, at its published port."""
        name, host = self._name(instance.address), self.environment.host
        if name not in self.ports:
            found = docker("port", name, f"{PORT}/tcp").text
            self.ports[name] = found.partition("\n")[0]
        well = is_well(self.ports[name], commit=instance.commit, host=host)
        if not well:
            # Another start of the container has another port.
            del self.ports[name]
        return well

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
        self, candidate: Candidate, operation: str, argv: Sequence[str], name: str = ""
    ) -> Completed:
        """Run a command in a container of its own, which is removed afterwards.

        One with a name does not end with whoever waits for it.
        """
        container, env = self._name(name or "ask"), self.variables.read(operation)
        # Left by a killed deploy, perhaps before the container was started.
        if state := state_of(container):
            if state == "running":
                say(f"waiting for an earlier one: docker logs --follow {container}")
            self._finish(container)
        run = ["run", "--no-deps", "--no-TTY", f"--name={container}"]
        run += ["--detach" if name else "--rm", self._add(candidate, operation), *argv]
        if name:
            self._compose(*run, env=env)
            return self._finish(container)
        deadline = self.environment.deadline
        try:
            return self._compose(*run, env=env, check=False, timeout=deadline)
        except TimedOutError:
            return self._end(container)

    def start(self, candidate: Candidate, operation: str) -> Instance:
        """Start a container, without restarts until it is settled."""
        colour = self._add(candidate, operation)
        name = self._name(colour)
        self._compose(
            *("up", "--no-start", "--no-deps", "--renew-anon-volumes", colour),
            env=self.variables.read(operation),
        )
        docker("update", "--restart=no", name).required()
        docker("start", name).required()
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
        found = self.override.read_bytes() if self.override.exists() else EMPTY
        return read_override(found)

    def _colours(self, operation: str) -> list[str]:
        """Return the colour of an operation, if the override has it."""
        services = self._services().items()
        return [k for k, one in services if one["labels"][OPERATION] == operation]

    def _remove(self, colour: str) -> None:
        name = self._name(colour)
        done = docker("rm", "--force", "--volumes", name)
        if not done.ok and state_of(name):
            done.required()
        self._write({k: one for k, one in self._services().items() if k != colour})

    def _add(self, candidate: Candidate, operation: str) -> str:
        """Write the new colour beside what runs, unless it is, and return it."""
        services, image = self._services(), self.images.at(candidate.digest)
        for colour in self._colours(operation):
            if services[colour]["image"] == image:
                return colour
        colour = free_colour({one.address for one in self.running()})
        services[colour] = service(
            Instance(operation, candidate.commit, colour),
            name=self._name(colour),
            image=image,
            base=self.files[0],
            variables=self.variables.file(operation),
            folder=self.folder,
        )
        self._write(services)
        return colour

    def _write(self, services: Mapping[str, object]) -> None:
        content = write_override(services)
        replace_content(self.override, content, staging=self.folder)

    def _finish(self, container: str) -> Completed:
        """Wait until a container exits, or stop it at the deadline, and remove it."""
        try:
            done = docker("wait", container, timeout=self.environment.deadline)
        except TimedOutError:
            return self._end(container)
        if not done.ok and state_of(container):
            done.required()  # It keeps running; the next deploy waits for it.
        return self._removed(container, int(done.text or "1"))

    def _end(self, container: str) -> Completed:
        """Stop and remove a container that exceeded the deadline."""
        overdue = self.environment.overdue
        say(f"{container}: {overdue}")
        docker("stop", container)
        return self._removed(container, 1, overdue)

    def _removed(self, container: str, code: int, why: str = "") -> Completed:
        """Remove an exited container, and return its output."""
        logs = docker("logs", f"--tail={LAST_LINES}", container)
        docker("rm", "--force", "--volumes", container)
        # `run --rm` may have removed it already.
        said = f"{everything(logs) if logs.ok else ''}\n{why}".strip().encode()
        return Completed((container,), code, said, said)

    def _compose(
        self,
        *words: str,
        env: Mapping[str, str],
        files: Sequence[Path] = (),
        check: bool = True,
        timeout: float = TIMEOUT,
    ) -> Completed:
        """Run `docker compose`; no argument contains a variable's value."""
        named = [f"--file={it}" for it in files or (*self.files, self.override)]
        argv = ["compose", "--progress=quiet", "--project-name", self.project, *named]
        done = docker(*argv, *words, env={**env, **self.proxy}, timeout=timeout)
        if check and not done.ok:
            raise FailedError(f"`docker compose {words[0]}` failed: {done.complaint}")
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
