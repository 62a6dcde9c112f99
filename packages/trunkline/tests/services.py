"""The smallest service that can be published: its image is built in half a second."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import tomlkit

from registries import Server, missing, push_image, random_path
from samples import REPOSITORY, Ran, Sample, environment, identify
from trunkline.images.engine import PREFIX, writes_archives
from trunkline.images.labels import BRANCH, CREATED, REVISION
from trunkline.images.source import pinned_images
from trunkline.registry.client import Registry

PYTHON = "python:3.12-slim-bookworm"
# Python and no more: a tenth of the public image, so that a test saves it in no time.
BASE = "trunkline-test-base:1"
BASE_DOCKERFILE = f"""\
FROM {PYTHON} AS python
WORKDIR /usr/local/lib/python3.12
RUN mkdir /small \
    && rm -rf test */test* site-packages config-* ensurepip idlelib lib-dynload/_test* \
    && find . -name __pycache__ -exec rm -rf {{}} + \
    && libraries=$(ldd ../../bin/python "$PWD"/lib-dynload/* | grep -o "\\s/[^ :]*") \
    && cp -rL --parents $libraries /usr/local/bin/python "$PWD" /small
FROM scratch
COPY --from=python /small /
ENV PATH=/usr/local/bin LD_LIBRARY_PATH=/usr/local/lib
"""
DOCKERFILE = f"""\
FROM {BASE}
COPY server.py /app/server.py
USER 10001:10001
EXPOSE 8000
CMD ["python", "/app/server.py"]
ARG REVISION
ENV APP_COMMIT=$REVISION
"""
# The engine's own builder: another one does not see the engine's images.
BUILDER = {"BUILDX_BUILDER": "default"}
SERVER = """\
# ruff: noqa
# fmt: off
import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

ANSWERS = {
    "/readyz": {"status": "ready"},
    "/version": {"commit": os.environ["APP_COMMIT"]},
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        found = ANSWERS.get(self.path)
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("serving", flush=True)
HTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
"""


def loaded_images() -> dict[str, str]:
    """Return the pinned base images by tag, for each argument that replaces one.

    A machine without a network has those that somebody loaded.
    """
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    pinned = pinned_images(dockerfile).items()
    return {name: image.partition("@")[0] for name, image in pinned}


def require_engine() -> None:
    """Skip where there is no container engine; in CI there has to be one."""
    program = shutil.which("docker")
    if program is None:
        missing("no docker on this machine")
    # Of workers that build it at the same time, containerd lets one name the image.
    for _ in range(3):
        built = subprocess.run(
            [program, "buildx", "build", f"--output=type=image,name={BASE}", "-"],
            input=BASE_DOCKERFILE,
            env=os.environ | BUILDER,
            capture_output=True,
            text=True,
            check=False,
        )
        if "already exists" not in built.stderr:
            break
    if built.returncode:
        missing(f"no container engine that builds: {built.stderr[-2000:]}")
    store = docker("info", "--format={{json .DriverStatus}}")
    if not writes_archives("", store):
        missing("the engine does not keep its images in containerd's store")


@dataclass(slots=True)
class Service:
    """A project whose images go to a repository of a registry."""

    sample: Sample
    registry: Registry
    server: Server

    def publish(self, *arguments: str, **env: str) -> Ran:
        return self.sample.trunkline("publish", *arguments, **env)

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start to publish, in a process group of its own."""
        return subprocess.Popen(
            ["trunkline", "publish", *arguments],
            cwd=self.sample.root,
            env={**self.sample.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def at(self, sample: Sample) -> "Service":
        """Return the same service, published from another clone."""
        return replace(self, sample=sample)

    @property
    def head(self) -> str:
        """The tag of the image of HEAD."""
        return f"sha-{self.sample.git('rev-parse', 'HEAD')[:12]}"

    def published(self, *arguments: str, **env: str) -> dict[str, Any]:
        """Publish, which must succeed, and return the report."""
        ran = self.publish(*arguments, "--json", **env)
        assert ran.code == 0, ran.all
        return cast("dict[str, Any]", json.loads(ran.out))

    def prebuilt(self, commit: str | None = None) -> str:
        """Store an image for a commit, so that no engine is needed; returns its digest.

        What follows a build can so be tested a hundred times in the time of one.
        """
        git = self.sample.git
        commit = commit or git("rev-parse", "HEAD")
        labels = {
            REVISION: commit,
            CREATED: git("log", "-1", "--format=%cI", commit),
            BRANCH: git("branch", "--show-current"),
        }
        manifest = push_image(self.registry, commit, labels=labels)
        self.registry.put_manifest(f"sha-{commit[:12]}", manifest)
        return manifest.digest

    def push(self, message: str, **files: str) -> str:
        """Commit and push, with an image; returns the commit."""
        commit = self.sample.commit(message, files)
        self.sample.push()
        self.prebuilt(commit)
        return commit

    def tags(self) -> dict[str, str]:
        """Every tag of the repository and the digest that it points at."""
        found = {tag: self.registry.digest(tag) for tag in self.registry.tags()}
        return {tag: digest for tag, digest in found.items() if digest}

    def forget(self, tag: str) -> None:
        """Delete one tag behind the registry's back, and not its image."""
        repositories = self.server.storage / "docker/registry/v2/repositories"
        tags = repositories / self.registry.name.path / "_manifests/tags"
        shutil.rmtree(tags / tag)

    def without_docker(self) -> dict[str, str]:
        """Return an environment in which there is no container engine."""
        folder = self.sample.root.parent / "no-docker"
        folder.mkdir(exist_ok=True)
        docker = folder / "docker"
        docker.write_text("#!/bin/sh\necho 'Cannot connect to Docker' >&2; exit 1\n")
        docker.chmod(0o755)
        return {"PATH": f"{folder}{os.pathsep}{self.sample.env['PATH']}"}


def add_service(
    sample: Sample, server: Server, *, files: dict[str, str] | None = None
) -> Service:
    """Commit and push a service whose images go to a new repository of a registry."""
    path = random_path()
    document = tomlkit.parse(sample.read("pyproject.toml"))
    document["tool"]["trunkline"]["image"] = f"{server.host}/{path}"
    document["tool"]["trunkline"].pop("flags", None)
    sample.env |= docker_environment(sample)
    sample.commit(
        "feat: serve",
        {
            "pyproject.toml": tomlkit.dumps(document),
            "Dockerfile": DOCKERFILE,
            "server.py": SERVER,
            **(files or {}),
        },
    )
    sample.push()
    return Service(sample, server.connect(path), server)


def own_service(folder: Path, server: Server) -> Service:
    """Publish the files of this repository, as they are, from a new repository."""
    work = folder / "work"
    sample = Sample(work, folder / "origin.git", environment(folder))
    here = Sample(REPOSITORY, REPOSITORY, sample.env)
    for name in here.git("ls-files", "-z").rstrip("\0").split("\0"):
        if (REPOSITORY / name).is_file():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, work / name)
    sample.git("init", "-q", "-b", "main", ".")
    sample.git("init", "-q", "--bare", "-b", "main", "../origin.git")
    sample.git("remote", "add", "origin", "../origin.git")
    identify(sample, "dev")
    sample.git("add", "--all")
    sample.commit("feat: begin")
    sample.push()
    path = random_path()
    image = f"{server.host}/{path}"
    sample.env |= docker_environment(sample) | {"TRUNKLINE_IMAGE": image}
    service = Service(sample, server.connect(path), server)
    service.published()
    return service


def docker_environment(sample: Sample) -> dict[str, str]:
    """Return a configuration of docker without accounts, but with its plugins."""
    config = sample.root.parent / "docker-config"
    own = Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker"))
    config.mkdir(exist_ok=True)
    plugins = config / "cli-plugins"
    if (own / "cli-plugins").is_dir() and not plugins.exists():
        plugins.symlink_to(own / "cli-plugins")
    return {"DOCKER_CONFIG": str(config), **BUILDER}


def match(name: str, severity: str, *fixed: str) -> dict[str, object]:
    """Describe one vulnerability in the form of grype's JSON."""
    return {
        "vulnerability": {
            "id": name,
            "severity": severity,
            "fix": {"versions": list(fixed), "state": "fixed"},
        },
        "artifact": {"name": "openssl", "version": "3.0.1", "type": "deb"},
    }


def scanner(folder: Path, *matches: dict[str, object]) -> dict[str, str]:
    """Return an environment with a scanner that reports this of every image."""
    program = folder / "grype"
    report = json.dumps({"matches": matches})
    program.write_text(f"#!/bin/sh\necho \"$*\" >> {folder}/asked\necho '{report}'\n")
    program.chmod(0o755)
    return {"GRYPE": str(program)}


def docker(*arguments: str) -> str:
    """Run docker, which must succeed, and return what it prints."""
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=True
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
