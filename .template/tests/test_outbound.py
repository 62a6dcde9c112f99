"""Calls to a real server that is slow, broken, silent or gone."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from time import monotonic
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter
from opentelemetry import trace
from prometheus_client import CollectorRegistry, generate_latest

from my_app.config import Flags
from my_app.core.app import create_app, settings_class
from my_app.core.platform.feature import Feature
from my_app.core.platform.http import outbound
from my_app.core.platform.http.outbound import (
    Outbound,
    OutboundClient,
    OutboundSettings,
    UnavailableError,
)

from tests.conftest import MakeClient
from tests.servers import free_port

pytestmark = pytest.mark.anyio
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: %d\r\nContent-Length: 0\r\n\r\n"
KEY = {"Idempotency-Key": "k"}


class Other:
    """Another service: what it does next, and what it was asked."""

    def __init__(self) -> None:
        self.plan: list[str] = []
        self.requests: list[bytes] = []
        self.asked = asyncio.Event()
        self.open = self.most = 0
        self.url = ""

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer the requests of one connection."""
        try:
            while head := await headers_of(reader):
                self.requests.append(head)
                self.asked.set()
                self.open += 1
                self.most = max(self.most, self.open)
                await self.answer(self.plan.pop(0) if self.plan else "ok", writer)
                self.open -= 1
        except ConnectionError:
            self.open -= 1
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def answer(self, what: str, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        match what.split():
            case ["busy", seconds]:
                writer.write(BUSY % int(seconds))
            case ["error"]:
                writer.write(OK.replace(b"200", b"500"))
            case ["cookie"]:
                writer.write(OK.replace(b"\r\n", b"\r\nSet-Cookie: a=b\r\n", 1))
            case ["garbage"]:
                writer.write(b"hello\r\n\r\n")
            case ["half"]:
                writer.write(OK[:-1])
                writer.close()
            case ["close"]:
                writer.close()
            case ["hang"]:
                await asyncio.sleep(3600)
            case ["stall"]:
                writer.write(OK[:-1])
                await asyncio.sleep(3600)
            case ["drip"]:
                writer.write(OK.replace(b": 2", b": 200"))
                for _ in range(200):
                    await asyncio.sleep(0.1)
                    writer.write(b".")
                    await writer.drain()
            case ["slow"]:
                await asyncio.sleep(0.05)
                writer.write(OK)
            case _:
                writer.write(OK)


async def headers_of(reader: asyncio.StreamReader) -> bytes:
    """Read a request's head, nothing at the connection's end."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@pytest.fixture
async def other() -> AsyncIterator[Other]:
    """Run the other service."""
    it = Other()
    tasks: set[asyncio.Task[None]] = set()

    def connected(r: asyncio.StreamReader, w: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(it.serve(r, w)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    it.url = "http://{}:{}/x".format(*server.sockets[0].getsockname())
    yield it
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def calling(**settings: Any) -> AsyncIterator[Outbound]:  # noqa: ANN401
    """Open a client; `timeout=…` for outbound_timeout_seconds and so on."""
    registry = CollectorRegistry()
    own = {"timeout_seconds": 0.5, "circuit_failures": 99} | settings
    named = {f"outbound_{name}": value for name, value in own.items()}
    async with Outbound(OutboundSettings.model_validate(named), registry) as client:
        yield client


def ends(client: Outbound) -> dict[str, float]:
    """Count the attempts by the status that names their end."""
    found: Counter[str] = Counter()
    for sample in (it for m in client.duration.collect() for it in m.samples):
        if sample.name.endswith("_count"):
            found[sample.labels["status"]] += int(sample.value)
    return dict(found)


@pytest.mark.parametrize("failure", ["busy 0", "garbage", "half", "close", "hang"])
@pytest.mark.parametrize(
    ("method", "headers", "content", "attempts"),
    [
        ("GET", {}, None, 3),
        ("PUT", {}, b"x", 3),
        ("POST", KEY, b"x", 3),
        ("POST", {}, b"x", 1),
    ],
)
async def test_a_call_is_repeated_only_where_it_is_safe(
    other: Other,
    *,
    failure: str,
    method: str,
    headers: dict[str, str],
    content: bytes | None,
    attempts: int,
) -> None:
    other.plan = [failure, failure]
    async with calling(timeout_seconds=0.2) as client:
        call = client.request(method, other.url, headers=headers, content=content)
        if attempts > 1:
            assert (await call).text == "ok"
        else:
            with pytest.raises(UnavailableError) as caught:
                await call
            host = other.url.split("/")[2]
            assert str(caught.value.__cause__).startswith(f"POST {host}: ")
            assert host not in str(caught.value)

    assert len(other.requests) == attempts


async def test_a_body_that_cannot_be_sent_twice_is_not(other: Other) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"x"

    other.plan = ["close"]
    async with calling() as client:
        with pytest.raises(UnavailableError):
            await client.put(other.url, content=parts())

    assert len(other.requests) == 1


async def test_what_was_never_sent_is_repeated_whatever_it_is() -> None:
    async with calling() as client:
        with pytest.raises(UnavailableError):
            await client.post(f"http://127.0.0.1:{free_port()}/")

        assert ends(client) == {"ConnectError": 3}


@pytest.mark.parametrize("end", ["hang", "drip"])
async def test_neither_a_silent_nor_a_dripping_host_keeps_a_call(
    other: Other, end: str
) -> None:
    other.plan = [end] * 2
    async with calling(attempts=2) as client:
        with pytest.raises(UnavailableError):
            await client.get(other.url)
        assert ends(client) == {"ReadTimeout": 2}
        other.plan = ["slow"]
        assert (await client.get(other.url, timeout=9)).text == "ok"


async def test_of_a_stream_each_part_has_the_time_that_a_call_has(other: Other) -> None:
    async with calling(timeout_seconds=1) as client:
        other.plan = ["drip"]
        async with client.stream("GET", other.url) as response:
            started, received = monotonic(), b""
            async for part in response.aiter_bytes():
                received += part
                if monotonic() - started > 2:
                    break
        assert len(received) > 1
        other.plan = ["stall"]
        async with client.stream("GET", other.url) as response:
            with pytest.raises(httpx2.ReadTimeout):
                await response.aread()


@pytest.mark.parametrize(
    ("variables", "seen"),
    [
        ({"HTTP_PROXY": "{}"}, b"GET http://service.example/x "),
        ({"ALL_PROXY": "{}"}, b"GET http://service.example/x "),
        ({"HTTPS_PROXY": "{}"}, b""),
        ({"HTTP_PROXY": "{}", "NO_PROXY": "a,.example"}, b""),
        ({"HTTP_PROXY": "{}", "NO_PROXY": "*"}, b""),
    ],
)
async def test_the_proxy_of_the_environment_is_asked(
    other: Other,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    seen: bytes,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(other.url.removesuffix("/x")))
    async with calling(attempts=1) as client:
        with nullcontext() if seen else pytest.raises(UnavailableError):
            await client.get("http://service.example/x")

    assert b"".join(other.requests).startswith(seen)
    assert len(other.requests) == bool(seen)


async def test_https_goes_through_the_proxy_s_tunnel(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", other.url.removesuffix("/x"))
    async with calling(attempts=1) as client:
        with pytest.raises(UnavailableError):  # Nobody speaks TLS at its end.
            await client.get("https://service.example/x")

    assert other.requests[0].startswith(b"CONNECT service.example:443 ")


async def test_a_host_says_when_to_come_again(other: Other) -> None:
    async with calling(timeout_seconds=1.5) as client:
        other.plan = ["busy 1"]
        started = monotonic()
        assert (await client.get(other.url)).text == "ok"
        assert monotonic() - started >= 1

        other.plan = ["busy 60"]
        with pytest.raises(UnavailableError):
            await client.get(other.url)
        assert ends(client) == {"200": 1, "503": 2}


async def test_cookies_of_one_call_are_not_sent_with_another(other: Other) -> None:
    async with calling() as client:
        other.plan = ["cookie"]
        await client.get(other.url)
        await client.get(other.url)

    assert b"cookie" not in other.requests[1].lower()


async def test_any_other_response_is_the_caller_s(other: Other) -> None:
    other.plan = ["error", "error"]
    async with calling(circuit_failures=1) as client:
        responses = [await client.get(other.url) for _ in range(3)]

    assert [it.status_code for it in responses] == [500, 500, 200]


async def test_calls_to_a_host_wait_for_one_another(other: Other) -> None:
    other.plan = ["slow"] * 8
    async with calling(concurrency=2, timeout_seconds=9) as client:
        calls = (client.get(other.url) for _ in range(8))
        assert {it.status_code for it in await asyncio.gather(*calls)} == {200}

    assert (other.most, len(other.requests)) == (2, 8)


async def test_a_host_whose_connections_are_all_taken_does_not_stop_others(
    other: Other,
) -> None:
    other.plan = ["hang"]
    async with calling(concurrency=1, circuit_failures=1, attempts=1) as client:
        hanging = asyncio.create_task(client.get(other.url, timeout=99))
        await other.asked.wait()
        with pytest.raises(UnavailableError) as caught:
            await client.get(other.url)
        with pytest.raises(UnavailableError) as elsewhere:
            await client.get(f"http://127.0.0.1:{free_port()}/")
        hanging.cancel()
        await asyncio.wait([hanging])

        assert "PoolTimeout" in str(caught.value.__cause__)
        assert "ConnectError" in str(elsewhere.value.__cause__)
        # Neither its being full nor a call that was given up speaks against it.
        assert (await client.get(other.url)).text == "ok"


async def test_a_circuit_fails_fast_until_one_call_finds_the_host_well(
    other: Other,
) -> None:
    other.plan = ["close"] * 3
    limits = {"circuit_failures": 2, "circuit_seconds": 0.3, "attempts": 1}
    async with calling(**limits) as client:

        async def outcome() -> str:
            try:
                return (await client.get(other.url)).text
            except UnavailableError as error:
                return str(error.__cause__).split()[2]

        assert [await outcome() for _ in range(3)] == [
            "RemoteProtocolError",
            "RemoteProtocolError",
            "CircuitOpenError",
        ]
        await asyncio.sleep(0.3)
        tried = await asyncio.gather(*(outcome() for _ in range(3)))
        assert sorted(tried) == ["CircuitOpenError"] * 2 + ["RemoteProtocolError"]
        await asyncio.sleep(0.3)
        assert [await outcome(), await outcome()] == ["ok", "ok"]

    assert len(other.requests) == 5


async def test_the_trace_is_passed_on(other: Other) -> None:
    context = trace.SpanContext(0xA1, 0xB2, False, trace.TraceFlags(1))
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    settings = OutboundSettings.model_validate(endpoint)
    async with Outbound(settings, CollectorRegistry()) as client:
        with trace.use_span(trace.NonRecordingSpan(context)):
            await client.get(other.url)

    sent = f"traceparent: 00-{0xA1:032x}-{0xB2:016x}-01".encode()
    assert sent in other.requests[0]


async def test_a_feature_calls_by_the_application_s_client(
    other: Other, make_client: MakeClient
) -> None:
    router = APIRouter()

    @router.get("/called")
    async def call(client: OutboundClient) -> str:
        return (await client.get(other.url)).text

    features = (outbound.feature, Feature(name="caller", router=router))
    settings = settings_class(features)(environment="test")
    app = create_app(settings, Flags(), features)
    for _ in range(2):  # An application may be started again.
        async with make_client(app) as client:
            good = await client.get("/called", headers={"X-Request-ID": "id-1"})
            other.plan = ["close"] * 3
            bad = await client.get("/called")
            exposed = (await client.get("/metrics")).text

    host = other.url.split("/")[2]
    assert (good.json(), bad.status_code) == ("ok", 503)
    assert json.loads(bad.text)["code"] == "dependency_unavailable"
    assert host not in bad.text
    assert b"x-request-id: id-1\r\n" in other.requests[0].lower()
    assert f'host="{host}",method="GET",status="200"' in exposed
    assert b"outbound" not in generate_latest(app.state.context.metrics.registry)
    with pytest.raises(RuntimeError, match="closed"):
        await app.state.outbound.send(httpx2.Request("GET", other.url))
