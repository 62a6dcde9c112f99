import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from trunkline.errors import FailedError, UsageError
from trunkline.registry.credentials import find_credentials

REGISTRY = "registry.example.com:5000"
AUTH = base64.b64encode(b"robot:correct:horse").decode()
HELPER = """#!/bin/sh
read -r server
case "$1 $server" in
"get registry.example.com:5000") echo '{"Username": "USER", "Secret": "of a helper"}' ;;
"get broken.example.com") echo 'secret of somebody: locked'; exit 1 ;;
"get babble.example.com") echo 'secret of somebody' ;;
*) echo 'credentials not found in native keychain'; exit 1 ;;
esac
"""


def configure(
    folder: Path, config: dict[str, Any], user: str = "robot"
) -> dict[str, str]:
    """Write Docker's configuration and a credential helper; give the environment."""
    (folder / "config.json").write_text(json.dumps(config))
    helper = folder / "docker-credential-test"
    helper.write_text(HELPER.replace("USER", user))
    helper.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {"DOCKER_CONFIG": str(folder), "PATH": path}


def test_nobody_is_known_where_nothing_is_configured(tmp_path: Path) -> None:
    assert find_credentials(REGISTRY, {}, home=tmp_path) is None


def test_the_environment_comes_first(tmp_path: Path) -> None:
    environ = configure(tmp_path, {"auths": {REGISTRY: {"auth": AUTH}}}) | {
        "TRUNKLINE_REGISTRY_USER": "ci",
        "TRUNKLINE_REGISTRY_PASSWORD": "token",
    }
    found = find_credentials(REGISTRY, environ)
    assert found is not None
    assert (found.user, found.password) == ("ci", "token")


@pytest.mark.parametrize(
    "only", ["TRUNKLINE_REGISTRY_USER", "TRUNKLINE_REGISTRY_PASSWORD"]
)
def test_half_an_account_in_the_environment_is_refused(only: str) -> None:
    with pytest.raises(UsageError, match="is empty; expected both"):
        find_credentials(REGISTRY, {only: "x"})


@pytest.mark.parametrize(
    "key",
    [REGISTRY, f"https://{REGISTRY}", f"https://{REGISTRY}/v2/", f"http://{REGISTRY}/"],
)
def test_an_account_of_docker_login_is_found(tmp_path: Path, key: str) -> None:
    environ = configure(tmp_path, {"auths": {key: {"auth": AUTH}}})
    found = find_credentials(REGISTRY, environ)
    assert found is not None
    assert (found.user, found.password) == ("robot", "correct:horse")
    assert found.source == str(tmp_path / "config.json")


def test_the_account_of_docker_hub_has_a_name_of_its_own(tmp_path: Path) -> None:
    key = "https://index.docker.io/v1/"
    environ = configure(tmp_path, {"auths": {key: {"auth": AUTH}}})
    assert find_credentials("docker.io", environ) is not None


@pytest.mark.parametrize(
    "config", [{"credsStore": "test"}, {"credHelpers": {REGISTRY: "test"}}]
)
def test_a_credential_helper_is_asked(tmp_path: Path, config: dict[str, Any]) -> None:
    auths: dict[str, Any] = {"auths": {REGISTRY: {}}}  # As `docker login` leaves it.
    found = find_credentials(REGISTRY, configure(tmp_path, {**auths, **config}))
    assert found is not None
    assert (found.user, found.password) == ("robot", "of a helper")
    assert found.source == "docker-credential-test"


def test_a_helper_may_give_an_identity_token(tmp_path: Path) -> None:
    environ = configure(tmp_path, {"credsStore": "test"}, user="<token>")
    found = find_credentials(REGISTRY, environ)
    assert found is not None
    assert (found.password, found.identity_token) == ("", "of a helper")


def test_what_the_helper_does_not_know_may_be_in_the_file(tmp_path: Path) -> None:
    auths = {"other.example.com": {"auth": AUTH}}
    environ = configure(tmp_path, {"credsStore": "test", "auths": auths})
    found = find_credentials("other.example.com", environ)
    assert found is not None
    assert found.user == "robot"
    assert find_credentials("third.example.com", environ) is None


@pytest.mark.parametrize("registry", ["broken.example.com", "babble.example.com"])
def test_a_helper_that_fails_is_named_and_what_it_prints_is_not(
    tmp_path: Path, registry: str
) -> None:
    environ = configure(tmp_path, {"credsStore": "test"})
    with pytest.raises(FailedError, match="docker-credential-test get") as caught:
        find_credentials(registry, environ)
    assert "secret of somebody" not in str(caught.value)


def test_a_helper_that_is_missing_is_named(tmp_path: Path) -> None:
    environ = configure(tmp_path, {"credsStore": "nowhere"})
    with pytest.raises(FailedError, match="docker-credential-nowhere"):
        find_credentials(REGISTRY, environ)


@pytest.mark.parametrize("auth", ["@@@", base64.b64encode(b"nobody").decode()])
def test_an_account_that_cannot_be_read_says_what_to_type(
    tmp_path: Path, auth: str
) -> None:
    environ = configure(tmp_path, {"auths": {REGISTRY: {"auth": auth}}})
    with pytest.raises(UsageError, match=f"docker login {REGISTRY}"):
        find_credentials(REGISTRY, environ)


def test_a_configuration_that_is_no_json_is_named_and_not_shown(tmp_path: Path) -> None:
    environ = configure(tmp_path, {})
    (tmp_path / "config.json").write_text('{"auths": secret')
    with pytest.raises(UsageError, match=r"config.json cannot be read") as caught:
        find_credentials(REGISTRY, environ)
    assert "secret" not in str(caught.value)


def test_credentials_print_no_secret(tmp_path: Path) -> None:
    environ = configure(tmp_path, {"auths": {REGISTRY: {"auth": AUTH}}})
    assert "horse" not in repr(find_credentials(REGISTRY, environ))
