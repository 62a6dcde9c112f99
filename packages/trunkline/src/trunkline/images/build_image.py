"""Build the image of a commit, test it, and push it without any tag."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trunkline.errors import Refusal
from trunkline.git import Repository
from trunkline.images.attestations import (
    PROVENANCE,
    SPDX,
    attested,
    bill_of_materials,
    provenance,
)
from trunkline.images.engine import Engine
from trunkline.images.labels import Source, labels
from trunkline.images.layout import BuiltImage, unpack_image
from trunkline.images.packages import installed_packages
from trunkline.images.smoke import run_smoke_test
from trunkline.images.source import describe, export
from trunkline.output import say
from trunkline.project import Project
from trunkline.registry.client import Registry
from trunkline.registry.manifests import Manifest
from trunkline.settings import Settings


@contextmanager
def tested_image(
    repository: Repository, *, commit: str, branch: str, project: Project
) -> Iterator[tuple[BuiltImage, Source]]:
    """Build the image of a commit and test it; its blobs exist until the end.

    Raises SmokeTestError, and Refusal if the commit has no Dockerfile.
    """
    settings = project.settings
    engine = Engine.connect()
    with tempfile.TemporaryDirectory(prefix="trunkline-publish-") as folder:
        scratch = Path(folder)
        root = export(repository, commit, scratch)
        source = describe(repository, commit, project=project, branch=branch, root=root)
        if not (root / settings.dockerfile).is_file():
            raise Refusal(
                rule="dockerfile",
                found=f"no {settings.dockerfile} in commit {commit[:12]}",
                expected="the file that says how the image is built",
                fix="git add Dockerfile  (or [tool.trunkline] dockerfile = …), and "
                "commit",
            )
        archive = scratch / "image.tar"
        engine.build(source, settings, root, archive)
        image = unpack_image(archive, scratch / "image")
        say("  test     started as in production: /readyz, /version")
        run_smoke_test(engine, image, archive, settings, commit=commit)
        yield image, source


def push(
    registry: Registry, image: BuiltImage, source: Source, settings: Settings
) -> Manifest:
    """Store an image, its attestations, and the index of both, by their digests.

    No tag names them yet, so nobody runs them by accident.
    """
    _, *layers = image.manifest.blobs()
    packages = installed_packages(image.path(digest) for digest in layers)
    digest = image.manifest.digest
    predicates = {
        SPDX: bill_of_materials(source, packages, image=digest),
        PROVENANCE: provenance(
            source,
            dockerfile=settings.dockerfile,
            platform=settings.platform,
            bases=[os.environ.get(name, "") for name in settings.build_args],
        ),
    }
    index, attestation = attested(image, predicates, labels(source))
    sent = 0
    for manifest in (image.manifest, attestation):
        for blob in dict.fromkeys(manifest.blobs()):
            with image.path(blob).open("rb") as file:
                sent += registry.push_blob(blob, file)
        registry.put_manifest(manifest.digest, manifest)
    registry.put_manifest(index.digest, index)
    say(f"  push     {index.digest}: {sent} new blobs, {len(packages)} packages listed")
    return index
