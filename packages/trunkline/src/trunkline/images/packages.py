"""The packages in an image, read from its layers, not from the lock file."""

import email.parser
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

DPKG = "var/lib/dpkg/status"
WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One package; `kind` is a type of package URLs, such as pypi."""

    kind: str
    name: str
    version: str
    license: str = ""

    @property
    def url(self) -> str:
        """Return the package URL, by which scanners look it up."""
        place = "debian/" if self.kind == "deb" else ""
        return f"pkg:{self.kind}/{place}{self.name}@{self.version.replace('+', '%2B')}"


def installed_packages(layers: Iterable[Path]) -> list[Package]:
    """Read Python's and Debian's own records; later layers replace earlier ones."""
    records: dict[str, bytes] = {}
    for layer in layers:
        _apply(layer, records)
    return sorted({package for item in records.items() for package in _parse(*item)})


def _apply(layer: Path, records: dict[str, bytes]) -> None:
    """Apply the changes of one layer to the records."""
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
            elif member.isfile() and _is_record(name):
                file = tar.extractfile(member)
                found[name] = file.read() if file else b""
    for name in [name for name in records if any(_under(name, top) for top in gone)]:
        del records[name]
    records.update(found)


def _under(name: str, top: str) -> bool:
    return name == top or name.startswith(top.rstrip("/") + "/")


def _is_record(name: str) -> bool:
    return name == DPKG or name.endswith(".dist-info/METADATA")


def _parse(name: str, content: bytes) -> Iterator[Package]:
    text = content.decode("utf-8", "replace")
    if name != DPKG:
        fields = email.parser.HeaderParser().parsestr(text)
        licence = fields["License-Expression"] or ""
        package = (fields["Name"] or "").lower().replace("_", "-").replace(".", "-")
        yield Package("pypi", package, fields["Version"] or "", licence)
        return
    for paragraph in text.split("\n\n"):
        fields = email.parser.HeaderParser().parsestr(paragraph)
        if fields["Package"] and "installed" in (fields["Status"] or "").split():
            yield Package("deb", fields["Package"], fields["Version"] or "")
