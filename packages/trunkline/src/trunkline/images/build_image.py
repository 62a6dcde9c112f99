"""Build the image of a commit, test it, and push it without any tag."""

import os
import tempfile
from collections.abc import Iterator, Mapping
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
from trunkline.images.docker_commands import BuildOptions
from trunkline.images.engine import Engine
from trunkline.images.labels import Source, build_arguments, labels
from trunkline.images.layout import BuiltImage, unpack_image
from trunkline.images.packages import installed_packages
from trunkline.images.smoke import SmokeTest, run_smoke_test
from trunkline.images.source import describe, export
from trunkline.output import say
from trunkline.project import Project
from trunkline.registry.client import Registry
from trunkline.registry.manifests import Manifest
from trunkline.settings import Settings


def make_image(
    repository: Repository,
    registry: Registry,
    *,
    commit: str,
    branch: str,
    project: Project,
) -> Manifest:
    """Build, test and push the image of a commit; returns its index.

    An image that fails its smoke test is never pushed. No tag names it yet, so nobody
    runs it by accident.
    """
    with tested_image(repository, commit=commit, branch=branch, project=project) as (
        image,
        source,
    ):
        return push(registry, image, source, project.settings)


@contextmanager
def tested_image(
    repository: Repository, *, commit: str, branch: str, project: Project
) -> Iterator[tuple[BuiltImage, Source]]:
    """Build the image of a commit and test it; its blobs exist until the end."""
    settings = project.settings
    engine = Engine.connect()
    with tempfile.TemporaryDirectory(prefix="trunkline-publish-") as folder:
        scratch = Path(folder)
        root = export(repository, commit, scratch)
        source = describe(repository, commit, project=project, branch=branch, root=root)
        archive = scratch / "image.tar"
        engine.build(build_options(source, settings, root=root), root, archive)
        image = unpack_image(archive, scratch / "image")
        test = SmokeTest(
            commit,
            settings.platform,
            {name: str(value) for name, value in settings.smoke.items()},
            settings.prepare,
            settings.smoke_seconds,
        )
        say("  test     started as in production: /readyz, /version")
        run_smoke_test(engine, image, archive, test)
        yield image, source


def build_options(source: Source, settings: Settings, *, root: Path) -> BuildOptions:
    """Gather what the build needs; raises Refusal if the commit has no Dockerfile."""
    if not (root / settings.dockerfile).is_file():
        raise Refusal(
            rule="dockerfile",
            found=f"no {settings.dockerfile} in commit {source.commit[:12]}",
            expected="the file that says how the image is built",
            fix="git add Dockerfile  (or [tool.trunkline] dockerfile = …), and commit",
        )
    variables, files = secrets_of(settings, os.environ)
    return BuildOptions(
        dockerfile=settings.dockerfile,
        platform=settings.platform,
        arguments=build_arguments(source),
        labels=labels(source),
        passed_on=arguments_of(settings, os.environ),
        secrets=variables,
        files=files,
    )


def arguments_of(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return the build arguments whose variables are set on this machine.

    An empty one counts as unset: that is how a workflow passes on a missing variable.
    """
    return [name for name in settings.build_args if environ.get(name)]


def secrets_of(
    settings: Settings, environ: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, Path]]:
    """Find this machine's build secrets: variables and files, each by its id.

    A missing one is left out: the Dockerfile says which ones it requires.
    """
    variables, files = {}, {}
    for name, place in settings.build_secrets.items():
        text = str(place)
        if text.startswith("$"):
            if text[1:] in environ:
                variables[name] = text[1:]
        elif (path := Path(text).expanduser()).is_file():
            files[name] = path.resolve()
    return variables, files


def push(
    registry: Registry, image: BuiltImage, source: Source, settings: Settings
) -> Manifest:
    """Store an image, its attestations, and the index of both, by their digests."""
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
