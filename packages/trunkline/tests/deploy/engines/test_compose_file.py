"""What `docker compose` is told."""

from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from my_app.config import Settings
from samples import REPOSITORY
from trunkline.deploy.engines.compose_file import (
    proxy_variables,
    team_files,
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


@pytest.mark.parametrize(
    ("there", "named", "used"),
    [
        ([], "", ["docker/staging.compose.yaml"]),
        (
            ["backing.yaml"],
            "",
            ["docker/staging.compose.yaml", "docker/backing.yaml"],
        ),
        (["backing.yaml"], "docker/own.yaml", ["docker/own.yaml"]),
    ],
)
def test_what_the_service_stands_on_is_added_unless_the_environment_names_its_file(
    tmp_path: Path, there: list[str], named: str, used: list[str]
) -> None:
    (tmp_path / "docker").mkdir()
    for name in there:
        (tmp_path / "docker" / name).touch()
    url = "http://127.0.0.1:8100"
    environment = Environment("staging", url, "compose", compose=named)
    found = team_files(environment, tmp_path)
    assert [str(file.relative_to(tmp_path)) for file in found] == used


@pytest.mark.parametrize("file", sorted(REPOSITORY.glob("docker/*compose.yaml")))
def test_a_service_that_ends_has_more_time_than_it_takes(file: Path) -> None:
    service = yaml.safe_load(file.read_text())["services"]["service"]
    if extended := service.get("extends"):
        # What it changes is its name.
        assert service["environment"].keys() == {"APP_ENVIRONMENT"}
        document = yaml.safe_load(file.with_name(extended["file"]).read_text())
        service = document["services"][extended["service"]]
    delay = service["environment"]["APP_SHUTDOWN_DELAY_SECONDS"]
    grace = Settings.model_fields["shutdown_grace_seconds"].default
    assert delay == 3
    assert int(service["stop_grace_period"].removesuffix("s")) > delay + grace + 5


@pytest.mark.parametrize("file", sorted(REPOSITORY.glob("docker/*.yaml")))
def test_no_log_grows_without_end(file: Path) -> None:
    services = yaml.safe_load(file.read_text())["services"]
    own = [one for one in services.values() if "extends" not in one]
    assert all(one["logging"] == {"driver": "local"} for one in own)
