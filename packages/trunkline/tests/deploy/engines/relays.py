"""A socket that leads to the engine, and disappears under whoever uses it."""

import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")


@contextmanager
def relay(path: str) -> Iterator[None]:
    """Lead to the engine as long as the block lasts."""
    open_ones: list[socket.socket] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as engine:
                engine.connect(ENGINE.removeprefix("unix://"))
                open_ones.extend((self.request, engine))
                back = threading.Thread(target=pass_on, args=(engine, self.request))
                back.start()
                pass_on(self.request, engine)
                back.join()

    with socketserver.ThreadingUnixStreamServer(path, Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        try:
            yield
        finally:
            os.unlink(path)
            server.shutdown()
            for one in open_ones:
                with suppress(OSError):  # Of one that has ended.
                    one.shutdown(socket.SHUT_RDWR)


def pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)
