"""What kubectl says where it does not get to a cluster is a refusal that leads on."""

import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from registries import free_port, missing
from trunkline.deploy.engines.complaints import compose_refusal, passing, refusal
from trunkline.deploy.engines.workload import Workload
from trunkline.deploy.environments import Environment
from trunkline.errors import Refusal

CONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{ name: here, cluster: {{ server: "http://127.0.0.1:{port}" }} }}]
users: [{{ name: ana, user: {{ token: {token} }} }}]
contexts: [{{ name: here, context: {{ cluster: here, user: ana }} }}]
"""
ALLOWED = b"""{"kind": "SelfSubjectAccessReview",
"apiVersion": "authorization.k8s.io/v1", "status": {"allowed": true}}"""


@pytest.mark.parametrize(
    ("complaint", "waits"),
    [
        ("The connection to the server api:443 was refused", True),
        ("Unable to connect to the server: EOF", True),
        ("net/http: TLS handshake timeout", True),
        ("Error from server (ServiceUnavailable): apiserver not ready", True),
        ("Error from server (TooManyRequests): try again later", True),
        ("Error from server: etcdserver: leader changed", True),
        ("Error from server (Forbidden): no connection for you", False),
        ("error: You must be logged in to the server (Unauthorized)", False),
        ("Unable to connect to the server: x509: certificate has expired", False),
        ("Unable to connect to the server: dial tcp: no such host", False),
    ],
)
def test_only_what_goes_away_by_itself_is_waited_for(
    complaint: str, *, waits: bool
) -> None:
    assert passing(complaint) is waits


def test_what_says_nothing_of_the_way_there_is_passed_on() -> None:
    assert refusal("error: unknown flag", "", "staging") is None


class Server(BaseHTTPRequestHandler):
    """An API server that lets everybody in, or nobody.

    To one without TLS kubectl sends no token.
    """

    fresh = True

    def do_GET(self) -> None:
        fresh = self.fresh
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = self.command == "POST"
        self.send_response((201 if asked else 404) if fresh else 401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(ALLOWED if fresh and asked else b"{}")

    do_POST = do_GET

    def log_message(self, *words: object) -> None:
        """Be quiet."""


@pytest.fixture
def workload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workload:
    if shutil.which("kubectl") is None:
        missing("no kubectl on this machine")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    found = Workload(Environment("staging", "http://shop", context="here"), "shop")
    found.patience = 5
    return found


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", free_port()), Server) as server:
        Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


def configure(folder: Path, port: int, token: str) -> None:
    (folder / "config").write_text(CONFIG.format(port=port, token=token))


def typed(workload: Workload) -> tuple[str, str]:
    """Read the Deployment, and type what the refusal says."""
    with pytest.raises(Refusal) as refused:
        workload.read()
    command = refused.value.fix.partition("  (")[0]
    ran = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    return refused.value.rule, ran.stdout.decode()


def test_an_expired_token_is_replaced(
    workload: Workload, tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, port, "mine")
    monkeypatch.setattr(Server, "fresh", False)
    assert typed(workload)[0] == "log-in"
    found = refusal("error: You must be logged in", "--context=here", "staging")
    assert found
    monkeypatch.setattr(Server, "fresh", True)
    command = found.fix.partition("  (")[0]
    ran = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    assert ran.stdout.strip() == b"yes", ran.stderr


def test_a_context_that_is_none_is_chosen_from_a_list(
    workload: Workload, tmp_path: Path
) -> None:
    configure(tmp_path, 1, "fresh")
    workload.options[:] = ["--context=elsewhere"]
    rule, said = typed(workload)
    assert (rule, "here" in said) == ("context", True)


def test_a_server_that_does_not_answer_is_asked_until_it_does(
    workload: Workload, tmp_path: Path
) -> None:
    workload.patience = 0.5
    configure(tmp_path, free_port(), "fresh")
    assert typed(workload)[0] == "cluster-away"


@pytest.mark.parametrize(
    ("complaint", "rule"),
    [
        ("Bind for 0.0.0.0:80 failed: port is already allocated", "port"),
        ("ports are not available: exposing port TCP 0.0.0.0:80", "port"),
        ("docker: 'compose' is not a docker command.\nSee 'docker --help'", "compose"),
        ("unknown flag: --progress", "compose"),
        ("required variable API_KEY is missing a value", "variables"),
        ('required variable API_KEY is missing a value: "of the shop"', "variables"),
    ],
)
def test_what_docker_says_of_a_machine_that_is_not_prepared_is_understood(
    complaint: str, rule: str
) -> None:
    found = compose_refusal(complaint, Environment("staging", "http://127.0.0.1:80"))
    assert found
    assert found.rule == rule


def test_without_compose_the_package_that_has_it_is_named() -> None:
    said = "docker: unknown command: docker compose\n\nRun 'docker --help' for more"
    found = compose_refusal(said, Environment("staging", "http://127.0.0.1:80"))
    assert found
    assert found.found.endswith("Compose: docker: unknown command: docker compose")
    assert found.fix.startswith("sudo apt-get install docker-compose-plugin  (")


def test_what_else_docker_says_is_left_as_it_is() -> None:
    environment = Environment("staging", "http://127.0.0.1:80")
    assert compose_refusal("no space left on device", environment) is None
