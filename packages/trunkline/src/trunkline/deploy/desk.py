"""The same commands through a desk, which decides and whose runner executes them."""

import json as json_
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3

from trunkline.commits.conventional import shown
from trunkline.errors import FailedError, Refusal, UsageError
from trunkline.options import option
from trunkline.output import aligned, say, shown_time
from trunkline.registry.transport import is_loopback

DESK_HELP = "ask the desk whose page of this service is URL (token: $DESK_TOKEN)"
DESK = option("--desk", metavar="URL", default="", help=DESK_HELP)
# Seconds that a desk may be unreachable while it executes a request.
_PATIENCE = 300.0
_LOOK_SECONDS = 0.5
_ENDED = frozenset({"done", "failed", "refused", "replaced"})


@dataclass(frozen=True, slots=True)
class DeskOf:
    """A desk's JSON API about the environments of one service."""

    api: str
    token: str

    def ask(self, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Return the desk's answer; raises Refusal with its reason against."""
        try:
            answer = urllib3.request(
                "GET" if body is None else "POST",
                f"{self.api}/{path}",
                json=body,
                headers={"Authorization": f"Bearer {self.token}"},
                redirect=False,
                retries=False,
                timeout=30,
            )
        except urllib3.exceptions.HTTPError as error:
            raise FailedError(f"{self.api} does not answer: {error}") from error
        try:
            document = answer.json()
        except ValueError as error:
            raise FailedError(
                f"{self.api} answers {answer.status} without JSON; is it a desk?"
            ) from error
        if answer.status < 300:  # noqa: PLR2004 - the first that is no success
            return document
        raise Refusal(
            rule="desk",
            found=shown(str(document.get("detail", answer.status))),
            expected="what the desk lets this token do now",
            fix=f"open {self.api.replace('/api/', '/', 1)}",
        )

    def act(self, environment: str, **wish: object) -> dict[str, Any]:
        """Send a request, and print the decision."""
        found: dict[str, Any] = self.ask(environment, wish)
        say(shown(found["said"]))
        return found

    def carry_out(self, environment: str, *, yes: bool, **wish: object) -> int:
        """Request a deploy or rollback, and wait for its end."""
        typed = environment if yes else ""
        return self.wait(environment, self.act(environment, **wish, typed=typed)["key"])

    def wait(self, environment: str, key: str) -> int:
        """Wait until a request has ended, also while the desk restarts."""
        answered = time.monotonic()
        while True:
            try:
                found = self.ask(f"{environment}/requests/{key}")
                answered = time.monotonic()
            except FailedError:
                if time.monotonic() - answered > _PATIENCE:
                    raise
                found = {"state": "unknown"}
            if found["state"] in _ENDED:
                break
            time.sleep(_LOOK_SECONDS)
        if found["state"] == "done":
            return 0
        lines = [shown(line) for line in found["said"].splitlines()]
        raise FailedError("\n".join([f"the desk says: {found['state']}", *lines]))


def open_desk(address: str) -> DeskOf:
    """Return the desk at the address of a service's page; raises UsageError."""
    parts = urlsplit(address)
    service = parts.path.strip("/")
    if parts.scheme not in {"http", "https"} or not service or "/" in service:
        raise UsageError(
            f"--desk {address!r} is not the page of a service\n"
            "  type next: the same command with --desk https://HOST/SERVICE"
        )
    if parts.scheme == "http" and not is_loopback(parts.netloc):
        raise UsageError(
            f"--desk {address} would send the token unencrypted\n"
            f"  type next: the same command with --desk https://{parts.netloc}/{service}"
        )
    if not (token := os.environ.get("DESK_TOKEN")):
        raise UsageError(
            "DESK_TOKEN is not set, so the desk cannot know who asks\n"
            "  type next, where the desk runs: trunkline-desk token add NAME"
        )
    return DeskOf(f"{parts.scheme}://{parts.netloc}/api/{service}", token)


def show_status(desk: DeskOf, environment: str, *, json: bool) -> int:
    """Print what is serving, as the desk last saw it; exit code 1 if not healthy."""
    found = desk.ask(environment)
    if json:
        print(json_.dumps(found))
    else:
        name = f"{found['ref']} {found['commit'][:12]} " if found["commit"] else ""
        print(shown(f"{name}{found['health']}"))
        if held := found["reservation"]:
            who, end = held["holder"] or "frozen", shown_time(held["until"])
            print(shown(f"{who} until {end}: {held['why']}"))
    return 0 if found["health"] == "serving" else 1


def show_history(desk: DeskOf, environment: str, *, json: bool) -> int:
    """Print the requests of people, newest first."""
    found = desk.ask(f"{environment}/history")
    if json:
        print(json_.dumps(found))
        return 0
    rows = [
        (
            shown_time(one["at"]),
            *(shown(one[key] or "") for key in ("person", "text", "state", "why")),
        )
        for one in found
    ]
    if rows:
        print("\n".join(aligned(rows)))
    return 0
