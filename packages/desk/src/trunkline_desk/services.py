"""`desk.toml`: the services of the desk, and how people sign in."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError
from trunkline.deploy.environments import find_environment
from trunkline.errors import UsageError
from trunkline.settings import read_settings

DATABASE = "DESK_DATABASE_URL"
# The desk's own paths; a service's page is at its name.
RESERVED = {"api", "sign-in", "sign-out", "static", "stream"}


@dataclass(frozen=True, slots=True)
class Place:
    """An environment of a service, whose clone is `folder`."""

    service: str
    environment: str
    folder: Path
    url: str
    accepts_any: bool

    @property
    def name(self) -> str:
        """The key in the store: SERVICE/ENVIRONMENT."""
        return f"{self.service}/{self.environment}"


class Hook(BaseModel):
    """What is told of events."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Of GitHub, that of the repository in its API.
    url: str
    kind: Literal["generic", "slack", "github"] = "generic"
    # The variable with the key of signatures, or with GitHub's token.
    secret: str = ""
    # The service whose events it is told of, if not those of all.
    service: str = ""


class Desk(BaseModel):
    """The settings in `desk.toml`; the defaults suit a laptop."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # The folder of each service's clone, by name.
    services: dict[str, str]
    # DESK_DATABASE_URL, which may hold a password, takes precedence.
    database: str = "sqlite:///desk.db"
    # The page's address; cookies and links are for this address only.
    url: str = "http://127.0.0.1:8300"
    # A header that names the person, believed from these addresses only, as is what
    # X-Forwarded-For says of the visitor's.
    person_header: str = ""
    proxies: list[str] = []
    # The role of a person who is not in the store.
    default_role: Literal["viewer", "deployer", "releaser"] = "viewer"
    # Without sign-in: whoever can open the page is this machine's user.
    laptop: bool = False
    oidc: dict[str, str] = {}
    hooks: list[Hook] = []
    # The file that this was read from.
    file: Path = Path("desk.toml")

    @property
    def host(self) -> str:
        """The browsers' `Host` header."""
        return urlsplit(self.url).netloc

    @property
    def secure(self) -> bool:
        """Whether people use HTTPS."""
        return self.url.startswith("https://")

    def cookie(self, name: str) -> str:
        """Return a cookie's name; browsers accept the prefix over HTTPS only."""
        return f"__Host-{name}" if self.secure else name

    def places(self) -> list[Place]:
        """Read the environments of each service; raises UsageError without any."""
        found = [
            place
            for name, folder in self.services.items()
            for place in _of(name, folder)
        ]
        if not found:
            raise UsageError(
                f"{', '.join(self.services.values())}: no environment to show\n  type "
                "next: write [tool.trunkline.environments.staging] with its url into "
                "pyproject.toml"
            )
        return found


def read_desk(file: Path) -> Desk:
    """Read the file; raises UsageError on an unknown key or without a service."""
    named = os.environ.get(DATABASE)
    given = {"file": file} | ({"database": named} if named else {})
    try:
        found = Desk(**tomllib.loads(file.read_text("utf-8")) | given)
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise UsageError(
            f"{file}: {error}\n  type next: write [services] with NAME = FOLDER into it"
        ) from error
    _named(file, found.services)
    if found.laptop and urlsplit(found.url).hostname not in {"127.0.0.1", "localhost"}:
        raise UsageError(
            f"{file}: laptop = true lets anybody in; expected it on 127.0.0.1"
        )
    return found


def usable(name: str) -> str:
    """Derive a valid service name from another, such as a folder's.

    It has the characters a-z, 0-9 and - only, and is not a path of the desk itself.
    """
    plain = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"{plain}-service".lstrip("-") if plain in RESERVED | {""} else plain


def _named(file: Path, services: Mapping[str, str]) -> None:
    """Refuse names that cannot be a path, and a clone that is listed twice."""
    known: dict[Path, str] = {}
    for name, folder in services.items():
        if name in RESERVED or not re.fullmatch("[a-z0-9-]+", name):
            expected = "another name" if name in RESERVED else "only a-z, 0-9 and -"
            raise UsageError(
                f"{file}: the page of the service {name!r} could not be opened; "
                f"expected {expected}\n  type next: name it "
                f"{usable(name)} in [services]"
            )
        # Each would have its own reservations.
        if (first := known.setdefault(Path(folder).resolve(), name)) != name:
            raise UsageError(
                f"{file}: {name} is the clone of {first}; expected one name for it\n"
                f"  type next: remove {name} from [services]"
            )


def _of(name: str, folder: str) -> list[Place]:
    tables = read_settings(Path(folder) / "pyproject.toml").environments
    found = [find_environment(tables, one) for one in tables]
    return [
        Place(
            service=name,
            environment=one.name,
            folder=Path(folder),
            url=one.url,
            accepts_any=one.accepts == "any",
        )
        for one in found
    ]
