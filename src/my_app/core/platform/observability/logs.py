"""Logs: one format for our code and all libraries, on standard output."""

import logging
import sys
import traceback
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from ....config import Settings
from ..build import service_fields
from ..request_id import current_request_id
from .telemetry import is_traced, trace_ids

ECS_VERSION = "9.0.0"
SCHEMA = ("error.type", "error.message", "error.stack_trace", "trace.id", "span.id")


def configure_logging(settings: Settings) -> None:
    """Send all logs to standard output.

    In development and tests as lines for people; elsewhere as one JSON object per line
    with the field names of the Elastic Common Schema.
    """
    shared: list[Processor] = [
        add_request_id,
        *([add_trace] if is_traced(settings) else []),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, to_record],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(
                    console_renderers()
                    if settings.logs_for_people
                    else ecs_renderers(service_fields(settings))
                ),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    # The server installs its own handlers; our access log replaces its own.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "fastapi"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = name != "uvicorn.access"
    # The reloader logs every changed file, the tests' client what the access log says.
    for name in ("watchfiles", "httpx2"):
        logging.getLogger(name).setLevel(logging.WARNING)


class Event(dict[str, Any]):
    """A log event; as text, which Sentry shows, its message alone."""

    def __str__(self) -> str:
        return str(self["event"])


def to_record(
    logger: logging.Logger, name: str, event: EventDict
) -> tuple[tuple[EventDict], dict[str, Any]]:
    """Hand over to `logging`, with the exception where all handlers look for it."""
    wrap = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
    arguments, options = wrap(logger, name, Event(event))
    return arguments, {**options, "exc_info": event.get("exc_info")}


def add_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Add the ids of the current trace and span."""
    return {**event, **trace_ids()}


def add_request_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Add the id of the current request."""
    if identifier := current_request_id():
        event.setdefault("request_id", identifier)
    return event


def console_renderers() -> list[Processor]:
    """Render for people at a terminal."""
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), exception_formatter=write_own_frames
        )
    ]


def write_own_frames(stream: TextIO, exc_info: ExcInfo) -> None:
    """Write a traceback without the frames of libraries, of which there are dozens."""
    error: traceback.TracebackException | None
    outermost = error = traceback.TracebackException(*exc_info)
    while error:
        own = [each for each in error.stack if "/lib/python" not in each.filename]
        error.stack[:] = own or error.stack[-1:]
        error = error.__cause__ or error.__context__
    stream.write("\n" + "".join(outermost.format()))


def ecs_renderers(service: Mapping[str, str]) -> list[Processor]:
    """Render one JSON object with Elastic's field names."""
    constant = {"ecs.version": ECS_VERSION} | {
        f"service.{key}": value for key, value in service.items()
    }
    renamed = {
        "timestamp": "@timestamp",
        "level": "log.level",
        "event": "message",
        "logger": "log.logger",
        "request_id": "http.request.id",
        "stack": "log.origin.stack",
    }

    def rename(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        named = {renamed.get(key, key): value for key, value in event.items()}
        # All other fields go under "labels", where they cannot clash with the schema.
        known = {*renamed.values(), *SCHEMA}
        extra = {key: named.pop(key) for key in list(named) if key not in known}
        first = {key: named.pop(key) for key in ("@timestamp", "log.level", "message")}
        return first | named | constant | ({"labels": extra} if extra else {})

    return [add_error, rename, structlog.processors.JSONRenderer(default=str)]


def add_error(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Convert `exc_info` to the schema's error fields."""
    exc_info: Any = event.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        event["error.type"] = type(error).__qualname__
        event["error.message"] = str(error)
        event["error.stack_trace"] = "".join(traceback.format_exception(error))
    return event
