"""The migration of a feature's table: where it goes, and what it was made as."""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trunkline.errors import Refusal
from trunkline.feature.names import Noun
from trunkline.feature.service import Place
from trunkline.feature.templates import render_migration, tidy

STAMP = "%Y_%m_%d_%H%M%S"
STAMPED = len("2026_11_21_120000")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file in the folder of migrations."""

    path: Path
    revision: str
    parents: tuple[str, ...]
    date: str


def migrations(folder: Path) -> list[Migration]:
    """Read all migrations, in the order of their names."""
    return [read(path) for path in sorted(folder.glob("[0-9]*.py"))]


def read(path: Path) -> Migration:
    """Read a migration without running it."""
    text = path.read_text("utf-8")

    def value(pattern: str) -> str:
        found = re.search(pattern, text, flags=re.MULTILINE)
        return found[1] if found else ""

    parents = re.findall(r"\w{2,}", value(r"^down_revision\b[^=]*= *(.*)$"))
    return Migration(
        path,
        value(r"^revision\b[^=]*= *\W(\w+)"),
        tuple(each for each in parents if each != "None"),
        value(r"^Create Date: (.*)$"),
    )


def heads(folder: Path) -> list[Migration]:
    """Return the migrations that no other follows."""
    known = migrations(folder)
    followed = {parent for each in known for parent in each.parents}
    return [each for each in known if each.revision not in followed]


def named_after(known: list[Migration], name: str) -> str:
    """Return a file's name, or one with a later time: they run in order of names."""
    last = known[-1].path.name[:STAMPED] if known else ""
    if last < name[:STAMPED]:
        return name
    later = datetime.strptime(last, STAMP) + timedelta(seconds=1)
    return later.strftime(STAMP) + name[STAMPED:]


def of_feature(place: Place, of: Noun) -> Path | None:
    """Find the migration that makes a feature's table."""
    return next(iter(place.versions.glob(f"[0-9]*_store_{of.plural}.py")), None)


def as_made(place: Place, of: Noun) -> dict[str, str]:
    """Return a feature's migration by its path, as the command makes it.

    If its file is there, it has that one's revisions and date.
    """
    if path := of_feature(place, of):
        old = read(path)
        revision, down, date = old.revision, old.parents, old.date
    else:
        newest = heads(place.versions)
        if len(newest) > 1:
            raise Refusal(
                rule="one-head",
                found=f"{' and '.join(each.path.name for each in newest)}",
                expected="one newest migration, which the new one follows",
                fix=f"git log --oneline -- {place.versions}  "
                "(and set down_revision of one of them to the other's revision)",
            )
        now = datetime.now(UTC).replace(tzinfo=None)
        revision, date = secrets.token_hex(6), str(now)
        down = tuple(each.revision for each in newest)
        name = f"{now.strftime(STAMP)}_store_{of.plural}.py"
        path = place.versions / named_after(migrations(place.versions), name)
    text = render_migration(of, revision=revision, down=down, date=date)
    return tidy(place.root, {str(path.relative_to(place.root)): text})
