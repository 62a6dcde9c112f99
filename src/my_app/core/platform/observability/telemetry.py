"""Errors to Sentry, traces to a collector: extras, each switched on by a variable."""

from importlib.util import find_spec

from fastapi.telemetry import TelemetryConfig

from ....config import Settings
from ....environment import EnvironmentVariablesError, Problem
from ..build import Build


def start_sentry(settings: Settings, build: Build) -> None:
    """Send unhandled and logged errors to Sentry, where SENTRY_DSN is set.

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
            # Personal data is not sent unless asked for; nor are bodies.
            max_request_body_size="never",
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
    """Have FastAPI trace requests, where OTEL_EXPORTER_OTLP_ENDPOINT is set.

    The exporter reads the other OTEL_ variables itself. Metrics and logs stay with
    Prometheus and standard output.

    Raises:
        EnvironmentVariablesError: the extra is not installed.
    """
    on = bool(settings.otlp_endpoint)
    if on:
        variable = "OTEL_EXPORTER_OTLP_ENDPOINT"
        require("opentelemetry.sdk", variable=variable, extra="tracing")
    return {"auto_configure": on, "tracing": on, "metrics": False, "logs": False}


def require(module: str, *, variable: str, extra: str) -> None:
    """Refuse a variable that switches on what is not installed."""
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
                    expected=f"uv sync --extra {extra}, or the variable unset",
                )
            ]
        )
