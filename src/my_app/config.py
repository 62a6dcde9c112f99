"""Settings and flags: everything that the service reads from the environment."""

import os
import re
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .environment import (
    EnvironmentVariablesError,
    Problem,
    example,
    misspelt,
    problems_of,
)

type Names = Annotated[tuple[str, ...], NoDecode]

Environment = Literal["development", "test", "staging", "production"]
LogLevel = Literal["debug", "info", "warning", "error"]

DATABASE_URLS = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
DATABASE_URL = re.compile(
    r"sqlite:///[^?:]+"
    r"|postgres(ql)?://([^/?#@]*@)?[^/?#@:]*(:\d{1,5})?/[^/?#]+(\?[^#]*)?"
)


class Settings(BaseSettings):
    """How this process runs. One variable each; frozen once read."""

    model_config = SettingsConfigDict(
        env_prefix="APP_", frozen=True, extra="ignore", populate_by_name=True
    )

    environment: Environment = Field(
        "development", description="development, test, staging or production"
    )
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0: any")
    workers: int = Field(1, ge=1, le=64, description="Server processes")
    log_level: LogLevel = Field("info", description="debug, info, warning or error")

    allowed_hosts: Names = Field(
        ("*",),
        description="Host names answered to, by comma; *.example.com for subdomains",
    )
    cors_origins: Names = Field(
        (), description="Origins whose pages may call the service, by comma"
    )
    security_headers: bool = Field(
        True, description="Send them; false where a proxy in front does"
    )
    content_security_policy: str = Field(
        "default-src 'none'; frame-ancestors 'none'",
        description="Policy of every response but the service's own pages",
    )
    hsts_seconds: int = Field(
        31_536_000, ge=0, description="Strict-Transport-Security max-age; 0: not sent"
    )
    max_body_bytes: int = Field(
        1_048_576, ge=0, description="Largest request body, in bytes"
    )
    request_timeout_seconds: float = Field(
        30, gt=0, description="Time for a body to arrive and an answer to begin"
    )
    readiness_timeout_seconds: float = Field(
        2, gt=0, description="Time that one readiness check may take"
    )
    readiness_cache_seconds: float = Field(
        1, ge=0, description="Time for which a readiness answer is reused"
    )
    shutdown_delay_seconds: float = Field(
        0, ge=0, description="Time between being not ready and closing the port"
    )
    shutdown_grace_seconds: int = Field(
        20, ge=1, description="Time that requests in flight get to finish"
    )

    database_url: SecretStr = Field(
        SecretStr("sqlite:///my-app.db"),
        description=f"{DATABASE_URLS}; SQLite's FILE may be /absolute",
    )
    database_pool_size: int = Field(
        10, ge=1, le=1000, description="Connections of one process, at most"
    )
    database_connect_timeout_seconds: float = Field(
        5, gt=0, description="Time to wait for a connection"
    )
    database_statement_timeout_seconds: float = Field(
        10, gt=0, description="Time that one statement, or a wait for a lock, may take"
    )
    database_lock_timeout_seconds: float = Field(
        5, gt=0, description="Time that a migration may wait for a table"
    )

    idempotency_key_hours: int = Field(
        24, ge=1, le=8760, description="Time for which an Idempotency-Key is remembered"
    )

    commit: str = Field("unknown", description="Commit; set by the build")
    branch: str = Field("unknown", description="Branch; set by the build")
    built_at: str = Field("unknown", description="Time; set by the build")

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
        """Read INFO as info, the way that other tools write it."""
        return value.lower() if isinstance(value, str) else value

    @field_validator("allowed_hosts", "cors_origins", mode="before")
    @classmethod
    def split_by_comma(cls, value: object) -> object:
        """Read `a, b` as two names."""
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        return value

    @field_validator("database_url")
    @classmethod
    def of_a_known_database(cls, value: SecretStr) -> SecretStr:
        """Refuse what names no database, before anything asks for it."""
        if not DATABASE_URL.fullmatch(value.get_secret_value()):
            raise PydanticCustomError("database_url", DATABASE_URLS)
        return value

    @property
    def development(self) -> bool:
        """Whether this is a developer's own machine."""
        return self.environment == "development"

    @property
    def production(self) -> bool:
        """Whether real users are served."""
        return self.environment == "production"


def flag(description: str, *, owner: str, expires: date) -> Any:  # noqa: ANN401
    """Declare a flag: what it switches, who removes it, and by when.

    Typed as pydantic's `Field` is, for which a default stands for any type.
    """
    return Field(
        default=False,
        description=description,
        json_schema_extra={"owner": owner, "expires": expires.isoformat()},
    )


class Flags(BaseSettings):
    """Unfinished work, off unless its variable says otherwise.

    A flag has one name everywhere: in the environment, in the code, in a search.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=True)

    ENABLE_NEW_BILLING: bool = flag(
        "Graduated seat tiers and metered usage instead of a flat price per seat",
        owner="billing",
        expires=date(2027, 6, 30),
    )

    def enabled(self) -> dict[str, bool]:
        """Map each flag's name to its state."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class Config(NamedTuple):
    """What `load` returns."""

    settings: Settings
    flags: Flags


def load(env_file: Path = Path(".env")) -> Config:
    """Read settings and flags, in development from `env_file` too.

    Raises:
        EnvironmentVariablesError: with every problem of every variable.
    """
    present = dict(os.environ)
    problems: list[Problem] = []
    dotenv = env_file if reads_dotenv() and env_file.is_file() else None
    if dotenv:
        given = read_dotenv(dotenv)
        problems += misplaced(given.get("APP_ENVIRONMENT"), dotenv)
        present |= {name: value or "" for name, value in given.items()}
    settings = build(Settings, dotenv, problems)
    flags = build(Flags, dotenv, problems)
    for model in (Settings, Flags):
        problems += misspelt(present, model)
    if settings is not None:
        problems += unfit(settings)
    if problems or settings is None or flags is None:
        raise EnvironmentVariablesError(problems)
    return Config(settings, flags)


def read_dotenv(path: Path) -> dict[str, str | None]:
    """Return what `path` assigns.

    Raises:
        EnvironmentVariablesError: it is no text.
    """
    try:
        return dotenv_values(path)
    except UnicodeDecodeError as error:
        problem = Problem(
            variable=str(path),
            found=f"a byte that is not UTF-8, at position {error.start}",
            expected="a text file such as .env.example",
        )
        raise EnvironmentVariablesError([problem]) from None


def reads_dotenv() -> bool:
    """Tell whether this process is one of the environments that read `.env`."""
    return os.environ.get("APP_ENVIRONMENT", "development") == "development"


def build[Model: BaseSettings](
    model: type[Model], dotenv: Path | None, problems: list[Problem]
) -> Model | None:
    """Read one settings class, adding what is wrong to `problems`."""
    try:
        return model(_env_file=dotenv)
    except ValidationError as error:
        problems += problems_of(model, error)
        return None


def misplaced(environment: str | None, dotenv: Path) -> list[Problem]:
    """List the one variable that decides whether `.env` is read, if that sets it."""
    if environment in (None, "development"):
        return []
    return [
        Problem(
            variable="APP_ENVIRONMENT",
            found=f"{environment!r} in {dotenv}",
            expected="development there; any other is set in the process itself",
        )
    ]


def unfit(settings: Settings) -> list[Problem]:
    """List what is well formed but will not do: rules across variables."""
    problems = []
    if settings.production and "*" in settings.allowed_hosts:
        problems.append(
            Problem(
                variable="APP_ALLOWED_HOSTS",
                found="* (the development default)",
                expected="in production, the host names of the service, by comma",
            )
        )
    database = settings.database_url.get_secret_value()
    if settings.production and re.match("sqlite:///[^/]", database):
        problems.append(
            Problem(
                variable="APP_DATABASE_URL",
                found=f"{database} (in whichever folder it is started)",
                expected="in production, postgresql://… or the whole path of a file "
                "that outlives the container: sqlite:////data/my-app.db",
            )
        )
    return problems


if __name__ == "__main__":
    sys.stdout.write(example((Settings, Flags)))
