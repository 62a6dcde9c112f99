"""HTTPS by a certificate and its key, read again when they are renewed."""

import os
import ssl
from collections.abc import Callable

import structlog
from uvicorn import Config

log = structlog.stdlib.get_logger(__name__)


def renewing(config: Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Build uvicorn's context; each handshake checks if the files changed.

    Connections keep the certificate they began with, so none is lost.
    """
    context = default()
    files = [
        os.fspath(file) for file in (config.ssl_certfile, config.ssl_keyfile) if file
    ]
    seen = times(files)

    def renew(*_: object) -> None:
        nonlocal seen
        try:
            if seen != (seen := times(files)):
                # Half renewed, they would leave the context without any.
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files)
                context.load_cert_chain(*files)
                log.info("certificate renewed")
        except OSError as error:
            log.error("certificate not renewed", cause=str(error))

    context.sni_callback = renew
    return context


def times(files: list[str]) -> list[int]:
    """Return when each file was changed."""
    return [os.stat(file).st_mtime_ns for file in files]
