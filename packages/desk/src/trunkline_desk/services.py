"""`desk.toml`: the services of the desk, and how people sign in."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from trunkline.deploy.environments import find_environment
from trunkline.errors import UsageError
from trunkline.settings import read_settings

DATABASE = "DESK_DATABASE_URL"
# The desk's own paths; a service's page is at its name.
RESERVED = {"api", "sign-in", "sign-out", "static", "stream"}


def usable(name: str) -> str:
    """Derive a valid service name from another, such as a folder's.

    It has the characters a-z, 0-9 and - only, and is not a path of the desk itself.
    """
    plain = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"{plain}-service".lstrip("-") if plain in RESERVED | {""} else plain


def _named(name: str) -> str:
    if name != usable(name):
        raise ValueError(f"has no address; name it {usable(name)} in [services]")
    return name


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
    services: dict[Annotated[str, AfterValidator(_named)], str]
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
        found = []
        for service, folder in self.services.items():
            tables = read_settings(Path(folder) / "pyproject.toml").environments
            for one in (find_environment(tables, name) for name in tables):
                any_ = one.accepts == "any"
                found += [Place(service, one.name, Path(folder), one.url, any_)]
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
    except ValidationError as error:
        said = (f"{one['loc'][0]}: {one['msg']}" for one in error.errors())
        raise UsageError(f"{file}: {'; '.join(said)}") from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{file}: {error}\n  type next: write [services] with NAME = FOLDER into it"
        ) from error
    known: dict[Path, str] = {}
    for name, folder in found.services.items():
        # Each would have its own reservations.
        if (first := known.setdefault(Path(folder).resolve(), name)) != name:
            raise UsageError(
                f"{file}: {name} is the clone of {first}; expected one name for it\n"
                f"  type next: remove {name} from [services]"
            )
    if found.laptop and urlsplit(found.url).hostname not in {"127.0.0.1", "localhost"}:
        raise UsageError(
            f"{file}: laptop = true lets anybody in; expected it on 127.0.0.1"
        )
    return found
