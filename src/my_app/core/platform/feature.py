"""What a feature hands to the application."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from fastapi import APIRouter, FastAPI


class NotReadyError(Exception):
    """What a check found, in words that anybody who can ask /readyz may read."""


class Check(Protocol):
    """Returns when the thing that it asks is usable; raises otherwise.

    Its name is what /readyz calls it; what it returns is what /readyz says of it, "ok"
    for None. Of an error only the kind is told, unless it is a `NotReadyError` or a
    `DomainError`, whose messages are for callers.
    """

    __name__: str

    def __call__(self, app: FastAPI, /) -> Awaitable[str | None]:
        """Ask."""


# Opens on entering what the feature needs, and closes it on leaving.
type Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature: its routes, what it opens and how to ask whether that works."""

    name: str
    router: APIRouter
    lifespan: Lifespan | None = None
    checks: tuple[Check, ...] = ()
