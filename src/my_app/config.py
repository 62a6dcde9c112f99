"""Settings and flags: everything the service reads from the environment."""

import os
import ssl
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .environment import (
    ADDRESSES,
    HOST,
    HOSTS,
    ORIGIN,
    ORIGINS,
    EnvironmentVariablesError,
    Problem,
    build,
    is_network,
    matching,
    misplaced,
    misspelt,
    read_dotenv,
    reads_dotenv,
    secret_files,
)

type Names = Annotated[tuple[str, ...], NoDecode]

Environment = Literal["development", "test", "staging", "production"]
LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """How this process runs: one variable per setting, immutable once read."""

    model_config = SettingsConfigDict(
        env_prefix="APP_",
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        # Secrets that a cluster mounts often end with a newline.
        str_strip_whitespace=True,
        allow_inf_nan=False,
    )

    environment: Environment = Field(
        "development", description="development, test, staging or production"
    )
    secrets_dir: str = Field(
        "", description="Folder with a file for each secret, named as its variable"
    )
    # An empty one would mean all addresses.
    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on")
    port: int = Field(
        8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one"
    )
    metrics_port: int = Field(
        0, ge=0, le=65535, description="Separate port for /metrics; 0: the same"
    )
    tls_certificate: str = Field(
        "", description="File of the certificate for HTTPS, with its chain; PEM"
    )
    tls_key: str = Field("", description="File of its key; PEM, without a password")
    workers: int = Field(1, ge=1, le=64, description="Number of server processes")
    log_level: LogLevel = Field("info", description="debug, info, warning or error")

    allowed_hosts: Names = Field(
        ("*",),
        description="Accepted host names, comma-separated; *.example.com: subdomains",
    )
    trusted_proxies: Names = Field(
        ("127.0.0.1",),
        description="Addresses or networks whose X-Forwarded-… headers count; or *",
    )
    proxy_authenticates: bool = Field(
        False,
        description="Trusted proxies set X-Forwarded-User and X-Forwarded-Groups, or "
        "remove them: believe both",
    )
    root_path: str = Field(
        "", pattern="^(/[^/]+)*$", description="Path prefix that a proxy strips: /api"
    )
    docs: bool = Field(True, description="Serve /docs and /openapi.json")
    cors_origins: Names = Field(
        (), description="Origins whose pages may call the service, comma-separated"
    )
    security_headers: bool = Field(
        True, description="Send security headers; false if a proxy adds them"
    )
    content_security_policy: str = Field(
        "default-src 'none'; frame-ancestors 'none'",
        pattern="^[ -~]*$",  # It is a header.
        description="Policy of all responses except the service's own HTML pages",
    )
    hsts_seconds: int = Field(
        31_536_000, ge=0, description="max-age of Strict-Transport-Security; 0 omits it"
    )
    max_body_bytes: int = Field(
        1_048_576, ge=0, description="Maximum size of a request body, in bytes"
    )
    max_requests: int = Field(
        1000, ge=1, description="Requests in flight per process; others get 503"
    )
    request_timeout_seconds: float = Field(
        30, gt=0, description="Time to receive the body and to start responding"
    )
    readiness_timeout_seconds: float = Field(
        2, gt=0, description="Timeout of a readiness check"
    )
    readiness_cache_seconds: float = Field(
        1, ge=0, description="Time for which readiness results are cached"
    )
    shutdown_delay_seconds: float = Field(
        0, ge=0, description="Time between reporting not ready and closing the port"
    )
    shutdown_grace_seconds: int = Field(
        20, ge=1, description="Time for requests in flight to finish"
    )

    commit: str = Field("unknown", description="Commit, set by the build")
    branch: str = Field("unknown", description="Branch, set by the build")
    built_at: str = Field("unknown", description="Build time, set by the build")

    sentry_dsn: SecretStr | None = Field(
        None, alias="SENTRY_DSN", description="Sends errors to Sentry (extra: sentry)"
    )
    otlp_endpoint: str | None = Field(
        None,
        alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Sends traces to an OpenTelemetry collector (extra: tracing)",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def in_lower_case(cls, value: object) -> object:
        """Accept INFO for info, as other tools write it."""
        return value.lower() if isinstance(value, str) else value

    @field_validator("allowed_hosts", "cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def split_by_comma(cls, value: object) -> object:
        """Split `a, b` into two names."""
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def matching_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what no Host header would match."""
        return matching(value or ("",), HOST.fullmatch, HOSTS)

    @field_validator("cors_origins")
    @classmethod
    def matching_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what no Origin header would match."""
        return matching(value, ORIGIN.fullmatch, ORIGINS)

    @field_validator("trusted_proxies")
    @classmethod
    def addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what no address would match."""
        return matching(value, is_network, ADDRESSES)

    def unsuitable(self) -> list[Problem]:
        """List valid values that do not fit together: rules across variables."""
        problems = []
        if self.production and "*" in self.allowed_hosts:
            problems.append(
                Problem(
                    variable="APP_ALLOWED_HOSTS",
                    found="* (the development default)",
                    expected="in production, the service's host names, comma-separated",
                )
            )
        if self.metrics_port and self.metrics_port == self.port:
            problems.append(
                Problem(
                    variable="APP_METRICS_PORT",
                    found=f"{self.metrics_port}, which is APP_PORT as well",
                    expected="another port, or 0",
                )
            )
        files = self.tls_certificate, self.tls_key
        if any(files):
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files, "")
            except OSError as error:
                problems.append(
                    Problem(
                        variable="APP_TLS_CERTIFICATE and APP_TLS_KEY",
                        found=f"{' and '.join(map(repr, files))} ({error})",
                        expected="files in PEM: a certificate and its own key",
                    )
                )
        return problems

    def of[Own: Settings](self, model: type[Own]) -> Own:
        """Return these settings as those of a feature, which they include."""
        if not isinstance(self, model):
            raise TypeError(f"{model.__name__} are part of ServiceSettings only")
        return self

    @property
    def development(self) -> bool:
        """Whether this is a developer's machine."""
        return self.environment == "development"

    @property
    def logs_for_people(self) -> bool:
        """Whether a person reads the logs in a terminal, not a machine."""
        return self.environment in ("development", "test")

    @property
    def production(self) -> bool:
        """Whether this process serves real users."""
        return self.environment == "production"


def flag(description: str, *, owner: str, expires: date) -> Any:  # noqa: ANN401
    """Declare a flag: what it switches, who removes it, and by when.

    Returns `Any`, as pydantic's `Field` does.
    """
    return Field(
        default=False,
        description=description,
        json_schema_extra={"owner": owner, "expires": expires.isoformat()},
    )


UNDECLARED = (
    "{name} is not declared; add to Flags in config.py: "
    '{name}: bool = flag("…", owner="…", expires=date(…))'
)


class Flags(BaseSettings):
    """Unfinished work, off unless its variable is true.

    A flag has the same name in the environment and in the code, so one search finds it.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=True)

    ENABLE_NEW_BILLING: bool = flag(
        "Graduated seat tiers and metered usage instead of a flat price per seat",
        owner="billing",
        expires=date(2027, 6, 30),
    )

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Name the line that declares a flag."""
            if name.startswith("ENABLE_"):
                raise AttributeError(UNDECLARED.format(name=name))
            return super().__getattr__(name)

    def enabled(self) -> dict[str, bool]:
        """Map each flag's name to its state."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class Config(NamedTuple):
    """What `load` returns."""

    settings: Settings
    flags: Flags


def load(model: type[Settings], env_file: Path = Path(".env")) -> Config:
    """Read settings and flags; in development from `env_file`, too.

    What the process does not set may be a file in the folder APP_SECRETS_DIR.

    Raises:
        EnvironmentVariablesError: lists the problems of all variables.
    """
    present = dict(os.environ)
    problems: list[Problem] = []
    dotenv = env_file if reads_dotenv() and env_file.is_file() else None
    if dotenv:
        assigned = read_dotenv(dotenv)
        problems += misplaced(assigned.get("APP_ENVIRONMENT"), dotenv)
        present |= {name: value or "" for name, value in assigned.items()}
    folder = present.get("APP_SECRETS_DIR") or None
    if folder:
        present |= dict.fromkeys(secret_files(Path(folder), model, problems), "")
    settings = build(model, dotenv, problems, None if problems else folder)
    flags = build(Flags, dotenv, problems)
    problems += [*misspelt(present, model), *misspelt(present, Flags)]
    if settings is not None:
        problems += settings.unsuitable()
    if problems or settings is None or flags is None:
        raise EnvironmentVariablesError(problems)
    return Config(settings, flags)
