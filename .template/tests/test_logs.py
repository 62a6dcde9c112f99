"""Our log lines and those of libraries share one format and the request id."""

import json
import logging
from collections.abc import Iterator
from importlib.metadata import version

import pytest
import structlog
from pydantic import ValidationError

from my_app.config import Settings
from my_app.core.platform.observability.logs import (
    configure_logging,
)
from my_app.core.platform.request_id import request_id


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Begin as the service's own tests do; restore what a test configures."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configuration = structlog.get_config()
    configure_logging(Settings(environment="test"))
    yield
    structlog.configure(**configuration)
    root.handlers, root.level = handlers, level


def logged(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """Return the only line that was logged."""
    line: dict[str, object] = json.loads(capsys.readouterr().out)
    return line


STAGING = Settings(environment="staging", log_level="info")


def test_a_line_uses_the_field_names_of_the_schema(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(STAGING)
    structlog.stdlib.get_logger("my_app.x").info(
        "sent",
        recipients=2,
    )
    line = logged(capsys)

    assert str(line.pop("@timestamp")).endswith("Z")
    assert line == {
        "log.level": "info",
        "message": "sent",
        "log.logger": "my_app.x",
        "labels": {"recipients": 2},
        "ecs.version": "9.0.0",
        "service.name": "my-app",
        "service.version": version("my-app"),
        "service.environment": "staging",
    }


def test_a_library_logs_in_the_same_format(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(STAGING)
    logging.getLogger("library").warning("low on %s", "space")
    line = logged(capsys)

    assert (line["log.level"], line["message"]) == ("warning", "low on space")


def test_a_line_of_a_request_carries_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(STAGING)
    token = request_id.set("abc")
    logging.getLogger("library").info("asked")
    request_id.reset(token)

    assert logged(capsys)["http.request.id"] == "abc"


def test_a_traced_line_names_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    from opentelemetry import trace  # noqa: PLC0415

    configure_logging(STAGING.model_copy(update={"otlp_endpoint": "http://127.0.0.1"}))
    span = trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=False))
    with trace.use_span(span):
        logging.getLogger("library").info("asked")
    traced = logged(capsys)
    logging.getLogger("library").info("idle")

    assert traced["trace.id"] == f"{1:032}"
    assert traced["span.id"] == f"{2:016}"
    assert "trace.id" not in logged(capsys)


def test_other_handlers_get_the_message_and_the_exception(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("ERROR", "x")
    error = ValueError("bad")
    structlog.stdlib.get_logger("x").error("failed", exc_info=error)
    (record,) = caplog.records

    assert record.getMessage() == "failed"
    assert record.exc_info
    assert record.exc_info[1] is error


def test_an_exception_is_in_the_fields_of_the_schema(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(STAGING)
    try:
        raise ValueError("bad")
    except ValueError:
        structlog.stdlib.get_logger("x").exception("failed")
    line = logged(capsys)

    assert (line["error.type"], line["error.message"]) == ("ValueError", "bad")
    assert "Traceback" in str(line["error.stack_trace"])


def test_a_secret_is_logged_masked(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(STAGING)
    settings = Settings(sentry_dsn="https://key@host/1")
    structlog.stdlib.get_logger("x").info("started", dsn=settings.sentry_dsn)

    assert "key" not in str(logged(capsys)["labels"])


def test_lines_below_the_level_are_not_logged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(STAGING)
    logging.getLogger("library").debug("detail")

    assert capsys.readouterr().out == ""


def test_in_development_lines_are_for_people(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(Settings(environment="development"))
    logging.getLogger("uvicorn.error").info("Application startup complete.")
    line = capsys.readouterr().out

    assert "Application startup complete." in line
    assert not line.startswith("{")


def test_in_tests_a_traceback_has_only_our_own_frames(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(Settings(environment="test"))
    try:
        Settings(port=-1)
    except ValidationError as error:
        structlog.stdlib.get_logger("x").error("failed", exc_info=error)
    printed = capsys.readouterr().out

    assert printed.count("Traceback") == printed.count("File ") == 1
    assert printed.count(__file__) == 1


def test_the_servers_own_access_log_is_silent() -> None:
    configure_logging(Settings(environment="staging"))

    assert not logging.getLogger("uvicorn.access").hasHandlers()
