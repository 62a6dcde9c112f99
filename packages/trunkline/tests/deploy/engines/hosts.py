"""A machine that serves: real engine, registry, Caddy and PostgreSQL; small images."""

import io
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import urllib3

from deploy.shops import PAUSE
from registries import Server, free_port, random_path
from samples import REPOSITORY, Ran, Sample, environment
from services import BASE, docker, docker_environment
from trunkline.registry.client import Registry
from trunkline.registry.manifests import Manifest, descriptor

DOCKERFILE = f"""\
FROM {BASE}
COPY server.py /app/server.py
ARG NAME
COPY --chmod=755 shop /usr/local/bin/$NAME
USER 10001:10001
EXPOSE 8000
CMD ["python", "/app/server.py"]
"""
# The tag of what is built once; images differ in their configuration alone.
BUILT = "built"
# `shop migrate` of the image: how long it takes, and what comes of it, is in its kind.
MIGRATE = """\
#!/usr/local/bin/python
import os, signal, sys, time
kind = os.environ["KIND"]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
if sys.argv[1:] != ["migrate"]:
    sys.exit(2)
print("migrating", kind, flush=True)
time.sleep(60 if "hangs" in kind else 6 if "slowly" in kind else 0)
sys.exit(1 if "breaks" in kind else 0)
"""
SERVER = """\
import http.server, json, os, signal, sys, threading, time

KIND, ASKED = os.environ["KIND"], []
DELAY = float(os.environ.get("APP_SHUTDOWN_DELAY_SECONDS", 0))
STOPPING = threading.Event()
COMMIT = "f" * 40 if KIND == "another" else os.environ["APP_COMMIT"]

def ready():
    # However late somebody asks for the first time, it is well then.
    ASKED.append(time.monotonic())
    turned = KIND == "turns" and ASKED[-1] > ASKED[0] + 1
    return KIND != "never" and not turned

class Handler(http.server.BaseHTTPRequestHandler):
    # A cluster keeps connections; there, a delay gives the time to let go of them.
    protocol_version = "HTTP/1.1" if "KUBERNETES_PORT" in os.environ else "HTTP/1.0"
    timeout = 5

    def do_GET(self):
        if self.path == "/slow":
            time.sleep(2)
        said = {"kind": KIND, "commit": COMMIT, "greeting": os.environ.get("GREETING")}
        self.send_response(200 if self.path != "/readyz" or ready() else 503)
        body = json.dumps(said).encode()
        self.send_header("Content-Length", str(len(body)))
        if STOPPING.is_set():
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

class Server(http.server.ThreadingHTTPServer):
    daemon_threads, request_queue_size = False, 128

if KIND == "exits":
    sys.exit("cannot start: no such thing")
server = Server(("0.0.0.0", 8000), Handler)
def stop(*_):
    STOPPING.set()
    threading.Timer(DELAY, server.shutdown).start()

signal.signal(signal.SIGTERM, signal.SIG_IGN if KIND == "stubborn" else stop)
print("serving", KIND, flush=True)
server.serve_forever()
server.server_close()
"""
COMPOSED = ("staging.compose.yaml", "production.compose.yaml")
# Only a service with a database has these.
STORING = ("backing.yaml", "service.env")
PROJECT = """\
[project]
name = "{name}"
version = "0.0.0"
[tool.trunkline]
image = "{image}"
migrations = "migrations"
smoke_seconds = 4
timeout = 3
[tool.trunkline.environments.staging]
engine = "compose"
url = "http://127.0.0.1:{port}"
window = 2
keep = 1
variables = ["staging.env"]
[tool.trunkline.environments.production]
engine = "compose"
url = "http://127.0.0.1:{port}"
accepts = "releases"
window = 2
keep = 1
variables = ["staging.env"]
"""


@dataclass
class Load:
    """What clients of an environment saw."""

    lost: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)


class Host:
    """A clone on the machine that serves, and the images that it can deploy."""

    def __init__(self, folder: Path, server: Server, place: str = "staging") -> None:
        self.place = place
        self.name = f"shop-{secrets.token_hex(4)}"
        self.path = random_path()
        self.server = server
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        root = folder / "clone"
        root.mkdir()
        self.clone = Sample(root, folder, environment(folder))
        self.clone.env |= docker_environment(self.clone)
        self.folder = root / ".git/trunkline/deploy" / self.place
        self.clone.git("init", "--quiet", "--initial-branch=main")
        self.configure(server)
        self.clone.write("staging.env", "GREETING=a $HOME\nPOSTGRES_PASSWORD=hush$1\n")
        for name in COMPOSED + STORING:
            file = f"docker/{name}"
            self.clone.write(file, (REPOSITORY / file).read_text())
        self.build = folder / "build"
        self.build.mkdir()
        files = {"Dockerfile": DOCKERFILE, "server.py": SERVER, "shop": MIGRATE}
        for name, text in files.items():
            (self.build / name).write_text(text)

    def without_database(self) -> None:
        """Be the host of a service that stores nothing."""
        for name in STORING:
            (self.clone.root / "docker" / name).unlink()

    def configure(self, server: Server) -> None:
        """Take images from a server, which may be a proxy before the registry."""
        image = f"{server.host}/{self.path}"
        text = PROJECT.format(name=self.name, image=image, port=self.port)
        self.clone.write("pyproject.toml", text)

    def patient(self) -> None:
        """Be a loaded machine, where what starts late is not sick."""
        text = (self.clone.root / "pyproject.toml").read_text()
        text = text.replace("smoke_seconds = 4", "smoke_seconds = 60")
        self.clone.write("pyproject.toml", text)

    @property
    def registry(self) -> Registry:
        return self.server.connect(self.path)

    def publish(
        self,
        tag: str,
        kind: str = "well",
        *,
        labels: Mapping[str, str] | None = None,
        commit: str = "",
    ) -> str:
        """Push an image, which is of a commit of its own; returns that."""
        commit = commit or secrets.token_hex(20)
        with self.registry as registry:
            if not registry.digest(BUILT):
                self.build_image()

        def configured(config: dict[str, Any]) -> dict[str, Any]:
            own = {"org.opencontainers.image.revision": commit}
            inner = config["config"] | {"Labels": labels or own}
            # Of two values of one variable, Python takes the first.
            inner["Env"] = [f"APP_COMMIT={commit}", f"KIND={kind}", *inner["Env"]]
            return config | {"config": inner}

        # A release has its commit's own tag, which confirms it.
        own = [f"sha-{commit[:12]}"] if tag[0].isdigit() else []
        for name in (tag, *own):
            self.rewrite(BUILT, name, configured)
        return commit

    def build_image(self) -> None:
        image = f"{self.server.host}/{self.path}:{BUILT}"
        argv = ["docker", "buildx", "build", "--provenance=false", "--quiet"]
        argv += [f"--build-arg=NAME={self.name}"]
        argv += [f"--output=type=image,push=true,name={image}", "."]
        ran = replace(self.clone, root=self.build).run(*argv)
        assert ran.code == 0, ran.all
        docker("image", "rm", image)

    def rewrite(
        self, of: str, tag: str, change: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> None:
        """Let a tag name an image that differs from another by its configuration."""
        with self.registry as registry:
            manifest = registry.manifest(of)
            assert manifest
            document = dict(manifest.document)
            config = json.loads(registry.blob(document["config"]["digest"]))
            content = json.dumps(change(config)).encode()
            kind = document["config"]["mediaType"]
            document["config"] = descriptor(content, kind)
            registry.push_blob(document["config"]["digest"], io.BytesIO(content))
            registry.put_manifest(
                tag, Manifest(json.dumps(document).encode(), manifest.media_type)
            )

    def trunkline(self, *words: str) -> Ran:
        return self.clone.trunkline(*words)

    def deploy(self, ref: str) -> Ran:
        return self.trunkline("deploy", ref, "--to", self.place)

    def typed(self, refusal: str) -> None:
        """Type what a refusal says."""
        command = refusal.rpartition("type next: ")[2].partition("  (")[0]
        ran = self.clone.run("sh", "-c", command)
        assert ran.code == 0, ran.all

    def deployed(self, ref: str) -> None:
        ran = self.deploy(ref)
        assert ran.code == 0, ran.all

    def get(self, path: str = "/") -> dict[str, str]:
        answer = urllib3.request("GET", self.url + path, retries=False, timeout=10)
        assert answer.status == 200, answer.data
        found: dict[str, str] = answer.json()
        return found

    @contextmanager
    def load(self, pause: float = PAUSE) -> Iterator[Load]:
        """Ask by three clients, one of which asks for what is slow."""
        seen, done = Load(), threading.Event()

        def ask(path: str) -> None:
            while not done.wait(pause):
                try:
                    seen.kinds.append(self.get(path)["kind"])
                except (AssertionError, urllib3.exceptions.HTTPError) as error:
                    seen.lost.append(repr(error))

        clients = [
            threading.Thread(target=ask, args=(path,)) for path in ("/", "/", "/slow")
        ]
        for client in clients:
            client.start()
        try:
            yield seen
        finally:
            done.set()
            for client in clients:
                client.join()

    def containers(self) -> list[str]:
        """Name all containers of the environment, those that do not run too."""
        names = docker(
            *("ps", "--all", "--format={{.Names}}"),
            f"--filter=label=com.docker.compose.project={self.name}-{self.place}",
        ).split()
        return sorted(name.removeprefix(f"{self.name}-{self.place}-") for name in names)

    def inspect(self, part: str, what: str) -> str:
        return docker("inspect", f"--format={what}", f"{self.name}-{self.place}-{part}")

    def told(self, command: str) -> Any:  # noqa: ANN401 - whatever JSON can hold
        return json.loads(self.trunkline(command, self.place, "--json").out)

    def endings(self) -> list[str]:
        return [one["ending"] for one in self.told("history")]

    def end(self) -> None:
        """Remove all of it from the engine."""
        for place, (listing, removal) in product(
            ("staging", "production"),  # A dry run made a network, too.
            (
                (("ps", "--all"), ("rm", "--force", "--volumes")),
                (("volume", "ls"), ("volume", "rm", "--force")),
                (("network", "ls"), ("network", "rm")),
            ),
        ):
            project = f"--filter=label=com.docker.compose.project={self.name}-{place}"
            if found := docker(*listing, "--quiet", project).split():
                docker(*removal, *found)
        images = docker("image", "ls", "--format={{.Repository}}:{{.Tag}} {{.ID}}")
        for line in images.splitlines():
            if self.name in line or self.path in line:
                self.clone.run("docker", "image", "rm", "--force", line.split()[1])
