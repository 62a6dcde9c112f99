"""Serve from a shell: `my-app`; with a word more, migrate."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from typing import get_args

import uvicorn

from .config import LogLevel, Settings, load
from .core.platform.http.protocol import ProblemProtocol
from .core.platform.observability.logs import configure_logging
from .environment import EnvironmentVariablesError

MIGRATION_COMMANDS = ("migrate", "migration", "migrations")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until stopped. Options win over the environment."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in MIGRATION_COMMANDS:
        # Alembic is for these alone.
        from .migrations.cli import main as run  # noqa: PLC0415

        sys.exit(run(words))
    options = parse(words)
    # The server's processes read the environment again; what was asked for here
    # reaches them, and is validated, the same way as everything else.
    os.environ.update(
        (f"APP_{name.upper()}", value) for name, value in options.items() if value
    )
    try:
        settings, _ = load()
    except EnvironmentVariablesError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    configure_logging(settings)
    serve(settings)


def parse(arguments: Sequence[str]) -> dict[str, str | None]:
    """Read the options, each named like the variable it stands for."""
    parser = argparse.ArgumentParser(
        prog="my-app",
        description="Serve My App.",
        epilog="my-app migrate brings the database "
        "to this build; migration and migrations are for its developers.",
    )
    parser.add_argument("--host", help="address to listen on (APP_HOST)")
    parser.add_argument("--port", help="port to listen on (APP_PORT)")
    parser.add_argument("--workers", help="server processes (APP_WORKERS)")
    parser.add_argument(
        "--log-level",
        choices=get_args(LogLevel),
        help="lowest level that is logged (APP_LOG_LEVEL)",
    )
    return vars(parser.parse_args(arguments))


def serve(settings: Settings) -> None:
    """Run the server in this process, or in as many as the settings say."""
    with ExitStack() as opened:
        # A single process needs no file, so that it runs where none can be written.
        if settings.workers > 1 and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            # Where the processes' metrics meet, so that any of them answers for all.
            folder = tempfile.TemporaryDirectory(
                prefix="my-app-metrics-",
            )
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = opened.enter_context(folder)
        uvicorn.run(
            "my_app.main:app",
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            http=ProblemProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=settings.shutdown_grace_seconds,
        )


if __name__ == "__main__":
    main()
