"""The labels of an image, which describe the commit it was built from. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from trunkline.addresses import canonical_url
from trunkline.gates.flags import Flag

_OCI = "org.opencontainers.image"
_OWN = "dev.trunkline"
REVISION, CREATED, BRANCH = f"{_OCI}.revision", f"{_OCI}.created", f"{_OWN}.branch"


@dataclass(frozen=True, slots=True)
class Source:
    """What an image says about its commit."""

    commit: str
    # The commit's time in UTC: the time of the build would differ between builds.
    created: str
    subject: str
    author: str
    branch: str
    version: str
    title: str
    url: str
    flags: str
    migrations: str
    # The images that it is built on, if they are named by digest.
    bases: tuple[str, ...] = ()


def labels(source: Source) -> dict[str, str]:
    """Return the labels of an image; also the annotations of its index."""
    return {
        REVISION: source.commit,
        CREATED: source.created,
        f"{_OCI}.source": source.url,
        f"{_OCI}.version": source.version,
        f"{_OCI}.title": source.title,
        BRANCH: source.branch,
        f"{_OWN}.subject": source.subject,
        f"{_OWN}.author": source.author,
        f"{_OWN}.flags": source.flags,
        f"{_OWN}.migrations": source.migrations,
    }


def build_arguments(source: Source) -> dict[str, str]:
    """Return the arguments of the Dockerfile, for the service's environment."""
    same = ("version", "branch", "created", "subject", "author", "flags", "migrations")
    named = {name.upper(): str(getattr(source, name)) for name in same}
    return {"REVISION": source.commit, "SOURCE": source.url, **named}


def flags_label(flags: Iterable[Flag]) -> str:
    """Write the declared flags, without their values on this machine."""
    declared = {
        flag.name: {
            "default": flag.default,
            "description": flag.description,
            "owner": flag.owner,
            "expires": flag.expires.isoformat() if flag.expires else None,
        }
        for flag in flags
    }
    return json.dumps(declared, sort_keys=True, default=str)


def public_url(remote: str) -> str:
    """Turn a remote's address into the address of its page, without credentials.

    One repository is cloned from many addresses, and its label must be the same. Empty
    for a folder.
    """
    parts = urlsplit(canonical_url(remote))
    if parts.scheme == "file":
        return ""
    host = parts.hostname if parts.scheme == "ssh" else parts.netloc
    return f"https://{host}{parts.path.removesuffix('.git')}"


def home_branch(
    commit: str, *, trunk: str, on_trunk: bool, heads: Mapping[str, str], other: str
) -> str:
    """Choose the branch that a commit belongs to, whichever ref names it.

    A release pushes its branch and its tag at once, and both jobs build the commit:
    they must build the same image. `other` is for a commit that is no branch's tip.
    """
    if on_trunk:
        return trunk
    return min((name for name, tip in heads.items() if tip == commit), default=other)
