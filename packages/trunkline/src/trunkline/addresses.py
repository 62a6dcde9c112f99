"""Addresses of repositories in the one form that git, uv and copier can read. Pure.

Credentials are never part of it: it is committed.
"""

import os
import re
from pathlib import Path

_SHORT = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
_SCP = re.compile(r"(?P<user>[\w.-]+@)?(?P<host>[\w.-]{2,}):/?(?P<path>[^/].*)")
_URL = re.compile(
    r"(?P<scheme>[\w+.-]+)://(?:(?P<user>[^/@:]*)(?::[^/@]*)?@)?"
    r"(?P<host>[^/@]*)(?P<path>/.*)?"
)
# What copier takes for a git repository without `git+` in front.
_HOSTS = ("https://github.com/", "https://gitlab.com/")


def canonical_url(source: str) -> str:
    """Turn an address as it was typed into a URL; a path becomes a `file://` URL."""
    source = source.strip().removeprefix("git+")
    for short, url in _SHORT.items():
        if source.startswith(short):
            source = url + source.removeprefix(short)
    if match := _URL.fullmatch(source):
        scheme = match["scheme"].lower()
        keeps_user = scheme == "ssh" and match["user"]
        user = f"{match['user']}@" if keeps_user else ""
        path = (match["path"] or "").rstrip("/")
        url = f"{scheme}://{user}{match['host'].lower()}{path}"
    elif match := _SCP.fullmatch(source):
        url = f"ssh://{match['user'] or ''}{match['host'].lower()}/{match['path']}"
    else:
        return Path(os.path.abspath(Path(source).expanduser())).as_uri()
    is_known_host = url.startswith(_HOSTS)
    return f"{url}.git" if is_known_host and not url.endswith(".git") else url


def recorded(url: str) -> str:
    """Spell a canonical URL so that copier takes it for a git repository."""
    return url if url.startswith(_HOSTS) or url.endswith(".git") else f"git+{url}"


def is_relative(source: str) -> bool:
    """Whether an address means something else in another folder."""
    if _URL.fullmatch(source) or _SCP.fullmatch(source):
        return False
    return not source.startswith(("/", "~", *_SHORT))
