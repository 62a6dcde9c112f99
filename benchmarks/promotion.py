"""A release from an image that exists: two tags are written, nothing is built."""

import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter

from trunkline.registry.client import Registry
from trunkline.registry.manifests import OCI_CONFIG, OCI_MANIFEST, Manifest
from trunkline.registry.reference import parse_image_name

from benchmarks import processes, profiles, releases
from benchmarks.benchmark import Comparison, UnavailableError
from benchmarks.samples import alone, compared, interleaved

PYTHON = releases.TOOLS / "python"
# Two, so that `latest` moves each time.
IMAGES = ("sha-0123456789ab", "sha-123456789abc")
# What `trunkline publish` does with the registry once it knows the release's tags.
PROMOTE = """
import os, sys
from trunkline.images.write_tags import write_tags
from trunkline.registry.reference import parse_image_name
from trunkline.registry.client import Registry
from trunkline.images.tags import ImageTag
address, image, version = sys.argv[1:]
names = ((version, False), ("latest", True))
tags = [ImageTag(name, mutable=mutable, why="") for name, mutable in names]
with Registry.connect(parse_image_name(address), environ=os.environ) as registry:
    write_tags(registry, registry.manifest(image), tags)
"""


@dataclass(frozen=True)
class Place:
    """A running registry with one image in it, and the log of its requests."""

    name: str
    log: Path
    versions: Iterator[int]

    def ours(self) -> tuple[float, int]:
        """Promote with the tool's own client."""
        version, image = self._next()
        return self._measured((PYTHON, "-c", PROMOTE, self.name, image, version))

    def crane(self) -> tuple[float, int]:
        """Promote with two calls of `crane tag`, which looks at nothing before."""
        version, image = self._next()
        source = f"{self.name}:{image}"
        one, two = (("crane", "tag", source, tag) for tag in (version, "latest"))
        first, second = self._measured(one), self._measured(two)
        return first[0] + second[0], first[1] + second[1]

    def _next(self) -> tuple[str, str]:
        number = next(self.versions)
        return f"1.0.{number}", IMAGES[number % len(IMAGES)]

    def _measured(self, command: tuple[str | Path, ...]) -> tuple[float, int]:
        before, begun = self._requests(), perf_counter()
        processes.run(command)
        return (perf_counter() - begun) * 1000, self._requests() - before

    def _requests(self) -> int:
        return self.log.read_bytes().count(b'HTTP/1.1"')


def run(rounds: int) -> list[Comparison]:
    """Promote in turns with crane, where it is installed."""
    with registry() as place:
        measures = {"ours": place.ours}
        if shutil.which("crane"):
            measures["crane"] = place.crane
        samples = interleaved(rounds, measures)
    times = {name: [time for time, _ in found] for name, found in samples.items()}
    found = [alone("a release of an existing image", "ms", times["ours"])]
    if "crane" in samples:
        pairs = {name: [float(n) for _, n in one] for name, one in samples.items()}
        peer = "crane tag, twice"
        compare = partial(compared, peer=peer)
        found += [
            compare("the same", "ms", ours=times["ours"], theirs=times["crane"]),
            compare("requests", "", ours=pairs["ours"], theirs=pairs["crane"]),
        ]
    return found


@contextmanager
def registry() -> Iterator[Place]:
    """Start a registry on a free port and store a small image in it."""
    program = shutil.which("docker-registry")
    if program is None:
        raise UnavailableError("found no docker-registry on PATH")
    with tempfile.TemporaryDirectory() as folder:
        port, log = processes.free_port(), Path(folder) / "log"
        config = Path(folder) / "config.yml"
        config.write_text(
            json.dumps(
                {
                    "version": "0.1",
                    "storage": {"filesystem": {"rootdirectory": f"{folder}/storage"}},
                    "http": {"addr": f"127.0.0.1:{port}"},
                }
            )
        )
        with (
            log.open("wb") as output,
            processes.started((program, "serve", config), output=output) as server,
        ):
            processes.wait_for(server, port, "/v2/")
            place = Place(f"127.0.0.1:{port}/acme/my-app", log, count())
            for image in IMAGES:
                store_image(place.name, image)
            yield place


def store_image(name: str, tag: str) -> None:
    """Store an image of one configuration and no layer, another for each tag."""
    text = {"architecture": "amd64", "os": "linux", "author": tag}
    config = json.dumps(text).encode()
    digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    described = {"mediaType": OCI_CONFIG, "digest": digest, "size": len(config)}
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described,
        "layers": [],
    }
    manifest = Manifest(json.dumps(document).encode(), OCI_MANIFEST)
    with Registry.connect(parse_image_name(name), environ={}) as there:
        there.push_blob(digest, io.BytesIO(config))
        there.put_manifest(tag, manifest)


def profile() -> str:
    """Show what is imported."""
    return profiles.imports(
        PYTHON,
        ours="import trunkline.images.write_tags",
        theirs="pass",
        env=processes.environment(),
    )
