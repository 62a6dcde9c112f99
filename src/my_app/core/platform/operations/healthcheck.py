"""The image's HEALTHCHECK: ask the service in this container whether it is alive.

Uses a plain socket: this runs every few seconds, and importing an HTTP client would
triple the time it takes.
"""

import os
import socket
import sys

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
SECONDS = 2


def main() -> int:
    """Return 0 if /healthz answers 200, else 1 with what was found instead."""
    # The image listens on 0.0.0.0; connecting to that reaches the local machine.
    host = os.environ.get("APP_HOST") or "127.0.0.1"
    port = int(os.environ.get("APP_PORT") or "8000")
    try:
        with socket.create_connection((host, port), timeout=SECONDS) as connection:
            if os.environ.get("APP_TLS_CERTIFICATE"):
                connection = encrypted(connection)  # noqa: PLW2901
            connection.sendall(REQUEST)
            status = connection.makefile("rb").readline()
    except OSError as error:
        found = str(error)
    else:
        if b" 200 " in status:
            return 0
        found = status.decode("latin-1").strip() or "no response"
    print(f"{host}:{port}/healthz: found {found}; expected 200", file=sys.stderr)
    return 1


def encrypted(connection: socket.socket) -> socket.socket:
    """Speak TLS; the certificate is for another name than this machine's."""
    import ssl  # noqa: PLC0415 - takes longer than the request

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection)


if __name__ == "__main__":
    sys.exit(main())
