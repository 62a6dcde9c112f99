"""Find registry credentials: in the environment, or in Docker's configuration."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trunkline import process
from trunkline.errors import FailedError, UsageError

USER, PASSWORD = "TRUNKLINE_REGISTRY_USER", "TRUNKLINE_REGISTRY_PASSWORD"
# The key under which Docker stores the account of its own registry.
_HUB = "https://index.docker.io/v1/"
HUB_HOSTS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
# A helper returns this name together with an identity token instead of a password.
_TOKEN_USER = "<token>"  # noqa: S105 - the name, not a token
# Every helper prints this, and exits with 1, if it has no credentials.
_UNKNOWN = "credentials not found"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user with a password, or an identity token; neither is ever printed."""

    user: str = field(repr=False)
    password: str = field(repr=False)
    # Where they were found, for messages.
    source: str
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The header `Authorization` of the scheme Basic."""
        pair = f"{self.user}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


def find_credentials(
    registry: str, environ: Mapping[str, str], *, home: Path | None = None
) -> Credentials | None:
    """Find the credentials for a registry; None for anonymous access.

    The environment comes first, then what `docker login` stored: in the helper of that
    registry, in the default helper, or in the file itself.
    """
    if USER in environ or PASSWORD in environ:
        user, password = environ.get(USER, ""), environ.get(PASSWORD, "")
        if user and password:
            return Credentials(user, password, USER)
        missing = PASSWORD if user else USER
        raise UsageError(f"{missing} is empty; expected both {USER} and {PASSWORD}")
    folder = environ.get("DOCKER_CONFIG") or (home or Path.home()) / ".docker"
    file = Path(folder) / "config.json"
    if not file.is_file():
        return None
    config = _read(file)
    helper = _of_registry(config.get("credHelpers", {}), registry)
    if helper := helper or config.get("credsStore"):
        found = _ask(str(helper), registry, environ)
        if found:
            return found
    return _from_file(config.get("auths", {}), registry, file)


def _read(file: Path) -> dict[str, Any]:
    try:
        config = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        # The text itself may contain a password, so only the position is shown.
        line = getattr(error, "lineno", 1)
        raise UsageError(f"{file} cannot be read: expected JSON, line {line}") from None
    return config if isinstance(config, dict) else {}


def _ask(helper: str, registry: str, environ: Mapping[str, str]) -> Credentials | None:
    """Ask a credential helper, by its protocol on standard input and output."""
    program = f"docker-credential-{helper}"
    name = _HUB if registry in HUB_HOSTS else registry
    answer = process.run([program, "get"], stdin=name.encode(), env=environ)
    if answer.ok:
        return _from_helper(answer.stdout, program)
    if _UNKNOWN in answer.text:
        return None
    raise FailedError(
        f"`{program} get` failed for {registry}: exit code {answer.code}\n"
        f"  type next: echo {name} | {program} get"
    )


def _from_helper(answer: bytes, program: str) -> Credentials:
    try:
        found = json.loads(answer)
        user, secret = str(found["Username"]), str(found["Secret"])
    except (ValueError, KeyError, TypeError):
        raise FailedError(
            f"`{program} get` printed no JSON with Username and Secret"
        ) from None
    if user == _TOKEN_USER:
        return Credentials("", "", program, identity_token=secret)
    return Credentials(user, secret, program)


def _from_file(
    auths: Mapping[str, Any], registry: str, file: Path
) -> Credentials | None:
    entry = _of_registry(auths, registry)
    if not entry:
        return None
    if token := entry.get("identitytoken"):
        return Credentials("", "", str(file), identity_token=str(token))
    if "username" in entry:
        return Credentials(
            str(entry["username"]), str(entry.get("password", "")), str(file)
        )
    try:
        pair = base64.b64decode(str(entry.get("auth", "")), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        pair = ""
    user, colon, password = pair.partition(":")
    if not colon:
        raise UsageError(
            f"{file} contains no readable account for {registry}\n"
            f"  type next: docker login {registry}"
        )
    return Credentials(user, password.rstrip("\0"), str(file))


def _of_registry(table: Mapping[str, Any], registry: str) -> Any:  # noqa: ANN401 - JSON
    """Return a registry's entry; its key may be an address, such as https://host/v2/."""
    found = {re.sub(r"^https?://|/.*$", "", key): table[key] for key in table}
    hosts = HUB_HOSTS if registry in HUB_HOSTS else {registry}
    return next((found[host] for host in hosts if found.get(host)), None)
