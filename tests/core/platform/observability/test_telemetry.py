"""Sentry and tracing are off unless their variables switch them on."""

import pytest

from my_app.config import Settings
from my_app.core.platform.build import identify
from my_app.core.platform.observability.telemetry import (
    require,
    start_sentry,
    telemetry,
)
from my_app.environment import EnvironmentVariablesError


def test_by_default_nothing_is_sent(settings: Settings) -> None:
    start_sentry(settings, identify(settings))

    assert not any(telemetry(settings).values())


def test_an_endpoint_enables_traces_only() -> None:
    settings = Settings(environment="test", otlp_endpoint="http://127.0.0.1:4318")

    assert telemetry(settings) == {
        "auto_configure": True,
        "tracing": True,
        "metrics": False,
        "logs": False,
    }


@pytest.mark.parametrize("module", ["not_installed", "not_installed.at_all"])
def test_a_variable_without_its_extra_stops_the_start(module: str) -> None:
    with pytest.raises(EnvironmentVariablesError, match="uv sync --extra tracing"):
        require(module, variable="OTEL_EXPORTER_OTLP_ENDPOINT", extra="tracing")


@pytest.mark.slow  # Its library takes a fifth of a second to import.
def test_a_malformed_dsn_stops_the_start_and_is_not_shown() -> None:
    settings = Settings.model_validate({"sentry_dsn": "hunter2"})

    with pytest.raises(EnvironmentVariablesError, match="SENTRY_DSN") as caught:
        start_sentry(settings, identify(settings))
    assert "hunter2" not in str(caught.value)
