"""The desk in containers of its own, beside Caddy, PostgreSQL and a registry."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy.engines.hosts import Host
from playwright.sync_api import Browser
from registries import Server, free_port, running_registry
from samples import REPOSITORY
from services import docker, loaded_images, require_engine

from browser.conftest import put, settled, shoot, sign_in

pytestmark = pytest.mark.slow
IMAGE = "trunkline-desk-test"
CONFIG = """\
url = "{url}"
[services]
shop = "{clone}"
"""


def build(folder: Path) -> None:
    """Build the image, with this machine's docker for the one of the public image."""
    paths = '{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Path}}{{end}}'
    plugin = docker("info", f"--format={paths}{{{{end}}}}")
    for source, place in (
        (shutil.which("docker"), "bin/docker"),
        (plugin, "libexec/docker/cli-plugins/docker-compose"),
    ):
        target = folder / "usr/local" / place
        target.parent.mkdir(parents=True)
        shutil.copy(str(source), target)
    packages = REPOSITORY / "packages"
    # To compress the layers takes longer than all of the build.
    output = f"--output=type=image,name={IMAGE},compression=uncompressed"
    docker(
        *("buildx", "--builder=default", "build", "--provenance=false", output),
        f"--build-context=docker={folder}",
        *(
            f"--build-arg={name}={os.environ.get(name) or image}"
            for name, image in loaded_images().items()
        ),
        f"--file={packages / 'desk/Dockerfile'}",
        str(packages),
    )


class DeskHost:
    """A machine with a clone, whose two branches have images, and a desk."""

    def __init__(self, home: Path, server: Server) -> None:
        self.host = Host(home, server)
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        text = CONFIG.format(url=self.url, clone=self.host.clone.root)
        (home / "desk.toml").write_text(text)
        self.env = {
            "DESK_DOCKER_CONFIG": str(home / "docker"),
            "DESK_HOME": str(home),
            "DESK_IMAGE": IMAGE,
            "DESK_PORT": str(port),
            "DESK_SOCKET": os.environ.get(
                "DOCKER_HOST", "/var/run/docker.sock"
            ).removeprefix("unix://"),
        }
        clone = self.host.clone
        clone.git("config", "user.name", "ana")
        clone.git("config", "user.email", "ana@example.com")
        for branch, tag, kind in (
            ("main", "main", "well"),
            ("feat/seats", "feat-seats", "new"),
        ):
            clone.git("checkout", "--quiet", "-B", branch)
            commit = clone.commit(f"feat: {branch}")
            self.host.publish(tag, kind, commit=commit)

    def compose(self, *words: str, stdin: str | None = None) -> str:
        """Run what the README says, in a project that no other test has."""
        ran = self.host.clone.run(
            *("docker", "compose", f"--project-name={self.host.name}-staging"),
            *("--env-file=staging.env", "--file=docker/staging.compose.yaml", *words),
            stdin=stdin,
            **self.env,
        )
        assert ran.code == 0, ran.all
        return ran.out.strip()


@pytest.fixture
def desk_host(tmp_path: Path) -> Iterator[DeskHost]:
    require_engine()
    build(tmp_path / "docker")
    # The web process is nobody in particular, and has to find the clone.
    tmp_path.chmod(0o755)
    home = tmp_path / "srv"
    home.mkdir()
    with running_registry(tmp_path / "registry") as server:
        one = DeskHost(home, server)
        try:
            yield one
        finally:
            one.host.end()


def test_from_nothing_two_clicks_put_a_branch_on_and_one_takes_it_back(
    desk_host: DeskHost, browser: Browser
) -> None:
    host = desk_host.host
    desk_host.compose("up", "--detach", "desk", "desk-runner")
    desk_host.compose(
        *("exec", "-T", "desk", "trunkline-desk", "user", "add", "ana"),
        stdin="ana's password\n",
    )
    context = browser.new_context()
    ana = sign_in(desk_host.url, context, "ana")
    put(ana, "feat: main")
    settled(ana, "feat: main")
    assert host.get()["kind"] == "well"
    put(ana, "feat: feat/seats")
    settled(ana, "feat: feat/seats")
    assert host.get()["kind"] == "new"
    shoot(ana, "7-host")
    # What is typed outside the containers passes through the same rule.
    refused = host.deploy("main")
    said = "found:     ana has staging until"
    assert (refused.code, said in refused.err) == (1, True), refused.all
    assert host.get()["kind"] == "new"
    ana.get_by_role("button", name="Take it back").click()
    settled(ana, "feat: main")
    assert host.get()["kind"] == "well"
    context.close()
    parts = host.containers()
    assert parts == ["blue", "database-1", "desk-1", "desk-runner-1", "proxy-1"]
    health = host.inspect("database-1", "{{.State.Health.Status}}")
    assert health == "healthy"
    # Only the runner can reach the engine.
    desk_host.compose("exec", "-T", "desk", "test", "!", "-e", "/var/run/docker.sock")
    assert desk_host.compose("exec", "-T", "desk", "id", "-u") == "10001"
