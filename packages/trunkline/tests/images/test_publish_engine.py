"""Publishing with a real container engine and a real registry."""

import json
import os
import re
from pathlib import Path

import pytest

from disks import small_disk
from faults import Fault, Proxy
from registries import Server
from samples import REPOSITORY, Sample
from services import (
    BASE,
    DOCKERFILE,
    PYTHON,
    SERVER,
    Service,
    add_service,
    docker,
    docker_environment,
    left_in_engine,
    scanner,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("engine")]


def test_a_commit_is_built_tested_scanned_and_pushed_with_its_tags(
    service: Service, tmp_path: Path
) -> None:
    service.sample.write("server.py", "this is not in the commit")
    report = service.published("--strict", **scanner(tmp_path))
    assert (tmp_path / "asked").read_text().startswith("oci-dir:/")
    digest = report["digest"]
    assert report["built"] is True
    assert service.tags() == {service.head: digest, "main": digest}
    assert service.published()["built"] is False


def test_what_was_pushed_is_pulled_and_says_what_it_is(service: Service) -> None:
    commit = service.sample.git("rev-parse", "HEAD")
    name = service.registry.name.at(service.published()["digest"])
    docker("pull", "-q", name)
    try:
        (inspected,) = json.loads(docker("image", "inspect", name))
    finally:
        docker("image", "rm", "-f", name)
    labels = inspected["Config"]["Labels"]
    # What `docker image prune --filter until=24h` goes by.
    assert inspected["Created"] == labels["org.opencontainers.image.created"]
    assert labels["org.opencontainers.image.revision"] == commit
    assert labels["dev.trunkline.branch"] == "main"
    assert labels["dev.trunkline.subject"] == "feat: serve"
    assert labels["dev.trunkline.flags"] == "{}"


def test_packages_and_provenance_are_shown_by_buildx(
    sample: Sample, registry_server: Server
) -> None:
    dockerfile = DOCKERFILE.replace("FROM trunkline-test-base:1", f"FROM {PYTHON}")
    service = add_service(sample, registry_server, files={"Dockerfile": dockerfile})
    name = service.registry.name.at(service.published()["digest"])

    def inspect(what: str) -> str:
        return docker("buildx", "imagetools", "inspect", name, f"--format={what}")

    # The format in which the workflow reads what it signs.
    workflow = (REPOSITORY / ".github/workflows/release.yml").read_text()
    (quoted,) = re.findall(r'^ *"({{if .*)"$', workflow, re.MULTILINE)
    sbom = json.loads(inspect(quoted.replace('\\"', '"')))
    provenance = json.loads(inspect("{{json .Provenance.SLSA}}"))
    found = {package["name"] for package in sbom["packages"]}
    assert {"libc6", "debianutils"} <= found
    (source,) = provenance["buildDefinition"]["resolvedDependencies"]
    assert source["digest"] == {"gitCommit": sample.git("rev-parse", "HEAD")}


NEVER_READY = SERVER.replace("200 if found else 404", "503")
OTHER_COMMIT = SERVER.replace('os.environ["APP_COMMIT"]', '"0" * 40')
CRASHES = "import sys\nsys.exit('no database: giving up')\n"


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (CRASHES, "no database: giving up"),
        (OTHER_COMMIT, "/version names commit 000"),
        (NEVER_READY, "/readyz answered 503"),
    ],
    ids=["crashes", "other-commit", "never-ready"],
)
def test_an_image_that_fails_its_smoke_test_is_never_pushed(
    service: Service, server: str, words: str
) -> None:
    sample = service.sample
    impatient = sample.read("pyproject.toml").replace(
        "[tool.trunkline]\n", "[tool.trunkline]\nsmoke_seconds = 15\n"
    )
    sample.commit("feat: break it", {"server.py": server, "pyproject.toml": impatient})
    sample.push()
    ran = service.publish()
    assert ran.code == 1
    assert words in ran.err
    assert "was not pushed" in ran.err
    assert service.tags() == {}


def test_a_dockerfile_that_fails_is_shown(service: Service) -> None:
    service.sample.commit(
        "feat: break it", {"Dockerfile": DOCKERFILE + "COPY missing.txt /\n"}
    )
    service.sample.push()
    ran = service.publish()
    assert ran.code == 1
    assert "missing.txt" in ran.err
    assert service.tags() == {}


@pytest.mark.parametrize(
    "kibibytes",
    [
        64,  # The commit's files do not fit,
        8 * 1024,  # the image does not,
        40 * 1024,  # or it does, but not its layers beside it.
    ],
)
def test_a_full_disk_is_said_and_leaves_neither_files_nor_tags(
    service: Service, tmp_path: Path, kibibytes: int
) -> None:
    with small_disk(tmp_path / "disk", kibibytes=kibibytes) as disk:
        process = service.start(TMPDIR=str(disk))
        said, _ = process.communicate(timeout=600)
        left = [file for file in disk.rglob("*") if file.is_file()]
    assert process.returncode == 1, said
    assert "no space left on device" in said.lower()
    assert "Traceback" not in said
    assert left_in_engine(process.pid) == []
    assert [file.name for file in left if file.suffix != ".lock"] == []
    assert service.tags() == {}
    assert service.published()["built"] is True


def without_cache(service: Service) -> dict[str, str]:
    """Return an environment in which every build runs every step again."""
    folder = service.sample.root.parent / "without-cache"
    folder.mkdir(exist_ok=True)
    real = service.sample.run("sh", "-c", "command -v docker").out.strip()
    script = folder / "docker"
    script.write_text(
        "#!/bin/sh\n"
        'if [ "$1 $2" = "buildx build" ]; then\n'
        f'  shift 2; exec {real} buildx build --no-cache "$@"\n'
        f'fi\nexec {real} "$@"\n'
    )
    script.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{service.sample.env['PATH']}"}


def test_one_commit_has_one_digest_whoever_builds_it_and_when(
    sample: Sample, registry_server: Server
) -> None:
    step = "RUN [\"python\", \"-c\", \"open('/made', 'w').write('x')\"]\n"
    dockerfile = DOCKERFILE.replace("USER", f"{step}USER")
    service = add_service(sample, registry_server, files={"Dockerfile": dockerfile})
    other = service.at(sample.clone("other"))
    digests = set()
    for builder in (service, other):
        digests.add(builder.published(**without_cache(builder))["digest"])
        for tag in ("main", service.head):
            service.forget(tag)
    assert len(digests) == 1


@pytest.mark.parametrize("path", ["/manifests/sha256:", "/manifests/sha-", "/blobs/"])
def test_a_registry_that_fails_is_named_and_the_next_run_goes_on(
    watched: Service, proxy: Proxy, path: str
) -> None:
    proxy.faults = [Fault(f"^(PUT|POST|PATCH) .*{path}", times=99, status=507)]
    ran = watched.publish()
    assert ran.code == 1
    assert "answered 507" in ran.err
    assert "once there is room on the registry" in ran.err
    assert "main" not in watched.tags()
    proxy.faults = []
    digest = watched.published()["digest"]
    assert watched.tags() == {watched.head: digest, "main": digest}
    assert set(proxy.pointed[watched.head]) == {digest}


def test_a_tag_that_is_deleted_under_us_is_written_again(
    watched: Service, proxy: Proxy
) -> None:
    proxy.faults = [
        Fault("^PUT .*/manifests/main", before=lambda: watched.forget(watched.head))
    ]
    digest = watched.published()["digest"]
    again = watched.published(**watched.without_docker())
    assert again["built"] is False
    assert watched.tags() == {watched.head: digest, "main": digest}


def test_a_branch_that_is_deleted_meanwhile_gets_no_tag(
    watched: Service, proxy: Proxy
) -> None:
    sample = watched.sample
    sample.git("switch", "-q", "-c", "feat/x")
    sample.commit("feat: x", {"x.txt": "x"})
    sample.push()

    def delete() -> None:
        sample.git("--git-dir", str(sample.origin), "branch", "-D", "feat/x")

    proxy.faults = [Fault("^PUT .*/manifests/sha-", before=delete)]
    ran = watched.publish()
    assert ran.code == 0
    assert "branch feat/x is gone" in ran.err
    assert set(watched.tags()) == {watched.head}


def test_a_pull_request_is_built_and_tested_and_not_pushed(sample: Sample) -> None:
    sample.env |= docker_environment(sample)
    sample.commit("feat: serve", {"Dockerfile": DOCKERFILE, "server.py": SERVER})
    text = sample.read("pyproject.toml").replace('flags = "my_app.config:Flags"\n', "")
    sample.commit("feat: no flags", {"pyproject.toml": text})
    sample.git("switch", "-q", "--detach")
    ran = sample.trunkline("publish", "--no-push")
    assert ran.code == 0, ran.all
    assert "green" in ran.err


def test_a_red_pull_request_fails(sample: Sample) -> None:
    sample.env |= docker_environment(sample)
    text = sample.read("pyproject.toml").replace('flags = "my_app.config:Flags"\n', "")
    files = {"Dockerfile": DOCKERFILE, "server.py": CRASHES, "pyproject.toml": text}
    sample.commit("feat: serve", files)
    ran = sample.trunkline("publish", "--no-push")
    assert ran.code == 1
    assert "no database: giving up" in ran.err


def test_without_a_registry_it_builds_from_the_base_image_that_is_here(
    sample: Sample, registry_server: Server
) -> None:
    """The digest that is pinned is one that nobody has."""
    table = '[tool.trunkline]\nbuild_args = ["PYTHON_IMAGE"]'
    settings = sample.read("pyproject.toml").replace("[tool.trunkline]", table)
    sample.write("pyproject.toml", settings)
    pinned = (
        "ARG PYTHON_IMAGE=pinned-python\n"
        f"FROM {BASE}@sha256:{'0' * 64} AS pinned-python\n"
        f"{DOCKERFILE.replace(f'FROM {BASE}', 'FROM ${PYTHON_IMAGE}', 1)}"
    )
    service = add_service(sample, registry_server, files={"Dockerfile": pinned})
    del sample.env["PYTHON_IMAGE"]
    refused = service.publish()
    (said,) = re.findall("type next: (.*?)  ", refused.err)
    assert said == f"PYTHON_IMAGE={BASE} uv run trunkline publish"
    ran = sample.run("sh", "-c", said.replace("uv run ", ""))
    assert ran.code == 0, ran.all
    assert service.head in service.tags()
