"""Make the image of a commit: export, build, test, and push without any tag."""

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
from trunkline.images.engine import Build, Engine
from trunkline.images.labels import Source, build_arguments, labels
from trunkline.images.layers import cache_folder
from trunkline.images.layout import Image, Layout, read_archive
from trunkline.images.packages import installed_packages
from trunkline.images.smoke import Smoke, smoke
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

    A red image is never pushed. No tag points at it yet, so nobody runs it by chance.
    """
    with tested_image(repository, commit=commit, branch=branch, project=project) as (
        image,
        source,
    ):
        return push(registry, image, source, project.settings)


@contextmanager
def tested_image(
    repository: Repository, *, commit: str, branch: str, project: Project
) -> Iterator[tuple[Image, Source]]:
    """Build the image of a commit and test it; its blobs are there until the end."""
    settings = project.settings
    engine = Engine.connect()
    with tempfile.TemporaryDirectory(prefix="trunkline-publish-") as folder:
        scratch = Path(folder)
        root = export(repository, commit, scratch)
        source = describe(repository, commit, project=project, branch=branch, root=root)
        image = _build(engine, source, settings, root=root, scratch=scratch)
        test = Smoke(
            commit,
            settings.platform,
            {name: str(value) for name, value in settings.smoke.items()},
            settings.prepare,
            settings.smoke_seconds,
        )
        say("  test     as production starts it: /readyz, /version")
        smoke(engine, image, test, scratch=scratch)
        yield image, source


def _build(
    engine: Engine, source: Source, settings: Settings, *, root: Path, scratch: Path
) -> Image:
    if not (root / settings.dockerfile).is_file():
        raise Refusal(
            rule="dockerfile",
            found=f"no {settings.dockerfile} in commit {source.commit[:12]}",
            expected="the file that says how the image is built",
            fix="git add Dockerfile  (or [tool.trunkline] dockerfile = …), and commit",
        )
    variables, files = secrets_of(settings, os.environ)
    build = Build(
        dockerfile=settings.dockerfile,
        platform=settings.platform,
        arguments=build_arguments(source),
        labels=labels(source),
        passed_on=arguments_of(settings, os.environ),
        secrets=variables,
        files=files,
    )
    archive = scratch / "built.tar"
    engine.build(build, root, archive)
    layout = Layout(scratch / "blobs")
    layout.root.mkdir()
    image = read_archive(archive, layout, cache=cache_folder())
    archive.unlink()
    return image


def arguments_of(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Name the arguments of the build that this machine has.

    An empty one is none: a workflow hands an unset variable of its repository on so.
    """
    return [name for name in settings.build_args if environ.get(name)]


def secrets_of(
    settings: Settings, environ: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, Path]]:
    """Find the secrets that this machine has: variables and files, each by its id.

    One that is missing is left out: many builds do without, and the Dockerfile says
    which it requires.
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
    registry: Registry, image: Image, source: Source, settings: Settings
) -> Manifest:
    """Store an image, what is said of it, and the index of both, by their digests."""
    _, *layers = image.manifest.blobs()
    packages = installed_packages(image.layout.path(digest) for digest in layers)
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
            with image.layout.path(blob).open("rb") as file:
                sent += registry.push_blob(blob, file)
        registry.put_manifest(manifest.digest, manifest)
    registry.put_manifest(index.digest, index)
    say(f"  push     {index.digest}: {sent} new blobs, {len(packages)} packages listed")
    return index
