"""The command `my-app`: serve, or run a feature's command."""

import argparse
import os
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from importlib import import_module
from typing import Any, get_args

import structlog
import uvicorn
from uvicorn.supervisors.multiprocess import Multiprocess

from .config import LogLevel, Settings, load
from .core.app import FEATURES, ServiceSettings
from .core.platform.http.protocol import ProblemProtocol
from .core.platform.http.tls import renewing
from .core.platform.observability.logs import configure_logging
from .environment import EnvironmentVariablesError

log = structlog.stdlib.get_logger(__name__)

COMMANDS = {word: module for it in FEATURES for word, module in it.commands.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until stopped. Options take precedence over the environment."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in COMMANDS:
        sys.exit(import_module(COMMANDS[words[0]]).main(words))
    options = parse(words)
    # The server's processes read the environment again, so options reach them, and are
    # validated, like every other setting.
    os.environ.update(
        (f"APP_{name.upper()}", value) for name, value in options.items() if value
    )
    try:
        settings, _ = load(ServiceSettings)
    except EnvironmentVariablesError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    configure_logging(settings)
    serve(settings)


def parse(arguments: Sequence[str]) -> dict[str, str | None]:
    """Parse the options, each named after its variable."""
    parser = argparse.ArgumentParser(
        prog="my-app",
        description="Serve the application.",
        epilog="; ".join(f"%(prog)s {word} --help" for word in COMMANDS),
    )
    parser.add_argument("--host", help="address to listen on (APP_HOST)")
    parser.add_argument("--port", help="port to listen on (APP_PORT)")
    parser.add_argument("--workers", help="server processes (APP_WORKERS)")
    parser.add_argument(
        "--log-level",
        choices=get_args(LogLevel),
        help="minimum level to log (APP_LOG_LEVEL)",
    )
    return vars(parser.parse_args(arguments))


def serve(settings: Settings) -> None:
    """Run the server in this process, or in worker processes if there are several."""
    with ExitStack() as opened:
        # A single process needs no files, so it also runs on a read-only file system.
        if settings.workers > 1 and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            # Where the workers share metrics, so that any of them exposes the total.
            folder = tempfile.TemporaryDirectory(prefix="metrics-")
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = opened.enter_context(folder)
        options: dict[str, Any] = {
            "host": settings.host,
            "port": settings.port,
            "workers": settings.workers,
            "http": ProblemProtocol,
            "log_config": None,
            "access_log": False,
            "server_header": False,
            "forwarded_allow_ips": ",".join(settings.trusted_proxies),
            "timeout_graceful_shutdown": settings.shutdown_grace_seconds,
        }
        if settings.tls_certificate:
            options |= {
                "ssl_certfile": settings.tls_certificate,
                "ssl_keyfile": settings.tls_key,
                "ssl_context_factory": renewing,
            }
        if settings.workers == 1 and not settings.metrics_port:
            uvicorn.run("my_app.main:app", **options)
            return
        config = uvicorn.Config("my_app.main:app", **options)
        sockets = [bound(config)]
        if port := settings.metrics_port:
            own = uvicorn.Config(
                "my_app.main:app",
                **options | {"port": port},
            )
            sockets.append(bound(own))
        if settings.workers > 1:
            Supervisor(config, sockets).run()
        else:
            with suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets)


def bound(config: uvicorn.Config) -> socket.socket:
    """Bind a socket whose connections send what is short at once.

    asyncio sees to that if a socket says that it is TCP; uvicorn's does not, and each
    answer takes 40 ms (Kludex/uvicorn#3149). Connections inherit the option.
    """
    listening = config.bind_socket()
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


class Supervisor(Multiprocess):
    """uvicorn's supervisor, for which the death of a worker is an error."""

    def keep_subprocess_alive(self) -> None:
        """Replace workers that died."""
        before = [*self.processes]
        super().keep_subprocess_alive()
        for process in before:
            if process not in self.processes:
                log.error("worker died", pid=process.pid, exit_code=process.exitcode)


if __name__ == "__main__":
    main()
