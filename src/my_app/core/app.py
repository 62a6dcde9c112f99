"""The composition root: the one place where the service is wired together."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import create_model
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from .. import TITLE
from ..config import Flags, Settings
from ..environment import example
from . import billing
from .platform.build import identify
from .platform.context import Behind, Context
from .platform.db import database
from .platform.feature import Feature, Lifespan
from .platform.http.headers import SecurityHeaders
from .platform.http.hosts import TrustedHosts
from .platform.http.limits import RequestLimits
from .platform.http.openapi import add_problem_schema
from .platform.http.origins import Origins
from .platform.http.ports import MetricsPort
from .platform.http.problems import add_problem_handlers
from .platform.http.routes import answering_head, flattened
from .platform.observability.access_log import access_log
from .platform.observability.metrics import Metrics
from .platform.observability.observe import Observe
from .platform.observability.telemetry import start_sentry, telemetry
from .platform.operations import endpoints as operations
from .platform.operations.landing_page import DOCS_POLICY, POLICY
from .platform.operations.shutdown import drain_before_stop
from .platform.readiness import Readiness

FEATURES: tuple[Feature, ...] = (
    # Every feature of the service. To delete one, delete its folder, tests and line.
    database.feature,
    billing.feature,
)

# Response headers that pages of other origins may read.
EXPOSED_HEADERS = ("Location", "Retry-After", "X-Request-ID")


def settings_class(features: Sequence[Feature]) -> type[Settings]:
    """Unite the settings of all features, so that all problems are listed at once."""
    own = [feature.settings for feature in features if feature.settings]
    return create_model("ServiceSettings", __base__=(*own, Settings))


ServiceSettings = settings_class(FEATURES)


def create_app(
    settings: Settings, flags: Flags, features: Sequence[Feature] = FEATURES
) -> FastAPI:
    """Build the service. Nothing is opened before its lifespan starts."""
    build = identify(settings)
    context = Context(
        settings=settings,
        flags=flags,
        build=build,
        metrics=Metrics(
            version=build.version, commit=build.commit, branch=build.branch
        ),
        readiness=readiness(settings, features),
    )
    start_sentry(settings, build)
    app = FastAPI(
        title=TITLE,
        version=build.version,
        # `/docs` is one of the operations: FastAPI's page says nothing without its CDN.
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
        root_path=settings.root_path,
        telemetry=telemetry(settings),
        middleware=middleware(context, features),
        lifespan=lifespan(context, features),
    )
    app.state.context = context
    routers = [*(feature.router for feature in features), operations.router]
    served = [each for each in flattened(app, routers) if is_visible(each, flags)]
    # The most requested first, since a request looks through them in this order.
    app.router.routes[:] = [*served, *app.routes, *answering_head(served)]
    add_problem_handlers(app)
    add_problem_schema(app)
    for route in app.routes:
        if isinstance(route, APIRoute):
            # Short, because generated clients name their methods after it.
            route.operation_id = route.name
    return app


def is_visible(route: BaseRoute, flags: Flags) -> bool:
    """Return whether every flag that a route is behind is on."""
    given = (each.dependency for each in getattr(route, "dependencies", ()))
    return all(getattr(flags, it.flag) for it in given if isinstance(it, Behind))


def middleware(context: Context, features: Sequence[Feature]) -> list[Middleware]:
    """List the middleware, outermost first."""
    settings = context.settings
    own_headers = [name for feature in features for name in feature.exposed_headers]
    layers = [
        Middleware(
            Observe,
            access_log=access_log(settings),
            metrics=context.metrics,
            security_headers=SecurityHeaders(
                enabled=settings.security_headers,
                hsts_seconds=settings.hsts_seconds,
                policy=settings.content_security_policy,
                page_policies={"/": POLICY, "/docs": DOCS_POLICY},
            ),
        )
    ]
    if settings.metrics_port:
        layers.append(Middleware(MetricsPort, port=settings.metrics_port))
    if settings.cors_origins:
        layers.append(
            Middleware(
                Origins,
                allow_origins=settings.cors_origins,
                allow_methods=["*"],
                allow_headers=["*"],
                expose_headers=[*EXPOSED_HEADERS, *own_headers],
            )
        )
    if "*" not in settings.allowed_hosts:
        layers.append(Middleware(TrustedHosts, allowed=settings.allowed_hosts))
    layers.append(
        Middleware(
            RequestLimits,
            max_body_bytes=settings.max_body_bytes,
            max_requests=settings.max_requests,
            timeout_seconds=settings.request_timeout_seconds,
        )
    )
    return layers


def readiness(settings: Settings, features: Sequence[Feature]) -> Readiness:
    """Collect the checks of every feature under its name."""
    return Readiness(
        {
            f"{feature.name}.{check.__name__}": check
            for feature in features
            for check in feature.checks
        },
        timeout_seconds=settings.readiness_timeout_seconds,
        cache_seconds=settings.readiness_cache_seconds,
    )


def lifespan(context: Context, features: Sequence[Feature]) -> Lifespan:
    """Open what the features need, in order; close it in reverse order."""
    delay = context.settings.shutdown_delay_seconds

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        with drain_before_stop(context.readiness, delay_seconds=delay):
            async with AsyncExitStack() as opened:
                for feature in features:
                    if feature.lifespan:
                        await opened.enter_async_context(feature.lifespan(app))
                yield
                context.readiness.stopping = True

    return run


if __name__ == "__main__":
    sys.stdout.write(example((ServiceSettings, Flags)))
