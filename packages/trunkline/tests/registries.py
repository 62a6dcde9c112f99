"""Real registries, each on a free port of this machine, and small images to push.

A registry is the program `docker-registry` (distribution) where it is installed, which
takes a tenth of a second, or the image `registry:2` where there is a container engine.
"""

import hashlib
import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from trunkline.registry.client import Registry
from trunkline.registry.manifests import OCI_INDEX, Manifest
from trunkline.registry.reference import ImageName, parse_image_name
from trunkline.registry.transport import RetryPolicy
from trunkline.settings import Settings

PROGRAM = "docker-registry"
IMAGE = os.environ.get("TRUNKLINE_TEST_REGISTRY", "registry:2")
# Waits that a test can bear, and an account that the registries below know.
QUICK = RetryPolicy(connect=2, read=5, retries=2, backoff=0.01, longest_wait=2)
USER, PASSWORD = "robot", "correct horse"
# `htpasswd -nbB -C 4` makes it.
HTPASSWD = f"{USER}:$2b$04$qORNJh/i.g2kaHcLPvrTluPOKKhDOfKsYLtVX6RCKB/4XauOS9V7O\n"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(slots=True)
class Server:
    """One running registry; `host` is its name, with the port."""

    host: str
    storage: Path

    def name(self, path: str | None = None) -> ImageName:
        """Name a repository in it, a new one unless `path` is given."""
        return parse_image_name(f"{self.host}/{path or random_path()}")

    def connect(
        self,
        path: str | None = None,
        *,
        retry_policy: RetryPolicy = QUICK,
        environ: Mapping[str, str] | None = None,
    ) -> Registry:
        """Open one repository in it, a new one unless `path` is given."""
        nobody = {"DOCKER_CONFIG": str(self.storage / "nobody")}
        settings = Settings(image=str(self.name(path)))
        return Registry(settings, environ or nobody, retry_policy=retry_policy)


def random_path() -> str:
    return f"test-{secrets.token_hex(6)}/my-app"


@contextmanager
def running_registry(
    folder: Path, *, delete: bool = True, auth: Mapping[str, Any] | None = None
) -> Iterator[Server]:
    """Start a registry that keeps its data in `folder`, and stop it at the end."""
    port = free_port()
    storage = folder / "storage"
    storage.mkdir(parents=True, exist_ok=True)
    config = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "delete": {"enabled": delete},
        },
        "http": {"addr": f"127.0.0.1:{port}"},
        **({"auth": auth} if auth else {}),
    }
    file = folder / "config.yml"
    file.write_text(json.dumps(config))  # JSON is YAML.
    with _started(folder, file) as process:
        wait_for(port, process)
        yield Server(f"127.0.0.1:{port}", storage)


def basic_auth(folder: Path) -> dict[str, Any]:
    """Configure a registry to know the account above, by its password."""
    file = folder / "htpasswd"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(HTPASSWD)
    return {"htpasswd": {"realm": "test", "path": str(file)}}


@contextmanager
def _started(folder: Path, config: Path) -> Iterator[subprocess.Popen[bytes]]:
    name = f"trunkline-test-{secrets.token_hex(6)}"
    argv = _command(folder, config, name)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
        try:
            yield process
        finally:
            if argv[0] == "docker":
                subprocess.run(
                    ["docker", "rm", "-f", name], check=False, capture_output=True
                )
            process.kill()
            process.wait()


def _command(folder: Path, config: Path, name: str) -> list[str]:
    if program := shutil.which(PROGRAM):
        return [program, "serve", str(config)]
    if shutil.which("docker"):
        user = f"{os.getuid()}:{os.getgid()}"
        options = ["--rm", "--name", name, "--network=host", "--user", user]
        mount = ["--volume", f"{folder}:{folder}"]
        return ["docker", "run", *options, *mount, IMAGE, "serve", str(config)]
    missing(f"no {PROGRAM} and no container engine on this machine")


def missing(reason: str) -> NoReturn:
    """Skip a test on a machine that lacks a part; in CI none may lack."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until something listens on a port; fails if the process ends before."""
    for _ in range(2000):
        assert process.poll() is None, f"the registry ended with {process.returncode}"
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    pytest.fail(f"nothing listens on port {port}")


def push_image(
    registry: Registry, text: str = "hello", *, labels: Mapping[str, str] | None = None
) -> Manifest:
    """Store a small image by its digest, without any tag; same text, same digest."""
    layer = _push(registry, text.encode())
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": dict(labels or {})},
        "rootfs": {"type": "layers", "diff_ids": [layer]},
    }
    content = json.dumps(document).encode()
    config = _push(registry, content)
    manifest = Manifest.of(
        {"mediaType": CONFIG_TYPE, "digest": config, "size": len(content)},
        [{"mediaType": LAYER_TYPE, "digest": layer, "size": len(text)}],
    )
    registry.put_manifest(manifest.digest, manifest)
    return manifest


def push_index(registry: Registry, *children: Manifest) -> Manifest:
    """Store an index of images by its digest, without any tag."""
    manifests = [
        {
            "mediaType": child.media_type,
            "digest": child.digest,
            "size": len(child.content),
            "platform": {"os": "linux", "architecture": f"arch{number}"},
        }
        for number, child in enumerate(children)
    ]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
    index = Manifest(json.dumps(document).encode(), OCI_INDEX)
    registry.put_manifest(index.digest, index)
    return index


def _push(registry: Registry, content: bytes) -> str:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    registry.push_blob(digest, io.BytesIO(content))
    return digest
