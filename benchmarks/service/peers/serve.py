"""Serve a peer: `python -m benchmarks.service.peers.serve bare_fastapi 8000`.

Every peer runs on the same event loop and HTTP parser; only ours has its own protocol
class and server options, those of `my_app.__main__`.
"""

import argparse
from typing import Any

import uvicorn

PEERS = ("ours", "bare_fastapi", "bare_starlette")
INVOICE_PEERS = ("invoices", "bare_invoices")


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="benchmarks.service.peers.serve")
    parser.add_argument("peer", choices=PEERS + INVOICE_PEERS)
    parser.add_argument("port", type=int)
    given = parser.parse_args()
    uvicorn.run(**options(given.peer, given.port))


def options(peer: str, port: int) -> dict[str, Any]:
    """Return uvicorn's options for a peer."""
    ours = not peer.startswith("bare")
    protocol = "my_app.core.platform.http.protocol:ProblemProtocol"
    return {
        "app": f"benchmarks.service.peers.{peer}:app",
        "port": port,
        "loop": "asyncio",
        "http": protocol if ours else "httptools",
        "server_header": not ours,
        "log_config": None,
        "access_log": False,
    }


if __name__ == "__main__":
    main()
