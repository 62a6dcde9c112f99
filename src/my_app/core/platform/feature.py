"""What a feature provides to the application."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from fastapi import APIRouter, FastAPI

from ...config import Settings


class NotReadyError(Exception):
    """A failed check. Its message is public: /readyz shows it to every caller."""


class Check(Protocol):
    """A readiness check: returns if its subject is usable, raises otherwise.

    /readyz shows its name and its return value, "ok" for None. Of an exception it shows
    only the type, except for `NotReadyError` and `DomainError`, whose messages are
    meant for callers.
    """

    __name__: str

    def __call__(self, app: FastAPI, /) -> Awaitable[str | None]:
        """Run the check."""


# Opens what the feature needs on entry and closes it on exit.
type Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature: its routes, its lifespan, its readiness checks and its settings.

    `settings` adds variables to those of the service. `commands` maps words to modules,
    imported only if such a word is typed as `my-app WORD …`:
    their `main` gets the words and returns the exit code. `exposed_headers` are those
    of its responses that pages of other origins may read.
    """

    name: str
    router: APIRouter
    lifespan: Lifespan | None = None
    checks: tuple[Check, ...] = ()
    settings: type[Settings] | None = None
    commands: Mapping[str, str] = field(default_factory=dict)
    exposed_headers: tuple[str, ...] = ()
