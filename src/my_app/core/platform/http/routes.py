"""The routes of all routers in one flat list."""

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts, request_response
from starlette.routing import BaseRoute

# How each router, by its id, was first included in this process.
_FIRST: dict[int, Any] = {}


def flattened(app: FastAPI, routers: Iterable[APIRouter]) -> Iterator[BaseRoute]:
    """Include the routers, nested ones too, and yield each route as it is served.

    Looked up through the included routers, every request would cost a tenth more.
    """
    before = len(app.routes)
    for router in routers:
        app.include_router(router)
    for included in app.routes[before:]:
        for context in iter_route_contexts([analysed(included)]):
            # A router is a module's own and may be part of several applications.
            route = copy(context.original_route)
            own = vars(route)
            own |= {name: getattr(context, name, value) for name, value in own.items()}
            if isinstance(route, APIRoute) and context.max_body_size is None:
                route.dependency_overrides_provider = app
                route.app = request_response(route.get_route_handler())
            yield route
    del app.router.routes[before:]


def analysed(included: Any) -> Any:  # noqa: ANN401 - FastAPI does not export it
    """Return the same router as another application included it in the same way.

    Each test builds an application, most of it by analysing the endpoints' signatures.
    """
    first = _FIRST.setdefault(id(included.original_router), included)
    context = included.include_context
    provider = {"dependency_overrides_provider": context.dependency_overrides_provider}
    same = replace(first.include_context, **provider) == context and all(
        isinstance(each.original_route, APIRoute) and each.max_body_size is None
        for each in iter_route_contexts([first])
    )
    return first if same else included


def answering_head(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    """Copy each GET route for HEAD, whose body the server leaves out."""
    for route in routes:
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
            answering = copy(route)
            answering.methods = {"HEAD"}
            answering.include_in_schema = False
            yield answering
