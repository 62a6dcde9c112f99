"""The access log has one line per finished request."""

import asyncio
import json
from io import BytesIO

import pytest
from structlog.testing import capture_logs

from my_app.config import Settings
from my_app.core.platform.observability.access_log import (
    ConsoleAccessLog,
    EcsAccessLog,
    access_log,
    timestamp,
)

SCOPE = {"method": "GET", "path": '/a"b\n/ü', "client": ('a"b\\', 1)}


@pytest.mark.anyio
async def test_a_line_is_one_json_object_of_the_schema() -> None:
    stream = BytesIO()
    log = EcsAccessLog(
        stream,
        {"name": "my-app", "version": "1.2.0"},
        trace_ids=lambda: {"trace.id": "1", "span.id": "2"},
    )

    log.write(SCOPE, "/{path}", 500, 0.25, "abc")
    await asyncio.sleep(0)

    assert stream.getvalue().count(b"\n") == 1
    line = json.loads(stream.getvalue())
    assert line.pop("@timestamp").endswith("Z")
    assert line == {
        "log.level": "error",
        "log.logger": "access",
        "message": 'GET /a"b\n/ü 500',
        "http.request.method": "GET",
        "url.path": '/a"b\n/ü',
        "http.route": "/{path}",
        "http.response.status_code": 500,
        "event.duration": 250_000_000,
        "client.ip": 'a"b\\',
        "http.request.id": "abc",
        "trace.id": "1",
        "span.id": "2",
        "ecs.version": "9.0.0",
        "service.name": "my-app",
        "service.version": "1.2.0",
    }


@pytest.mark.anyio
async def test_lines_are_in_the_order_of_the_requests() -> None:
    stream = BytesIO()
    log = EcsAccessLog(stream, {})

    for number in range(3):
        log.write({**SCOPE, "client": None}, "/", 200, 0, str(number))
    await asyncio.sleep(0)
    log.write(SCOPE, "/", 200, 0, "3")
    await asyncio.sleep(0)

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["http.request.id"] for line in lines] == ["0", "1", "2", "3"]


@pytest.mark.anyio
async def test_a_full_disk_does_not_stop_the_service() -> None:
    class FullDisk(BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    log = EcsAccessLog(FullDisk(), {})
    log.write(SCOPE, "/", 200, 0, "abc")

    log.flush()


@pytest.mark.parametrize(("status", "level"), [(200, "info"), (503, "error")])
def test_in_development_lines_are_for_people(status: int, level: str) -> None:
    log = access_log(Settings(environment="development"))
    assert isinstance(log, ConsoleAccessLog)

    with capture_logs() as lines:
        log.write(SCOPE | {"path": "/x"}, "/x", status, 0.0123, "abc")

    assert lines == [
        {"event": f"GET /x {status}", "log_level": level, "ms": 12.3}
        | {"request_id": "abc"}
    ]


def test_a_terminal_gets_no_control_characters() -> None:
    with capture_logs() as lines:
        ConsoleAccessLog().write(SCOPE | {"path": "/\x1b[2J\n"}, "", 404, 0, "abc")

    assert lines[0]["event"] == r"GET '/\x1b[2J\n' 404"


def test_a_time_is_written_in_utc_to_the_millisecond() -> None:
    assert timestamp(1_700_000_000.0) == "2023-11-14T22:13:20.000Z"
    assert timestamp(1_700_000_000.9996) == "2023-11-14T22:13:20.999Z"
    assert timestamp(1_700_000_001.0625) == "2023-11-14T22:13:21.062Z"
