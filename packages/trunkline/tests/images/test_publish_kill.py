"""A publisher that is interrupted or killed, at every step, ends well."""

import os
import signal
import subprocess
from functools import partial

import pytest

from faults import Fault, Proxy
from registries import Server
from samples import Sample
from services import SERVER, Service, add_service, docker, left_in_engine

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("engine")]


@pytest.fixture
def waiting(sample: Sample, registry_server: Server) -> Service:
    """A service that is never ready, so that a run still waits when it is ended."""
    server = SERVER.replace('"/readyz"', '"/soon"')
    return add_service(sample, registry_server, files={"server.py": server})


def fix(service: Service) -> None:
    """Commit and push a server that becomes ready."""
    service.sample.commit("fix: be ready", {"server.py": SERVER})
    service.sample.push()


def test_two_interrupts_leave_nothing_and_the_next_run_succeeds(
    waiting: Service,
) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        process = waiting.start()
        wait_for_container(process)
        os.kill(process.pid, number)
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 130, said
        assert left_in_engine(process.pid) == []
    fix(waiting)
    assert waiting.published()["built"] is True


def test_what_a_killed_run_has_left_the_next_one_removes(waiting: Service) -> None:
    process = waiting.start()
    wait_for_container(process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=600)
    assert left_in_engine(process.pid) != []
    fix(waiting)
    waiting.published()
    assert left_in_engine(process.pid) == []


def wait_for_container(process: subprocess.Popen[str]) -> None:
    """Wait until a run has started the image that it tests."""
    while process.poll() is None:
        running = docker("ps", "--format={{.Names}}").split()
        if any(name.endswith(f"-{process.pid}") for name in running):
            return
    raise AssertionError(f"it ended with {process.returncode}")


KILLER = """#!/bin/sh
echo x >>"$KILL_COUNT"
if [ "$(wc -l <"$KILL_COUNT")" -eq "$KILL_AT" ]; then kill -9 0; fi
exec {real} "$@"
"""


def test_killed_at_every_step_with_the_engine_it_comes_to_the_same_image(
    watched: Service, proxy: Proxy
) -> None:
    sample = watched.sample
    folder = sample.root.parent / "killer"
    folder.mkdir()
    real = sample.run("sh", "-c", "command -v docker").out.strip()
    (folder / "docker").write_text(KILLER.format(real=real))
    (folder / "docker").chmod(0o755)
    path = {"PATH": f"{folder}{os.pathsep}{sample.env['PATH']}"}
    for step in range(1, 100):
        count = folder / f"count-{step}"
        process = watched.start(KILL_AT=str(step), KILL_COUNT=str(count), **path)
        said, _ = process.communicate(timeout=300)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, said
        assert watched.tags() == {}
    # Version, builder, store; build, save; load, run, ask; and what is cleaned.
    assert step > 10
    (digest,) = set(watched.tags().values())
    assert watched.tags() == {watched.head: digest, "main": digest}
    assert left_in_engine(process.pid) == []


# Every kind of write, in the order in which a run comes to them.
WRITES = (
    "POST .*/blobs/uploads/",
    "PUT .*/blobs/uploads/",
    "PUT .*/manifests/sha256:",
    "PUT .*/manifests/sha-",
    "PUT .*/manifests/main",
)


@pytest.mark.parametrize("landed", [True, False])
def test_killed_at_every_write_it_comes_to_the_same_image(
    watched: Service, proxy: Proxy, landed: bool
) -> None:
    for write in WRITES:
        process = watched.start()
        kill = partial(os.killpg, process.pid, signal.SIGKILL)
        proxy.faults = [Fault(write, before=kill, status=None if landed else 500)]
        process.communicate(timeout=300)
        assert process.returncode == -signal.SIGKILL
        assert watched.tags().keys() <= {watched.head, "main"}
    proxy.faults = []
    digest = watched.published(**watched.without_docker())["digest"]
    assert watched.tags() == {watched.head: digest, "main": digest}
    assert set(proxy.pointed[watched.head]) == set(proxy.pointed["main"]) == {digest}
