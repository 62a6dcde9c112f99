"""What can be deployed to an environment, and what it would change."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from trunkline.commits.conventional import shown
from trunkline.deploy.candidates import find_branches, find_image, image_tag
from trunkline.deploy.deployment import Deployment
from trunkline.deploy.environments import Environment, find_environment
from trunkline.deploy.operation import successes
from trunkline.errors import Refusal
from trunkline.git import TAGS, Repository, lines
from trunkline.images.tags import commit_tag
from trunkline.registry.client import Registry
from trunkline.settings import Settings
from trunkline.versions import Version

_FIELDS = ("objectname", "committerdate:unix", "authorname", "contents:subject")
# Of the ref itself, and of the commit that an annotated tag points to.
_FORMAT = "%00".join(f"%({of}{one})" for of in ("", "*") for one in _FIELDS)
_FLAG = re.compile(r"^([+-])\s+(enable_\w+)\s*:", re.IGNORECASE | re.MULTILINE)
# Only the newest are compared with the live commit, at about 50 ms of git each.
COMPARED = 50
LISTED = 100


@dataclass(frozen=True, slots=True)
class Listed:
    """A branch or release, compared with the live commit."""

    ref: str
    # The tag of its image, which a deploy from a terminal may name.
    tag: str
    commit: str
    at: int
    author: str
    subject: str
    version: bool
    # The environment that it has to be deployed to first, or empty.
    first: str
    # The live commit that the fields below compare with; empty if unknown.
    compared: str = ""
    commits_in: list[str] = field(default_factory=list)
    commits_out: list[str] = field(default_factory=list)
    # The full counts; the lists above hold at most LISTED, the newest.
    count_in: int = 0
    count_out: int = 0
    migrations: list[str] = field(default_factory=list)
    migrations_out: list[str] = field(default_factory=list)
    # Flags that it adds to, and removes from, those of the live commit.
    new_flags: list[str] = field(default_factory=list)
    lost_flags: list[str] = field(default_factory=list)


def list_candidates(place: Deployment) -> list[Listed]:
    """List all branches and the newest release, or, for `releases`, all releases."""
    serving = place.deployer().live()
    live = serving.commit if serving else ""
    refs = _read_refs(place.repository, place.settings.remote)
    versions = {
        name: found for name, row in refs.items() if (found := _version(row[0]))
    }
    newest = max(versions, key=versions.__getitem__, default="")
    releases = place.environment.accepts == "releases"
    wanted = {
        name: row
        for name, row in refs.items()
        # The newest release can be tried where branches are deployed.
        if (name in versions) == releases or name == newest
    }
    if place.images:
        with place.registry() as registry:
            wanted = built(place.repository, registry, place.environment, wanted)
    rows = sorted(wanted.items(), key=lambda one: -int(one[1][2]))
    first, done = _first(place)
    known = live and place.repository.run("cat-file", "-e", f"{live}^{{commit}}").ok
    return [
        _listed(
            place,
            name,
            row,
            live if known and number < COMPARED else "",
            first="" if row[1] in done else first,
        )
        for number, (name, row) in enumerate(rows)
    ]


def built(
    repository: Repository,
    registry: Registry,
    environment: Environment,
    rows: Mapping[str, tuple[str, ...]],
) -> dict[str, tuple[str, ...]]:
    """Keep the rows that have an image, with the commit that this would deploy.

    A branch's tag points to an older image until the one of its head is built.
    """
    images = set(registry.tags())
    found: dict[str, tuple[str, ...]] = {}
    for name, (ref, commit, *row) in rows.items():
        if _tag(name) not in images:
            continue
        if _version(ref) or commit_tag(commit) in images:
            found[name] = (ref, commit, *row)
            continue
        with suppress(Refusal):  # An image without its commit's label.
            older = find_image(registry, repository, environment, name).commit
            if repository.find_commit(older):
                found[name] = (ref, older, *_described(repository, older))
    return found


def _described(repository: Repository, commit: str) -> list[str]:
    """Return the time, author and subject of a commit."""
    text = repository.read("log", "-1", "--format=%ct%x00%an%x00%s", commit)
    return text.strip().split("\0")


def _first(place: Deployment) -> tuple[str, set[str]]:
    """Return the environment that releases have to pass first, and those that did.

    To pass is to survive the window of any environment that also accepts branches.
    """
    places, root = place.settings.environments, place.repository.root
    others = [one for one in places if find_environment(places, one).accepts == "any"]
    if place.environment.accepts == "any" or not others:
        return "", set()
    return others[0], {
        done.candidate.commit
        for other in others
        for done in successes(Deployment(other, folder=root).journal.operations())
    }


def _read_refs(repository: Repository, remote: str) -> dict[str, tuple[str, ...]]:
    """Map each short name to its ref, commit, time, author and subject."""
    names = {ref: name for name, ref in find_branches(repository, remote).items()}
    found: dict[str, tuple[str, ...]] = {}
    text = repository.read("for-each-ref", f"--format=%(refname)%00{_FORMAT}")
    for ref, *row in (line.split("\0") for line in lines(text)):
        name = ref.removeprefix(TAGS) if _version(ref) else names.get(ref)
        if name is not None:
            own, tagged = row[: len(_FIELDS)], row[len(_FIELDS) :]
            found[name] = (ref, *(tagged if tagged[0] else own))
    return found


def _listed(
    place: Deployment, name: str, row: tuple[str, ...], live: str, *, first: str
) -> Listed:
    ref, commit, at, author, subject = row
    return Listed(
        ref=name,
        tag=_tag(name),
        commit=commit,
        at=int(at),
        author=shown(author),
        subject=shown(subject),
        version=bool(_version(ref)),
        first=first,
        **(compare(place, commit, live) if live else {}),
    )


def compare(place: Deployment, commit: str, live: str) -> dict[str, Any]:
    """Compare a commit with the live one; returns fields of Listed."""
    repository, settings = place.repository, place.settings
    comes, goes = (live, commit), (commit, live)
    counting = ("rev-list", "--left-right", "--count", f"{live}...{commit}")
    count_out, count_in = map(int, repository.read(*counting).split())
    return {
        "compared": live,
        "commits_in": _subjects(repository, *comes),
        "commits_out": _subjects(repository, *goes),
        "count_in": count_in,
        "count_out": count_out,
        "migrations": _migrations(repository, settings, *comes),
        "migrations_out": _migrations(repository, settings, *goes),
        **_flags(repository, settings, *comes),
    }


def _subjects(repository: Repository, before: str, after: str) -> list[str]:
    text = repository.read("log", "--format=%s", f"-{LISTED}", f"{before}..{after}")
    return [shown(line) for line in lines(text)]


def _migrations(
    repository: Repository, settings: Settings, before: str, after: str
) -> list[str]:
    if not settings.migrations:
        return []
    text = repository.read(
        *("diff", "--name-only", "--no-renames", "--diff-filter=A", before, after),
        *("--", f"{settings.migrations}/*.py"),
    )
    return [shown(PurePosixPath(line).stem) for line in lines(text)]


def _flags(
    repository: Repository, settings: Settings, before: str, after: str
) -> dict[str, list[str]]:
    if not settings.flags:
        return {"new_flags": [], "lost_flags": []}
    file = "src/" + settings.flags.partition(":")[0].replace(".", "/") + ".py"
    text = repository.read("diff", "--unified=0", before, after, "--", file)
    signs: dict[str, str] = {}
    for sign, name in _FLAG.findall(text):
        # A changed declaration has both signs.
        signs[name.upper()] = signs.get(name.upper(), "") + sign
    new, lost = ([n for n, found in signs.items() if found == sign] for sign in "+-")
    return {"new_flags": new, "lost_flags": lost}


def _version(ref: str) -> Version | None:
    return Version.from_tag(ref.removeprefix(TAGS)) if ref.startswith(TAGS) else None


def _tag(name: str) -> str:
    version = Version.from_tag(name)
    return str(version) if version else image_tag(name)
