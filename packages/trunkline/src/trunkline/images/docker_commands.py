"""Argument lists for Docker. Pure.

No list contains the value of a secret: Docker reads those from the environment or from
files itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DOCKER = "docker"
# 1980-01-01, the first moment that a zip file, and so a wheel, can name. One for every
# commit: with the commit's time, a build would change layers whose content is the same.
EPOCH = 315_532_800


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What goes into a build, besides the folder."""

    dockerfile: str
    platform: str
    arguments: Mapping[str, str]
    labels: Mapping[str, str]
    # Variables that are passed on as arguments; secrets by their id, each a variable or
    # a file.
    passed_on: Sequence[str] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


def build_command(build: BuildOptions, archive: Path, *, name: str) -> tuple[str, ...]:
    """Build the current folder into an archive that `docker load` names `name`.

    Provenance is left out because it would contain the time of the build.
    """
    pairs = {"SOURCE_DATE_EPOCH": str(EPOCH), **build.arguments}
    options = [f"--build-arg={name}={value}" for name, value in pairs.items()]
    options += [f"--build-arg={name}" for name in build.passed_on]
    options += [f"--label={name}={value}" for name, value in build.labels.items()]
    options += [f"--secret=id={name},env={key}" for name, key in build.secrets.items()]
    options += [f"--secret=id={name},src={path}" for name, path in build.files.items()]
    output = f"type=docker,dest={archive},name={name}"
    return (
        DOCKER,
        "buildx",
        "build",
        f"--platform={build.platform}",
        f"--file={build.dockerfile}",
        "--provenance=false",
        "--sbom=false",
        *options,
        f"--output={output},oci-mediatypes=true,rewrite-timestamp=true",
        ".",
    )


def run_command(
    image: str, *, name: str, port: int, platform: str, environment: Mapping[str, str]
) -> tuple[str, ...]:
    """Start an image as restricted as in production, published at any free port."""
    return (
        DOCKER,
        "run",
        "--detach",
        f"--name={name}",
        f"--platform={platform}",
        "--pull=never",
        "--read-only",
        "--tmpfs=/tmp",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        f"--publish=127.0.0.1::{port}",
        *(f"--env={key}={value}" for key, value in environment.items()),
        image,
    )
