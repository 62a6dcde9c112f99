"""Smoke test: start an image as in production, check readiness and version."""

import json
import shlex
import time
from http import HTTPStatus
from pathlib import Path

import urllib3

from trunkline.errors import FailedError
from trunkline.images.engine import Engine, everything
from trunkline.images.layout import BuiltImage
from trunkline.settings import Settings

# Seconds between two requests.
PAUSE = 0.1
# Digits of a commit's id, which may be abbreviated.
SHORTEST = 7


class SmokeTestError(FailedError):
    """The image does not start, does not become ready, or is of another commit."""


def run_smoke_test(
    engine: Engine,
    image: BuiltImage,
    archive: Path,
    settings: Settings,
    *,
    commit: str,
    platform: str,
) -> None:
    """Start the image and wait until it is ready; raises SmokeTestError.

    The archive contains the bytes that will be pushed; it is deleted as soon as they
    run. Nothing stays in the engine, whatever happens.
    """
    try:
        # The port that it says it listens on.
        ports = image.config.get("config", {}).get("ExposedPorts") or {"8000/tcp": {}}
        inside = int(min(ports).partition("/")[0])
        port = _start(engine, archive, inside, settings, platform)
        _prepare(engine, settings.prepare)
        _wait_until_ready(engine, port, settings.smoke_seconds)
        _require_commit(engine, port, commit)
    finally:
        engine.clean()


def _start(
    engine: Engine, archive: Path, inside: int, settings: Settings, platform: str
) -> int:
    for _ in range(2):
        engine.load(archive)
        started = engine.start(inside, settings, platform)
        if started.ok:
            break
        # Another build that ends may take the layers that both share with it.
        engine.clean()
    archive.unlink()
    if not started.ok:
        raise SmokeTestError(f"the image does not start: {started.complaint}")
    port = engine.published_port(inside)
    if port is None:
        raise _failed(engine, "the container exited at once")
    return port


def _prepare(engine: Engine, command: str) -> None:
    """Run a command in the started container, such as one that creates tables."""
    if not command:
        return
    done = engine.execute(shlex.split(command))
    if not done.ok:
        raise _failed(engine, f"`{command}` failed ({done.code}): {everything(done)}")


def _wait_until_ready(engine: Engine, port: int, seconds: int) -> None:
    end = time.monotonic() + seconds
    status, body = 0, ""
    while time.monotonic() < end:
        status, body = request(port, "/readyz")
        if status == HTTPStatus.OK:
            return
        state = engine.state()
        if state != "running":
            raise _failed(engine, f"the container is {state} before it was ready")
        time.sleep(PAUSE)
    said = f"{status} {body[:500]}" if status else "nothing"
    raise _failed(engine, f"/readyz answered {said} after {seconds} seconds")


def _require_commit(engine: Engine, port: int, commit: str) -> None:
    """Compare the commit that the running image names with the one that was built."""
    status, body = request(port, "/version")
    try:
        found = str(json.loads(body)["commit"])
    except (ValueError, LookupError, TypeError):
        raise _failed(engine, f"/version answered {status} {body[:200]!r}") from None
    same = len(found) >= SHORTEST and commit.startswith(found)
    if status != HTTPStatus.OK or not same:
        raise _failed(engine, f"/version names commit {found}, not {commit}")


def request(port: int, path: str) -> tuple[int, str]:
    """Return the status and the body of a response; 0 if there is none."""
    try:
        response = urllib3.request(
            "GET",
            f"http://127.0.0.1:{port}{path}",
            headers={"Host": "127.0.0.1", "Connection": "close"},
            redirect=False,
            retries=False,
            timeout=10,
        )
    except urllib3.exceptions.HTTPError:
        return 0, ""
    return response.status, response.data.decode("utf-8", "replace")


def _failed(engine: Engine, found: str) -> SmokeTestError:
    return SmokeTestError(
        f"the smoke test failed and the image was not pushed: {found}\n"
        f"  last log lines:\n{engine.logs() or '(none)'}"
    )
