"""Build the image of a commit, test it, and push it without any tag."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from trunkline.errors import FailedError, Refusal
from trunkline.git import Repository
from trunkline.images.attestations import (
    PROVENANCE,
    SPDX,
    attest,
    bill_of_materials,
    index_of,
    provenance,
)
from trunkline.images.docker_commands import begin_build
from trunkline.images.engine import Engine
from trunkline.images.labels import Source, labels
from trunkline.images.layer_cache import LayerCache
from trunkline.images.layout import BuiltImage, unpack_image
from trunkline.images.packages import installed_packages
from trunkline.images.smoke import run_smoke_test
from trunkline.images.source import base_images, describe, export, pinned_images
from trunkline.output import say
from trunkline.project import Project
from trunkline.registry.client import Registry
from trunkline.registry.manifests import Manifest
from trunkline.settings import Settings


@contextmanager
def tested_image(
    repository: Repository,
    *,
    commit: str,
    branch: str,
    project: Project,
    cache: LayerCache | None,
) -> Iterator[tuple[list[BuiltImage], Source]]:
    """Build the image of a commit for each platform, and test it.

    Its blobs exist until the end; then its layers are cached. Raises SmokeTestError; a
    Refusal without Dockerfile.
    """
    settings = project.settings
    engine = Engine.connect(settings.platforms)
    with tempfile.TemporaryDirectory(prefix="trunkline-publish-") as folder:
        scratch = Path(folder)
        root = export(repository, commit, scratch)
        pinned = _dockerfile(root, settings, commit)
        given = {name: os.environ.get(name, "") for name in settings.build_args}
        source = describe(repository, commit, project=project, branch=branch, root=root)
        source = replace(source, bases=base_images(pinned, given))
        begin = begin_build(source, settings, os.environ)
        archive, images, used = scratch / "image.tar", [], {}
        for platform in settings.platforms:
            read = cache.filled(platform) if cache else ""
            try:
                used[platform] = engine.build(begin, root, archive, platform, read)
            except FailedError as error:
                raise _without_registry(error, engine, pinned, given) from error
            image = unpack_image(archive, scratch / platform.replace("/", "-"))
            say(f"  test     {platform}, started as in production: /readyz, /version")
            run_smoke_test(
                engine, image, archive, settings, commit=commit, platform=platform
            )
            images.append(image.dated(source.created))
        yield images, source
        if cache and cache.writes:
            engine.keep_layers(begin, root, used, cache.place)


def _dockerfile(root: Path, settings: Settings, commit: str) -> str:
    if not (root / settings.dockerfile).is_file():
        raise Refusal(
            rule="dockerfile",
            found=f"no {settings.dockerfile} in commit {commit[:12]}",
            expected="the file that says how the image is built",
            fix=f"git add {settings.dockerfile} && git commit  "
            "(or [tool.trunkline] dockerfile = …)",
        )
    return (root / settings.dockerfile).read_text(encoding="utf-8")


def _without_registry(
    error: FailedError, engine: Engine, dockerfile: str, arguments: Mapping[str, str]
) -> FailedError:
    """Add to a failure how to build from what this machine has, if it has it.

    `arguments` are those that the build passes on; one without a value can be given.
    """
    here = {
        name: tag
        for name, image in pinned_images(dockerfile).items()
        if arguments.get(name) == "" and engine.has(tag := image.partition("@")[0])
    }
    if not here:
        return error
    values = " ".join(f"{name}={tag}" for name, tag in here.items())
    return FailedError(
        f"{error}\n  type next: {values} uv run trunkline publish  (if no registry "
        "answers: the base images that this machine has by their tags)"
    )


def push(
    registry: Registry, images: Sequence[BuiltImage], source: Source, settings: Settings
) -> Manifest:
    """Store images, their attestations, and the index of both, by their digests.

    No tag names them yet, so nobody runs them by accident. Without attestations a
    single image needs no index.
    """
    beside = settings.attestations == "beside"
    stated = [_attest(image, source, settings) for image in images] if beside else []
    sent = 0
    for number, manifest in enumerate([*(one.manifest for one in images), *stated]):
        image = images[number % len(images)]
        for blob in dict.fromkeys(manifest.blobs()):
            with image.path(blob).open("rb") as file:
                sent += registry.push_blob(blob, file)
        registry.put_manifest(manifest.digest, manifest)
    if len(images) == 1 and not beside:
        whole = images[0].manifest
    else:
        whole = index_of(images, stated, labels(source))
        registry.put_manifest(whole.digest, whole)
    say(f"  push     {whole.digest}: {sent} new blobs")
    return whole


def _attest(image: BuiltImage, source: Source, settings: Settings) -> Manifest:
    _, *layers = image.manifest.blobs()
    packages = installed_packages(image.path(digest) for digest in layers)
    predicates = {
        SPDX: bill_of_materials(source, packages, image=image.manifest.digest),
        PROVENANCE: provenance(
            source, dockerfile=settings.dockerfile, platform=image.platform_name
        ),
    }
    return attest(image, predicates)
