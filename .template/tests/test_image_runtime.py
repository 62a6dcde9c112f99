"""What runs: nothing that is not needed, with no rights, and it tells the truth."""

import json
import time
from pathlib import Path

import containers as docker
from asking import get
from containers import Container, Image, base_image, running
from draining import answers_while_stopping
from project_image import version

from tests.servers import PATIENCE, ROOT

HARDENED = (
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    # A number that no file of the image knows, as some platforms choose one.
    "--user=12345:54321",
)
STAGING = ("--env=APP_ENVIRONMENT=staging",)


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def test_it_serves_with_no_rights_as_any_user_and_writes_nothing(image: Image) -> None:
    with running(image, *HARDENED) as container:
        answer = get(container.port, "/healthz")
        status = container.wait_for_health("healthy", "unhealthy")
        changes = docker.run("diff", container.name).stdout

    assert b" 200 OK" in answer
    assert status == "healthy"
    assert changes == ""


def test_its_database_is_migrated_by_the_image_itself(image: Image) -> None:
    options = (*HARDENED, "--tmpfs=/data:mode=1777")
    database = {"APP_DATABASE_URL": "sqlite:////data/my-app.db"}
    with running(image, *options, variables=database) as container:
        before = get(container.port, "/readyz")
        docker.run(
            "exec",
            container.name,
            "python",
            "-m",
            "my_app",
            "migrate",
        )
        container.wait_for_health("healthy")
        after = wait_until_ready(container)

    assert b" 503 " in before
    assert b" 200 OK" in after


def wait_until_ready(container: Container) -> bytes:
    """Ask until the service is ready: an answer is kept for a second."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = get(container.port, "/readyz")
        if b" 200 OK" in answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"never ready: {answer!r}")


def test_version_tells_the_truth(image: Image) -> None:
    with running(image) as container:
        told = json.loads(body(get(container.port, "/version")))

    assert told["version"] == version()
    assert told["commit"] == "4f1c2d3e4b5a697887960a1b2c3d4e5f60718293"
    assert told["branch"] == "feat/login-button"
    assert told["built_at"] == "2026-11-21T10:00:00Z"


def test_its_labels_tell_what_it_was_built_from(image: Image) -> None:
    labels = image.inspect()["Config"]["Labels"]

    assert labels == {
        "org.opencontainers.image.title": "my-app",
        "org.opencontainers.image.version": version(),
        "org.opencontainers.image.revision": "4f1c2d3e4b5a697887960a1b2c3d4e5f60718293",
        "org.opencontainers.image.created": "2026-11-21T10:00:00Z",
        "org.opencontainers.image.source": "",
        "dev.trunkline.branch": "feat/login-button",
        "dev.trunkline.subject": "",
        "dev.trunkline.author": "",
        "dev.trunkline.flags": "{}",
        "dev.trunkline.migrations": "[]",
    }


def test_it_is_in_production_unless_told_otherwise(image: Image) -> None:
    said = image.run(accepted=2)

    assert "APP_ALLOWED_HOSTS" in said
    assert "in production" in said


def test_another_command_of_the_service_needs_no_more_than_its_name(
    image: Image,
) -> None:
    assert "usage: my-app" in image.run(
        "python",
        "-m",
        "my_app",
        "--help",
    )
    assert "usage: my-app" in image.run(
        "my-app",
        "--help",
    )


def test_what_packages_bring_for_their_own_tests_is_left_out(image: Image) -> None:
    listed = (ROOT / "docker/unshipped.txt").read_text(encoding="utf-8").split()
    there = set(image.run("find", "/app/.venv/lib", "-type", "d").split())
    installed = {name for name in there if name.endswith("/site-packages")}.pop()

    for name in listed:
        assert f"{installed}/{Path(name).parent}" in there
        assert f"{installed}/{name}" not in there


def test_several_workers_need_only_a_folder_in_memory(image: Image) -> None:
    options = (*HARDENED, "--tmpfs=/tmp")
    with running(image, *options, variables={"APP_WORKERS": "2"}) as container:
        metrics = get(container.port, "/metrics")

    assert b"build_info" in metrics


def test_a_stopping_container_loses_no_request_in_flight(image: Image) -> None:
    with running(image) as container:
        answers = answers_while_stopping(container, requests=20)
        ended = container.state()["ExitCode"]

    assert [answer[:15] for answer in answers] == [b"HTTP/1.1 200 OK"] * 20
    assert all(b'"total":2160' in answer for answer in answers)
    assert ended == 0


def test_its_user_is_a_number_that_owns_nothing(image: Image) -> None:
    assert image.inspect()["Config"]["User"] == "10001:10001"
    owned = ("find", "/", "-xdev", "(", "-uid", "10001", "-o", "-gid", "10001", ")")
    assert image.run(*owned, options=("--user=0",)) == ""
    assert image.run("find", "/app", "-writable", "!", "-type", "l") == ""


def test_nothing_is_in_it_that_builds_or_tests(image: Image) -> None:
    programs = ("uv", "pip", "pip3", "gcc", "cc", "make", "git", "pytest", "trunkline")
    looked_for = "; ".join(f"command -v {program}" for program in programs)
    assert image.run("sh", "-c", f"{looked_for}; true") == ""

    for module in ("pip", "ensurepip.__main__", "setuptools", "pytest", "trunkline"):
        code = f"import {module}"
        assert "No module named" in image.run("python", "-c", code, accepted=1)

    folders = ("find", "/usr/local", "/app", "-type", "d", "-name", "test*")
    assert image.run(*folders) == "", "name them in the Dockerfile's list of tests"
    assert "No module named" in image.run("python", "-c", "import tests", accepted=1)


def test_python_compiles_nothing_at_the_start(image: Image) -> None:
    options = ("--read-only", *STAGING)
    said = image.run(
        "python",
        "-v",
        "-c",
        "import my_app.main",
        options=options,
    )

    compiled = [line for line in said.splitlines() if line.startswith("# code object")]
    sources = [line for line in compiled if not line.rstrip("'").endswith(".pyc")]
    assert len(compiled) > 300
    assert sources == []


def test_no_file_time_can_make_its_bytecode_stale(image: Image) -> None:
    code = (
        "import email, fastapi, my_app\n"
        "for module in (email, fastapi, my_app):\n"
        "    print(open(module.__cached__, 'rb').read(8)[4:].hex())"
    )
    # PEP 552: by hash, and not checked.
    assert image.run("python", "-c", code).split() == ["01000000"] * 3


def test_it_adds_at_most_50_megabytes_to_what_is_pulled_of_its_base(
    image: Image, tmp_path: Path
) -> None:
    base = set(Image(base_image()).layers)
    own = {layer for layer in image.layers if layer not in base}

    assert len(own) == len(image.layers) - len(base)
    assert sum(layer.packed for layer in image.contents(tmp_path, own)) <= 50_000_000
