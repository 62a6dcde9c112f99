"""Who may do what: registries that want a password or a token."""

import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import Fault, Proxy, proxy_before
from registries import PASSWORD, USER, Server, basic_auth, push_image, running_registry
from tokens import IDENTITY, TokenService, running_token_service
from trunkline.registry.authorization import parse_challenge
from trunkline.registry.responses import RegistryError

ACCOUNT = {"TRUNKLINE_REGISTRY_USER": USER, "TRUNKLINE_REGISTRY_PASSWORD": PASSWORD}
WRONG = {**ACCOUNT, "TRUNKLINE_REGISTRY_PASSWORD": "not the password"}
NOBODY = {"DOCKER_CONFIG": "/nonexistent"}


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A registry that wants a password for everything."""
    folder = tmp_path_factory.mktemp("locked")
    with running_registry(folder, auth=basic_auth(folder)) as server:
        yield server


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[TokenService]:
    with running_token_service(tmp_path / "tokens") as service:
        yield service


@pytest.fixture
def guarded(tokens: TokenService, tmp_path: Path) -> Iterator[Proxy]:
    """A registry that wants tokens, behind a proxy that counts."""
    with (
        running_registry(tmp_path / "guarded", auth=tokens.auth) as server,
        proxy_before(server) as proxy,
    ):
        yield proxy


def test_a_password_opens_a_registry(locked: Server) -> None:
    with locked.connect(environ=ACCOUNT) as registry:
        image = push_image(registry)
        registry.put_manifest("main", image)
        assert registry.digest("main") == image.digest


@pytest.mark.parametrize(
    ("environ", "who"),
    [
        (NOBODY, "without an account"),
        (WRONG, "with the account from TRUNKLINE_REGISTRY_USER"),
    ],
)
def test_a_refused_account_is_no_missing_tag(
    locked: Server, environ: dict[str, str], who: str
) -> None:
    with (
        locked.connect(environ=environ) as registry,
        pytest.raises(RegistryError, match=who) as caught,
    ):
        registry.digest("main")
    assert caught.value.status == 401
    assert f"docker login {locked.host}" in str(caught.value)
    assert "not the password" not in repr(caught.value)


def test_a_token_is_taken_for_each_task_and_kept(
    guarded: Proxy, tokens: TokenService
) -> None:
    with guarded.server.connect(environ=ACCOUNT) as registry:
        image = push_image(registry)
        for tag in ("a", "b", "c"):
            registry.put_manifest(tag, image)
        assert registry.tags() == ["a", "b", "c"]
        assert registry.delete(image.digest)
        path = registry.name.path
    tasks = ["pull", "pull,push", "delete"]
    assert tokens.scopes == [f"repository:{path}:{task}" for task in tasks]
    assert guarded.count("") - sum(s != 401 for _, s in guarded.requests) == 1


def test_everybody_may_read_a_public_repository(
    guarded: Proxy, tokens: TokenService
) -> None:
    with guarded.server.connect(environ=ACCOUNT) as registry:
        registry.put_manifest("main", image := push_image(registry))
    with guarded.server.connect(registry.name.path, environ=NOBODY) as anonymous:
        assert anonymous.digest("main") == image.digest
        with pytest.raises(RegistryError, match="may pull and push"):
            anonymous.put_manifest("other", image)
    assert tokens.scopes[-1].endswith(":pull,push")


def test_an_account_without_the_right_to_push_is_told_so(
    guarded: Proxy, tokens: TokenService
) -> None:
    tokens.actions = ("pull",)
    with (
        guarded.server.connect(environ=ACCOUNT) as registry,
        pytest.raises(RegistryError, match=r"UNAUTHORIZED|DENIED") as caught,
    ):
        push_image(registry)
    assert "an account that may pull and push" in str(caught.value)


def test_an_old_token_is_renewed_before_it_is_refused(
    guarded: Proxy, tokens: TokenService
) -> None:
    tokens.life = 1
    with guarded.server.connect(environ=ACCOUNT) as registry:
        registry.digest("main")
        time.sleep(0.6)  # More than half of its life.
        guarded.requests.clear()
        registry.digest("main")
    assert [status for _, status in guarded.requests] == [404, 404]
    assert len(tokens.scopes) == 2


@pytest.mark.parametrize("request_", ["PUT .*uploads", "PUT .*manifests"])
def test_a_token_that_ends_on_the_way_is_renewed_and_the_body_sent_again(
    guarded: Proxy, tokens: TokenService, request_: str
) -> None:
    tokens.life, tokens.told_life = 1, 300
    late = Fault(request_, delay=2.1, before=lambda: setattr(tokens, "life", 300))
    guarded.faults.append(late)
    with guarded.server.connect(environ=ACCOUNT) as registry:
        image = push_image(registry, "x" * 100_000)
        registry.put_manifest("main", image)
        assert registry.digest("main") == image.digest
        _, layer = image.blobs()
        assert registry.blob(layer) == b"x" * 100_000
    refused = [request for request, status in guarded.requests if status == 401]
    assert any(re.search(request_, request) for request in refused)


def test_a_token_service_that_gives_nothing_usable_ends_in_a_refusal(
    guarded: Proxy, tokens: TokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenService, "answer", lambda *_, **__: b"no JSON")
    with (
        guarded.server.connect(environ=ACCOUNT) as registry,
        pytest.raises(RegistryError, match="gave no token"),
    ):
        registry.digest("main")
    assert guarded.count("HEAD") == 1


def test_an_identity_token_is_given_to_the_token_service_only(
    guarded: Proxy, tmp_path: Path
) -> None:
    entry = {"auth": "", "identitytoken": IDENTITY}
    config = {"auths": {guarded.server.host: entry}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    environ = {"DOCKER_CONFIG": str(tmp_path)}
    with guarded.server.connect(environ=environ) as registry:
        image = push_image(registry)
        assert registry.digest(image.digest) == image.digest


def test_a_token_service_without_encryption_gets_no_password(
    guarded: Proxy, tokens: TokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge = 'Bearer realm="http://tokens.example.com/t",service="s"'
    guarded.faults.append(
        Fault("", status=401, headers={"WWW-Authenticate": challenge}, times=9)
    )
    with guarded.server.connect(environ=ACCOUNT) as registry:
        monkeypatch.setattr(registry.transport, "plain", False)
        with pytest.raises(RegistryError, match="begins with https"):
            registry.digest("main")


def test_the_most_talkative_log_has_no_secret(
    guarded: Proxy, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("connectionpool", "poolmanager", "util.retry"):
        # Importing commitizen switches off the loggers that exist by then.
        monkeypatch.setattr(logging.getLogger(f"urllib3.{module}"), "disabled", False)
    caplog.set_level(logging.DEBUG)
    with guarded.server.connect(environ=ACCOUNT) as registry:
        registry.put_manifest("main", push_image(registry))
    tokens = {sent for sent in guarded.authorizations if sent}
    assert caplog.text
    assert len(tokens) == 2
    for secret in (PASSWORD, *(token.split()[1] for token in tokens)):
        assert secret not in caplog.text


def test_nothing_secret_is_in_what_is_printed_of_a_registry(locked: Server) -> None:
    with locked.connect(environ=ACCOUNT) as registry:
        registry.digest("main")
        authorization = registry.transport.authorization
        shown = repr(
            (
                registry,
                registry.transport,
                authorization,
                authorization.credentials,
                vars(authorization),
            )
        )
    assert PASSWORD not in shown
    assert "Basic" not in shown


@pytest.mark.parametrize(
    "header",
    [
        'Bearer realm="/t, u",service=s, Basic realm="r"',  # Gitea
        'Negotiate, Basic realm="r", Bearer realm="/t, u",service="s"',
    ],
)
def test_of_several_ways_a_token_is_asked_for(header: str) -> None:
    parameters = {"realm": "/t, u", "service": "s"}
    assert parse_challenge(header) == ("bearer", parameters)
