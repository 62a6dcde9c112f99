"""Start an image as production does, and ask whether it is well and what it is."""

import http.client
import json
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trunkline import process
from trunkline.errors import FailedError
from trunkline.images.engine import DOCKER, TIME, Engine, docker, run_command
from trunkline.images.layout import Image, write_archive

# Seconds between two questions.
PAUSE = 0.1
LINES = "30"


class RedImageError(FailedError):
    """An image that does not start, is not ready, or is not what it should be."""


@dataclass(frozen=True, slots=True)
class Smoke:
    """What an image needs to be tested: its environment, and a command in it first."""

    commit: str
    platform: str
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: str = ""
    patience: float = 90


def smoke(engine: Engine, image: Image, test: Smoke, *, scratch: Path) -> None:
    """Start the image and wait until it is ready; raises RedImageError.

    What is tested are the bytes that will be pushed. Whatever happens, nothing of it
    stays in the engine.
    """
    archive = scratch / "image.tar"
    write_archive(image, engine.image, archive)
    try:
        engine.load(archive)
        archive.unlink()
        port = _start(engine, image, test)
        _prepare(engine, test)
        _wait_until_ready(engine, port, test)
        _require_commit(engine, port, test)
    finally:
        engine.clean()


def _start(engine: Engine, image: Image, test: Smoke) -> int:
    inside = exposed_port(image)
    command = run_command(
        engine.image,
        name=engine.name,
        port=inside,
        platform=test.platform,
        environment=test.environment,
    )
    started = process.run(command, timeout=TIME)
    if not started.ok:
        raise RedImageError(f"the image does not start: {started.complaint}")
    address = process.run([DOCKER, "port", engine.name, f"{inside}/tcp"], timeout=TIME)
    if not address.ok or ":" not in address.text:
        raise _red(engine, "it ended at once")
    return int(address.text.splitlines()[0].rpartition(":")[2])


def exposed_port(image: Image) -> int:
    """Return the port that an image says it listens on, or 8000."""
    ports = image.config.get("config", {}).get("ExposedPorts") or {"8000/tcp": {}}
    return int(min(ports).partition("/")[0])


def _prepare(engine: Engine, test: Smoke) -> None:
    """Run a command in the started container, such as one that makes tables."""
    if not test.prepare:
        return
    words = shlex.split(test.prepare)
    done = process.run([DOCKER, "exec", engine.name, *words], timeout=TIME)
    if not done.ok:
        # Docker says on standard output that there is no such program.
        said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
        raise _red(engine, f"`{test.prepare}` failed in it ({done.code}): {said}")


def _wait_until_ready(engine: Engine, port: int, test: Smoke) -> None:
    end = time.monotonic() + test.patience
    status, body = 0, ""
    while time.monotonic() < end:
        status, body = ask(port, "/readyz")
        if status == http.client.OK:
            return
        state = docker("inspect", "--format={{.State.Status}}", engine.name).text
        if state != "running":
            raise _red(engine, f"it is {state}, and not ready")
        time.sleep(PAUSE)
    said = f"{status} {body[:500]}" if status else "nothing"
    raise _red(engine, f"/readyz answered {said} after {test.patience:g} seconds")


def _require_commit(engine: Engine, port: int, test: Smoke) -> None:
    """Compare what the running image says of itself with what was built."""
    status, body = ask(port, "/version")
    try:
        found = str(json.loads(body)["commit"])
    except (ValueError, LookupError, TypeError):
        raise _red(engine, f"/version answered {status} {body[:200]!r}") from None
    if status != http.client.OK or not _same(found, test.commit):
        raise _red(engine, f"/version names commit {found}, not {test.commit}")


def _same(found: str, commit: str) -> bool:
    """Whether a service that prints a short commit means this one."""
    shortest = 7
    return len(found) >= shortest and commit.startswith(found)


def ask(port: int, path: str) -> tuple[int, str]:
    """Return the status and the body of an answer; 0 if there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": "127.0.0.1"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def _red(engine: Engine, found: str) -> RedImageError:
    """Say what is wrong, with the container's last words."""
    logs = process.run([DOCKER, "logs", f"--tail={LINES}", engine.name], timeout=TIME)
    words = (logs.stdout + logs.stderr).decode("utf-8", "replace").strip()
    return RedImageError(
        f"the image is red and was not pushed: {found}\n"
        f"  its last words:\n{words or '(none)'}"
    )
