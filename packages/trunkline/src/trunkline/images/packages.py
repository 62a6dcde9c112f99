"""The packages in an image, read from its layers, not from the lock file."""

import email.parser
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

DPKG = "var/lib/dpkg/status"
# `/etc/os-release` is a link to it.
OS_RELEASE = "usr/lib/os-release"
WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One package; `kind` is a type of package URLs, such as pypi.

    A Debian package's `qualifiers` are what scanners match by: its distribution, its
    architecture, and its source, which advisories name.
    """

    kind: str
    name: str
    version: str
    license: str = ""
    qualifiers: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        """Return the package URL, by which scanners look it up."""
        qualifiers = dict(self.qualifiers)
        vendor = qualifiers.get("distro", "debian").partition("-")[0]
        place = f"{vendor}/" if self.kind == "deb" else ""
        name, version = (quote(text, safe=":~") for text in (self.name, self.version))
        more = "&".join(f"{k}={quote(v, safe=':~')}" for k, v in self.qualifiers if v)
        return f"pkg:{self.kind}/{place}{name}@{version}{'?' if more else ''}{more}"


def installed_packages(layers: Iterable[Path]) -> list[Package]:
    """Read Python's and Debian's own records; later layers replace earlier ones."""
    records: dict[str, bytes] = {}
    for layer in layers:
        _apply(layer, records)
    release = dict(
        line.replace('"', "").split("=", 1)
        for line in records.pop(OS_RELEASE, b"").decode("utf-8", "replace").splitlines()
        if "=" in line
    )
    distro = "-".join(filter(None, map(release.get, ("ID", "VERSION_ID"))))
    found = (_parse(name, text, distro) for name, text in records.items())
    return sorted({package for packages in found for package in packages})


def _apply(layer: Path, records: dict[str, bytes]) -> None:
    gone: list[str] = []
    found: dict[str, bytes] = {}
    with tarfile.open(layer) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            name = str(path).removeprefix("/")
            if path.name == OPAQUE:
                gone.append(str(PurePosixPath(name).parent) + "/")
            elif path.name.startswith(WHITEOUT):
                gone.append(str(path.with_name(path.name[len(WHITEOUT) :])))
            elif member.isfile() and (
                name == OS_RELEASE
                or _is_dpkg(name)
                or name.endswith(".dist-info/METADATA")
            ):
                file = tar.extractfile(member)
                found[name] = file.read() if file else b""
    for name in [name for name in records if any(_under(name, top) for top in gone)]:
        del records[name]
    records.update(found)


def _under(name: str, top: str) -> bool:
    return name == top or name.startswith(top.rstrip("/") + "/")


def _is_dpkg(name: str) -> bool:
    """Whether it describes Debian packages; images without dpkg have one file each."""
    return name == DPKG or (name.startswith(f"{DPKG}.d/") and ".md5sums" not in name)


def _parse(name: str, content: bytes, distro: str) -> Iterator[Package]:
    text = content.decode("utf-8", "replace")
    if not _is_dpkg(name):
        fields = email.parser.HeaderParser().parsestr(text)
        licence = fields["License-Expression"] or ""
        package = re.sub(r"[-_.]+", "-", fields["Name"] or "").lower()
        yield Package("pypi", package, fields["Version"] or "", licence)
        return
    for paragraph in text.split("\n\n"):
        fields = email.parser.HeaderParser().parsestr(paragraph)
        installed = "installed" in (fields["Status"] or "installed").split()
        if fields["Package"] and installed:
            # "gcc-12 (12.2.0-14)", if its version is not the package's.
            source = re.sub(r" \((.+)\)$", r"@\1", fields["Source"] or "")
            machine, version = fields["Architecture"] or "", fields["Version"] or ""
            rest = (("arch", machine), ("distro", distro), ("upstream", source))
            yield Package("deb", fields["Package"], version, qualifiers=rest)
