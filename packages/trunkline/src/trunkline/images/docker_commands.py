"""Argument lists for Docker.

No list contains the value of a secret: Docker reads those from the environment or from
files itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from trunkline.images.labels import Source, build_arguments, labels
from trunkline.settings import Settings

DOCKER = "docker"
# 1980-01-01, the first moment that a zip file, and so a wheel, can name. One for every
# commit: with the commit's time, a build would change layers whose content is the same.
EPOCH = 315_532_800


def build_command(
    begin: Sequence[str], archive: Path, *, name: str, platform: str, cache: str = ""
) -> tuple[str, ...]:
    """Build the current folder into an archive that `docker load` names `name`.

    Layers of earlier builds are read from `cache`, if one is given.
    """
    output = f"type=docker,dest={archive},name={name}"
    written = f"--output={output},oci-mediatypes=true,rewrite-timestamp=true"
    return (*begin, *_from(platform, cache), written, ".")


def cache_command(
    begin: Sequence[str], *, platform: str, read: str, written: str
) -> tuple[str, ...]:
    """Store the layers of the last build, those of every stage, in a cache.

    What that build took from the cache that it `read` is not in the builder: without
    it here, the cache that is written would lack it.
    """
    # Like an image: not every registry stores an index of layers.
    to = f"--cache-to={written},mode=max,image-manifest=true,oci-mediatypes=true"
    return (*begin, *_from(platform, read), to, "--output=type=cacheonly", ".")


def _from(platform: str, cache: str) -> tuple[str, ...]:
    return (f"--platform={platform}", *([f"--cache-from={cache}"] if cache else []))


def begin_build(
    source: Source, settings: Settings, environ: Mapping[str, str]
) -> tuple[str, ...]:
    """Begin a build; provenance would contain its time, and is left out."""
    pairs = {"SOURCE_DATE_EPOCH": str(EPOCH), **build_arguments(source)}
    options = [f"--build-arg={key}={value}" for key, value in pairs.items()]
    # An empty variable counts as unset: a workflow passes on a missing one like that.
    options += [f"--build-arg={key}" for key in settings.build_args if environ.get(key)]
    options += [f"--label={key}={value}" for key, value in labels(source).items()]
    options += secret_options(settings, environ)
    command = (DOCKER, "buildx", "build", f"--file={settings.dockerfile}")
    return (*command, "--provenance=false", "--sbom=false", *options)


def secret_options(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield options for this machine's build secrets: variables and files.

    A missing one is left out: the Dockerfile says which ones it requires.
    """
    for name, place in settings.build_secrets.items():
        text = str(place)
        if text.startswith("$"):
            if text[1:] in environ:
                yield f"--secret=id={name},env={text[1:]}"
        elif (path := Path(text).expanduser()).is_file():
            yield f"--secret=id={name},src={path.resolve()}"


def run_command(
    image: str, settings: Settings, *, name: str, port: int, platform: str
) -> tuple[str, ...]:
    """Start an image as restricted as in production, published at any free port."""
    return (
        *(DOCKER, "run", "--detach", f"--name={name}", f"--platform={platform}"),
        *("--pull=never", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL"),
        *("--security-opt=no-new-privileges", f"--publish=127.0.0.1::{port}"),
        *(f"--env={key}={value}" for key, value in settings.smoke.items()),
        image,
    )
