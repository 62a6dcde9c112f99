"""Optional extras: errors to Sentry and traces to a collector."""

from importlib.util import find_spec

from fastapi.telemetry import TelemetryConfig

from ....config import Settings
from ....environment import EnvironmentVariablesError, Problem
from ..build import Build


def start_sentry(settings: Settings, build: Build) -> None:
    """Send unhandled and logged errors to Sentry if SENTRY_DSN is set.

    Raises:
        EnvironmentVariablesError: the extra is not installed, or the DSN is malformed.
    """
    dsn = settings.sentry_dsn.get_secret_value() if settings.sentry_dsn else ""
    if not dsn:
        return
    require("sentry_sdk", variable="SENTRY_DSN", extra="sentry")
    import sentry_sdk  # noqa: PLC0415 - an extra, and slow to import
    from sentry_sdk.utils import BadDsn  # noqa: PLC0415

    try:
        sentry_sdk.init(
            dsn,
            release=build.version,
            environment=settings.environment,
            # Bodies and headers hold personal data and secrets; the variables of a
            # traceback's frames hold both.
            max_request_body_size="never",
            include_local_variables=False,
        )
    except BadDsn as error:
        raise EnvironmentVariablesError(
            [
                Problem(
                    variable="SENTRY_DSN",
                    found="a secret (not shown)",
                    expected=f"https://KEY@HOST/PROJECT ({error})",
                )
            ]
        ) from None


def telemetry(settings: Settings) -> TelemetryConfig:
    """Let FastAPI trace requests if OTEL_EXPORTER_OTLP_ENDPOINT is set.

    The exporter reads the other OTEL_ variables itself. Metrics and logs still go to
    Prometheus and standard output.

    Raises:
        EnvironmentVariablesError: the extra is not installed.
    """
    on = bool(settings.otlp_endpoint)
    if on:
        variable = "OTEL_EXPORTER_OTLP_ENDPOINT"
        require("opentelemetry.sdk", variable=variable, extra="tracing")
    return {"auto_configure": on, "tracing": on, "metrics": False, "logs": False}


def is_traced(settings: Settings) -> bool:
    """Return whether requests are traced."""
    return bool(settings.otlp_endpoint) and find_spec("opentelemetry") is not None


def trace_ids() -> dict[str, str]:
    """Return the ids of the current trace and span, none outside a trace."""
    from opentelemetry import trace  # noqa: PLC0415 - an extra

    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return {}
    return {"trace.id": f"{span.trace_id:032x}", "span.id": f"{span.span_id:016x}"}


def require(module: str, *, variable: str, extra: str) -> None:
    """Refuse a variable whose extra is not installed."""
    try:
        installed = find_spec(module) is not None
    except ModuleNotFoundError:
        installed = False
    if not installed:
        raise EnvironmentVariablesError(
            [
                Problem(
                    variable=variable,
                    found=f"set, but the extra {extra} is not installed",
                    expected=f"unset, or the extra: uv sync --extra {extra}",
                )
            ]
        )
