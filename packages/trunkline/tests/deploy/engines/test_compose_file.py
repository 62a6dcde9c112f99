"""What `docker compose` is told."""

from pathlib import Path

import pytest

from trunkline.deploy.engines.compose_file import (
    free_colour,
    proxy_variables,
    read_override,
    write_override,
)
from trunkline.deploy.environments import Environment


@pytest.mark.parametrize(
    ("url", "site", "ports"),
    [
        ("http://127.0.0.1:8100", ":80", "127.0.0.1:8100:80"),
        ("http://[::1]:8100", ":80", "[::1]:8100:80"),
        ("http://localhost:8100", ":80", "127.0.0.1:8100:80"),
        ("http://staging.example.com:80", ":80", "80:80"),
        ("https://staging.example.com", "staging.example.com:443", "443:443"),
    ],
)
def test_caddy_serves_https_for_a_name_and_else_what_comes_to_the_port(
    url: str, site: str, ports: str
) -> None:
    told = proxy_variables(Environment("staging", url, "compose"), Path("/live"))
    assert (told["TRUNKLINE_SITE"], told["TRUNKLINE_PORTS"]) == (site, ports)


def test_compose_expands_nothing_in_an_override() -> None:
    services = {"blue": {"image": "a@sha256:1", "labels": {"x": "$HOME and $$"}}}
    written = write_override(services)
    assert b"$$HOME and $$$$" in written
    assert read_override(written) == services


def test_the_colour_that_nothing_has_is_next() -> None:
    assert [free_colour(set()), free_colour({"blue"}), free_colour({"green"})] == [
        *("blue", "green", "blue")
    ]
