"""Known vulnerabilities of an image, and which of them refuse a release."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from trunkline import process
from trunkline.errors import FailedError, Refusal, UsageError
from trunkline.images.layout import BuiltImage
from trunkline.images.tags import commit_tag
from trunkline.output import say
from trunkline.process import ProcessError
from trunkline.registry.reference import ImageName
from trunkline.settings import Settings

# Seconds for its database, which it downloads itself, and for one image.
TIMEOUT = 900
# Names the scanner, if it is not on PATH as `grype`.
VARIABLE = "GRYPE"
TABLE = "[tool.trunkline.scan]"
SERIOUS = "Critical"


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """A known vulnerability of a package, and the versions without it."""

    id: str
    severity: str
    package: str
    version: str
    fixed: tuple[str, ...]

    def __str__(self) -> str:
        fixed = " or ".join(self.fixed) or "no version yet"
        return f"{self.id} in {self.package} {self.version}, fixed in {fixed}"


def scan_commit(
    settings: Settings, environ: Mapping[str, str], commit: str, *, strict: bool
) -> None:
    """Judge a commit's image as CI will judge that of the version it is to become.

    The two differ by a number. With `strict`, a commit without an image is refused, and
    so is any without a scanner; else only what a scanner here can find refuses.
    """
    if not strict and not shutil.which(environ.get(VARIABLE) or "grype"):
        return
    # What asks a registry takes longer to import than a hook without a scanner.
    from trunkline.registry.client import Registry  # noqa: PLC0415
    from trunkline.registry.transport import ONCE  # noqa: PLC0415

    tag, policy = commit_tag(commit), None if strict else ONCE
    try:
        with Registry(settings, environ, retry_policy=policy) as registry:
            digest = registry.digest(tag)
        if digest is None:
            raise Refusal(
                rule="image",
                found=f"no {registry.name.at(tag)}",
                expected="the image that *Branch Image* has built, tested and scanned",
                fix=f"gh run list --workflow branch.yml --commit {commit}  "
                "(then the same command once it is green)",
            )
    except (Refusal, FailedError) as error:
        if strict:
            raise
        say(f"  scan     not scanned: {getattr(error, 'found', error)}")
        return
    scan_stored(registry.name, digest, settings, strict=strict)


def scan_stored(
    name: ImageName, digest: str, settings: Settings, *, strict: bool
) -> None:
    """Scan the image of a branch before it becomes that of a version."""
    target = f"registry:{name.at(digest)}"
    for platform in settings.platforms:
        scan_image(target, platform, settings, strict=strict, release=True)


def scan_built(
    images: Iterable[BuiltImage], settings: Settings, *, strict: bool, release: bool
) -> None:
    """Scan images that were built, before anything of them is pushed."""
    for image in images:
        target, platform = f"oci-dir:{image.root}", image.platform_name
        scan_image(target, platform, settings, strict=strict, release=release)


def scan_image(
    target: str, platform: str, settings: Settings, *, strict: bool, release: bool
) -> None:
    """Report what is known of an image, in grype's words `oci-dir:…` or `registry:…`.

    A release is refused for a critical vulnerability that a newer package fixes, unless
    it is accepted until a date. With `strict`, so is an image that was not scanned.
    """
    accepted = accepted_today(settings.scan, datetime.now(UTC).date())
    program = os.environ.get(VARIABLE) or "grype"
    options = ("--quiet", "--only-fixed", "--output=json", f"--platform={platform}")
    try:
        done = process.run([program, target, *options], timeout=TIMEOUT, check=True)
        found = list(parse_report(done.stdout))
    except (ProcessError, ValueError, LookupError, TypeError) as error:
        if strict:
            raise Refusal(
                rule="scan",
                found=f"an image that was not scanned: {error}",
                expected=f"grype on PATH, or its path in {VARIABLE}",
                fix="uv run trunkline publish  (without --strict, which CI adds)",
            ) from error
        say(f"  scan     not scanned: {error}")
        return
    serious = [it for it in found if it.severity == SERIOUS and it.id not in accepted]
    say(f"  scan     {platform}: {len(found)} fixable, {len(serious)} of them critical")
    for one in serious:
        say(f"           {one}")
    if serious and release:
        raise _vulnerable(serious)


def parse_report(report: bytes) -> Iterator[Vulnerability]:
    """Yield what a report of grype lists; raises ValueError or LookupError."""
    for match in json.loads(report)["matches"]:
        found, package = match["vulnerability"], match["artifact"]
        yield Vulnerability(
            id=found["id"],
            severity=found["severity"],
            package=package["name"],
            version=package["version"],
            fixed=tuple(found["fix"]["versions"]),
        )


def accepted_today(table: Mapping[str, Any], today: date) -> set[str]:
    """Return what the team accepts, each with a reason and until a date."""
    found = set()
    for name, entry in table.items():
        given = entry if isinstance(entry, dict) else {}
        until, reason = given.get("until"), given.get("reason")
        if type(until) is not date or not isinstance(reason, str) or not reason:
            raise UsageError(
                f"{TABLE} {name} is {entry!r}; expected a date and a reason, such as\n"
                f'  {name} = {{ until = {today}, reason = "no such input here" }}'
            )
        if today <= until:
            found.add(name)
        else:
            say(f"  scan     {TABLE} {name} expired on {until}")
    return found


def _vulnerable(found: Iterable[Vulnerability]) -> Refusal:
    return Refusal(
        rule="vulnerable",
        found="; ".join(map(str, found)),
        expected="no critical vulnerability that a newer package fixes, or an entry "
        f"with a date and a reason in {TABLE}",
        fix="uv lock --upgrade && git commit -am 'build: upgrade'  "
        "(or pin a newer base image in Dockerfile; then release the next version)",
    )
