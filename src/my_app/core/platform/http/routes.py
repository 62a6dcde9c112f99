"""The routes of all routers in one flat list."""

from collections.abc import Iterable, Iterator
from copy import copy

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute


def flattened(app: FastAPI, routers: Iterable[APIRouter]) -> Iterator[BaseRoute]:
    """Include the routers, nested ones too, and yield each route as it is served.

    Looked up through the included routers, every request would cost a tenth more.
    """
    before = len(app.routes)
    for router in routers:
        app.include_router(router)
    for context in iter_route_contexts(app.routes[before:]):
        # A router is a module's own and may be part of several applications.
        route = copy(context.original_route)
        own = vars(route)
        own |= {name: getattr(context, name, value) for name, value in own.items()}
        yield route
    del app.router.routes[before:]


def answering_head(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    """Copy each GET route for HEAD, whose body the server leaves out."""
    for route in routes:
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
            answering = copy(route)
            answering.methods = {"HEAD"}
            answering.include_in_schema = False
            yield answering
