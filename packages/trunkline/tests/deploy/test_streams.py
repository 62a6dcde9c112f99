"""What deploys do to streams of events that are open through the proxy."""

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.shops import Shop, end_all
from registries import free_port

pytestmark = pytest.mark.slow
DEPLOYS = 10
DEMO = """
[tool.trunkline.environments.demo]
url = "{url}"
variables = ["staging.env"]
window = 1
"""


@contextmanager
def opened(url: str) -> Iterator[Iterator[tuple[float, str]]]:
    """Open a stream; yields when and by whom each event was sent."""
    client = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    client.request("GET", "/stream")
    answer = client.getresponse()
    assert answer.headers["Content-Type"] == "text/event-stream"
    words = (one.split() for one in answer if one.startswith(b"data: "))
    yield ((float(one[1]), one[2].decode()) for one in words)
    client.close()


def test_a_stream_to_the_old_one_lives_until_that_has_drained(shop: Shop) -> None:
    shop.deploy("main").required()
    shop.branch("feat/login")
    with opened(shop.url) as events:
        assert next(events)[1] == "main"
        shop.deploy("feat/login").required()
        heard = [sender for _, sender in events]
    assert set(heard[:-1]) == {"main"}
    # Which the service says a second after it was told to stop.
    assert heard[-1] == "bye"
    # What a browser does by itself then.
    with opened(shop.url) as events:
        assert next(events)[1] == "feat/login"


def test_a_stream_to_another_environment_lives_through_ten_deploys(
    shop: Shop,
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    project = shop.root / "pyproject.toml"
    shop.write("pyproject.toml", project.read_text() + DEMO.format(url=url))
    try:
        shop.trunkline("deploy", "main", "--to", "demo").required()
        shop.set(window=0)
        shop.branch("feat/login")
        with opened(url) as events:
            for number in range(DEPLOYS):
                shop.deploy(("main", "feat/login")[number % 2]).required()
            ended = time.time()
            assert "main" in (sender for sent, sender in events if sent > ended)
        assert len(shop.history()) == DEPLOYS
    finally:
        end_all(shop.folder.with_name("demo"))
