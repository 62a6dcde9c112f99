"""Publishing with a real container engine and a real registry."""

import json
import os
import signal
import subprocess
from functools import partial

import pytest

from faults import Fault, Proxy
from registries import Server
from samples import Sample
from services import (
    DOCKERFILE,
    PYTHON,
    SERVER,
    Service,
    add_service,
    docker_environment,
)
from trunkline.images.engine import PREFIX

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("engine")]


def docker(*arguments: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=True, env=env
    )
    return done.stdout.strip()


def left_in_engine(pid: int) -> list[str]:
    """Name what a run has left in the engine."""
    containers = docker("ps", "--all", "--format={{.Names}}").split()
    images = docker("image", "ls", "--format={{.Repository}}-{{.Tag}}").split()
    names = containers + images
    return [
        name for name in names if name.startswith(PREFIX) and name.endswith(f"-{pid}")
    ]


def test_a_commit_is_built_tested_and_pushed_with_its_tags(service: Service) -> None:
    service.sample.write("server.py", "this is not in the commit")
    report = service.published()
    digest = report["digest"]
    assert report["built"] is True
    assert service.tags() == {service.head: digest, "main": digest}
    assert service.published()["built"] is False


def test_what_was_pushed_is_pulled_and_says_what_it_is(service: Service) -> None:
    commit = service.sample.git("rev-parse", "HEAD")
    name = service.registry.name.at(service.published()["digest"])
    docker("pull", "-q", name)
    try:
        labels = json.loads(
            docker("image", "inspect", "--format={{json .Config.Labels}}", name)
        )
    finally:
        docker("image", "rm", "-f", name)
    assert labels["org.opencontainers.image.revision"] == commit
    assert labels["dev.trunkline.branch"] == "main"
    assert labels["dev.trunkline.subject"] == "feat: serve"
    assert labels["dev.trunkline.flags"] == "{}"


def test_packages_and_provenance_are_shown_by_buildx(
    sample: Sample, registry_server: Server
) -> None:
    dockerfile = DOCKERFILE.replace("FROM trunkline-test-base:1", f"FROM {PYTHON}")
    service = add_service(sample, registry_server, files={"Dockerfile": dockerfile})
    name = service.registry.name.at(service.published()["digest"])

    def inspect(what: str) -> str:
        return docker("buildx", "imagetools", "inspect", name, f"--format={what}")

    sbom = json.loads(inspect("{{json .SBOM.SPDX}}"))
    provenance = json.loads(inspect("{{json .Provenance.SLSA}}"))
    found = {package["name"] for package in sbom["packages"]}
    assert {"libc6", "debianutils"} <= found
    (source,) = provenance["buildDefinition"]["resolvedDependencies"]
    assert source["digest"] == {"gitCommit": sample.git("rev-parse", "HEAD")}


NEVER_READY = SERVER.replace("200 if found else 404", "503")
OTHER_COMMIT = SERVER.replace('os.environ["APP_COMMIT"]', '"0" * 40')
CRASHES = "import sys\nsys.exit('no database: giving up')\n"


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (CRASHES, "no database: giving up"),
        (OTHER_COMMIT, "/version names commit 000"),
        (NEVER_READY, "/readyz answered 503"),
    ],
    ids=["crashes", "other-commit", "never-ready"],
)
def test_a_red_image_is_never_pushed(service: Service, server: str, words: str) -> None:
    sample = service.sample
    impatient = sample.read("pyproject.toml").replace(
        "[tool.trunkline]\n", "[tool.trunkline]\nsmoke_seconds = 15\n"
    )
    sample.commit("feat: break it", {"server.py": server, "pyproject.toml": impatient})
    sample.push()
    ran = service.publish()
    assert ran.code == 1
    assert words in ran.err
    assert "was not pushed" in ran.err
    assert service.tags() == {}


def test_a_dockerfile_that_fails_is_shown(service: Service) -> None:
    service.sample.commit(
        "feat: break it", {"Dockerfile": DOCKERFILE + "COPY missing.txt /\n"}
    )
    service.sample.push()
    ran = service.publish()
    assert ran.code == 1
    assert "missing.txt" in ran.err
    assert service.tags() == {}


def without_cache(service: Service) -> dict[str, str]:
    """Return an environment in which every build runs every step again."""
    folder = service.sample.root.parent / "without-cache"
    folder.mkdir(exist_ok=True)
    real = service.sample.run("sh", "-c", "command -v docker").out.strip()
    script = folder / "docker"
    script.write_text(
        "#!/bin/sh\n"
        'if [ "$1 $2" = "buildx build" ]; then\n'
        f'  shift 2; exec {real} buildx build --no-cache "$@"\n'
        f'fi\nexec {real} "$@"\n'
    )
    script.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{service.sample.env['PATH']}"}


def test_one_commit_has_one_digest_whoever_builds_it_and_when(
    sample: Sample, registry_server: Server
) -> None:
    step = "RUN [\"python\", \"-c\", \"open('/made', 'w').write('x')\"]\n"
    dockerfile = DOCKERFILE.replace("USER", f"{step}USER")
    service = add_service(sample, registry_server, files={"Dockerfile": dockerfile})
    other = service.at(sample.clone("other"))
    digests = set()
    for builder in (service, other):
        digests.add(builder.published(**without_cache(builder))["digest"])
        for tag in ("main", service.head):
            service.forget(tag)
    assert len(digests) == 1


def test_two_interrupts_leave_nothing_and_the_next_run_succeeds(
    service: Service,
) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        process = service.start()
        wait_for_container(process)
        os.kill(process.pid, number)
        process.communicate(timeout=60)
        assert process.returncode == 130
        assert left_in_engine(process.pid) == []
    assert service.published()["built"] is True


def test_what_a_killed_run_has_left_the_next_one_removes(service: Service) -> None:
    process = service.start()
    wait_for_container(process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert left_in_engine(process.pid) != []
    service.published()
    assert left_in_engine(process.pid) == []


def wait_for_container(process: subprocess.Popen[str]) -> None:
    """Wait until a run has started the image that it tests."""
    while process.poll() is None:
        running = docker("ps", "--format={{.Names}}").split()
        if any(name.endswith(f"-{process.pid}") for name in running):
            return
    raise AssertionError(f"it ended with {process.returncode}")


@pytest.fixture
def watched(sample: Sample, proxy: Proxy) -> Service:
    """A service whose registry is reached by a proxy that can fail."""
    return add_service(sample, proxy.server)


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
    "(PUT|PATCH) .*/blobs/uploads/",
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


@pytest.mark.parametrize("path", ["/manifests/sha256:", "/manifests/sha-", "/blobs/"])
def test_a_registry_that_fails_is_named_and_the_next_run_goes_on(
    watched: Service, proxy: Proxy, path: str
) -> None:
    proxy.faults = [Fault(f"^(PUT|POST|PATCH) .*{path}", times=99, status=507)]
    ran = watched.publish()
    assert ran.code == 1
    assert "answered 507" in ran.err
    assert "make room on the registry" in ran.err
    assert "main" not in watched.tags()
    proxy.faults = []
    digest = watched.published()["digest"]
    assert watched.tags() == {watched.head: digest, "main": digest}
    assert set(proxy.pointed[watched.head]) == {digest}


def test_a_tag_that_is_deleted_under_us_is_written_again(
    watched: Service, proxy: Proxy
) -> None:
    proxy.faults = [
        Fault("^PUT .*/manifests/main", before=lambda: watched.forget(watched.head))
    ]
    digest = watched.published()["digest"]
    again = watched.published(**watched.without_docker())
    assert again["built"] is False
    assert watched.tags() == {watched.head: digest, "main": digest}


def test_a_branch_that_is_deleted_meanwhile_gets_no_tag(
    watched: Service, proxy: Proxy
) -> None:
    sample = watched.sample
    sample.git("switch", "-q", "-c", "feat/x")
    sample.commit("feat: x", {"x.txt": "x"})
    sample.push()

    def delete() -> None:
        sample.git("--git-dir", str(sample.origin), "branch", "-D", "feat/x")

    proxy.faults = [Fault("^PUT .*/manifests/sha-", before=delete)]
    ran = watched.publish()
    assert ran.code == 0
    assert "branch feat/x is gone" in ran.err
    assert set(watched.tags()) == {watched.head}


def test_a_pull_request_is_built_and_tested_and_not_pushed(sample: Sample) -> None:
    sample.env |= docker_environment(sample)
    sample.commit("feat: serve", {"Dockerfile": DOCKERFILE, "server.py": SERVER})
    text = sample.read("pyproject.toml").replace('flags = "my_app.config:Flags"\n', "")
    sample.commit("feat: no flags", {"pyproject.toml": text})
    sample.git("switch", "-q", "--detach")
    ran = sample.trunkline("publish", "--no-push")
    assert ran.code == 0, ran.all
    assert "green" in ran.err


def test_a_red_pull_request_fails(sample: Sample) -> None:
    sample.env |= docker_environment(sample)
    text = sample.read("pyproject.toml").replace('flags = "my_app.config:Flags"\n', "")
    files = {"Dockerfile": DOCKERFILE, "server.py": CRASHES, "pyproject.toml": text}
    sample.commit("feat: serve", files)
    ran = sample.trunkline("publish", "--no-push")
    assert ran.code == 1
    assert "no database: giving up" in ran.err
