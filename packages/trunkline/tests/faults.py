"""A proxy in front of a registry that injects failures of networks and registries."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse

from http_servers import QuietHandler, serving
from registries import Server

_OWN = {"connection", "transfer-encoding", "content-length", "date", "server"}


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` requests whose method and path match.

    `status` is returned instead of the registry's response; `delay` waits first;
    `before` is called first; `cut` forwards that many bytes of the body and closes both
    connections; `lost` forwards the request and closes the connection without a
    response.
    """

    matches: str
    times: int = 1
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0
    before: Callable[[], object] | None = None
    cut: int | None = None
    lost: bool = False


@dataclass(slots=True)
class Proxy:
    """The proxy: the faults to inject, and every request that it received."""

    server: Server
    faults: list[Fault] = field(default_factory=list)
    # "METHOD path" and the status of the response, 0 for none.
    requests: list[tuple[str, int]] = field(default_factory=list)
    # The header `Authorization` of every request, in the same order.
    authorizations: list[str | None] = field(default_factory=list)
    # Every digest that was written to each tag through the proxy, in order.
    pointed: dict[str, list[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, request: str) -> Fault | None:
        """Return the first fault that matches a request, and count it."""
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and re.search(fault.matches, request):
                    fault.times -= 1
                    return fault
        return None

    def count(self, pattern: str) -> int:
        """Count the requests that match."""
        return sum(bool(re.search(pattern, request)) for request, _ in self.requests)


@contextmanager
def proxy_before(server: Server) -> Iterator[Proxy]:
    """Run a proxy in front of a registry; clients connect to `proxy.server`."""

    class Handler(_Handler):
        upstream = server.host

    with serving(Handler) as host:
        Handler.proxy = Proxy(Server(host, server.storage))
        yield Handler.proxy


class _Handler(QuietHandler):
    # Docker tries TLS first, and falls back if the answer is one of HTTP.
    default_request_version = "HTTP/1.0"
    protocol_version = "HTTP/1.1"
    proxy: Proxy
    upstream: str

    def handle_any(self) -> None:
        request = f"{self.command} {self.path}"
        body = self._read_body()
        fault = self.proxy.take(request) or Fault("")
        if fault.before:
            fault.before()
        time.sleep(fault.delay)
        if fault.cut is not None:
            self._cut(body[: fault.cut], len(body))
        elif fault.status is not None:
            self._answer(fault.status, fault.headers, fault.body)
        else:
            self._pass_on(body, lost=fault.lost)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.read_body()
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _pass_on(self, body: bytes, *, lost: bool) -> None:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _OWN}
        connection = HTTPConnection(self.upstream, timeout=30)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status == HTTPStatus.CREATED:
                self._remember(answer)
            if lost:
                self._break()
            else:
                self._answer(answer.status, _headers(answer), content)
        except ConnectionError:
            self._break()  # The client or the registry is gone.
        finally:
            connection.close()

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self._record(status)
        self.reply(status, headers, body)

    def _remember(self, answer: HTTPResponse) -> None:
        put = re.fullmatch(r"PUT .*/manifests/([^:]+)", f"{self.command} {self.path}")
        if put:
            digest = answer.headers["Docker-Content-Digest"]
            self.proxy.pointed.setdefault(put[1], []).append(digest)

    def _record(self, status: int) -> None:
        # Before the client sees the response, so that a test finds it afterwards.
        self.proxy.authorizations.append(self.headers.get("Authorization"))
        self.proxy.requests.append((f"{self.command} {self.path}", status))

    def _cut(self, part: bytes, length: int) -> None:
        """Send the registry only a part of the body that was announced."""
        host, _, port = self.upstream.rpartition(":")
        head = [f"{self.command} {self.path} HTTP/1.1"]
        head += [f"{k}: {v}" for k, v in self.headers.items() if k.lower() not in _OWN]
        head += [f"Content-Length: {length}", "Connection: close", "", ""]
        with socket.create_connection((host, int(port))) as line:
            line.sendall("\r\n".join(head).encode() + part)
            time.sleep(0.2)  # The registry writes what it received.
        self._break()

    def _break(self) -> None:
        self._record(0)
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _headers(answer: HTTPResponse) -> dict[str, str]:
    kept = {k: v for k, v in answer.getheaders() if k.lower() not in _OWN}
    length = answer.getheader("Content-Length")
    return {**kept, **({"Content-Length": length} if length else {})}
