"""Deploys of images: a real engine and registry, Caddy and PostgreSQL."""

import json
from pathlib import Path

import pytest

from deploy.engines.hosts import Host
from registries import Server
from services import docker

pytestmark = pytest.mark.slow
STARTED = "{{.Id}} {{.State.StartedAt}}"


def test_a_branch_goes_on_staging_and_comes_back_without_a_lost_request(
    host: Host,
) -> None:
    first = host.publish("main")
    host.deployed("main")
    proxy = host.inspect("proxy-1", STARTED)
    assert host.get()["greeting"] == "a $HOME"
    host.clone.write("staging.env", "GREETING=good morning\nPOSTGRES_PASSWORD=hush$1\n")
    host.publish("feat-login", "new")
    with host.load() as seen:
        host.deployed("feat/login")
        assert (host.get()["kind"], host.get()["greeting"]) == ("new", "good morning")
        ran = host.trunkline("rollback", "staging")
        assert ran.code == 0, ran.all
    # The variables are those of then.
    assert (host.get()["commit"], host.get()["greeting"]) == (first, "a $HOME")
    assert (seen.lost, set(seen.kinds)) == ([], {"well", "new"})
    assert host.inspect("proxy-1", STARTED) == proxy
    assert host.containers() == ["blue", "database-1", "proxy-1"]
    for part in host.containers():
        assert host.inspect(part, "{{.HostConfig.LogConfig.Type}}") == "local"
    policy = host.inspect("blue", "{{.HostConfig.RestartPolicy.Name}}")
    assert policy == "unless-stopped"
    assert host.told("status")["ref"] == "main"
    with host.registry as registry:
        assert registry.digest("live.staging") == registry.digest("main")
        # What was taken back is nothing to take back to.
        assert registry.digest("was.staging") == registry.digest("main")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("exits", "cannot start: no such thing"),
        ("never", "was not ready, or named another commit, for 4 seconds"),
        ("another", "was not ready, or named another commit"),
        ("turns", "became unhealthy within 2 seconds"),
        ("breaks", "could not migrate the database: migrating breaks"),
    ],
)
def test_a_sick_image_leaves_the_old_one_serving_and_nothing_of_itself(
    serving: Host, kind: str, said: str
) -> None:
    serving.publish("feat-sick", kind)
    before = serving.containers()
    with serving.load() as seen:
        ran = serving.deploy("feat/sick")
    assert (ran.code, said in ran.err) == (1, True), ran.all
    assert "still serves" in ran.err
    assert (seen.lost, serving.containers()) == ([], before)
    assert list(
        json.loads((serving.folder / "compose.json").read_text())["services"]
    ) == [before[0]]


def test_the_values_of_variables_are_shown_nowhere(serving: Host) -> None:
    serving.publish("feat-sick", "breaks")
    ran = serving.deploy("feat/sick")
    written = [ran.all.encode(), *map(Path.read_bytes, serving.folder.glob("*.*"))]
    assert (ran.code, len(written) > 3) == (1, True)
    assert not [text for text in written if b"hush" in text]
    kept = [*serving.folder.glob("instances/*/variables")]
    assert {file.stat().st_mode & 0o777 for file in kept} == {0o600}


def test_without_an_engine_nothing_begins(serving: Host) -> None:
    before = serving.endings()
    nowhere = {"DOCKER_HOST": "unix:///nowhere.sock"}
    words = ("deploy", "main", "--to", "staging")
    ran = serving.clone.trunkline(*words, **nowhere)
    assert (ran.code, "unix:///nowhere.sock" in ran.err) == (1, True), ran.all
    assert serving.endings() == before


def test_everything_can_be_brought_up_without_a_change(serving: Host) -> None:
    parts = serving.containers()
    before = [serving.inspect(part, STARTED) for part in parts]
    ran = serving.clone.run(
        *("docker", "compose", f"--env-file={serving.folder / 'compose.env'}"),
        *("--env-file=staging.env", "--profile=deployed"),
        *("up", "--detach", "--no-deps", "proxy", "database", parts[0]),
    )
    assert ran.code == 0, ran.all
    assert [serving.inspect(part, STARTED) for part in parts] == before


def test_a_second_deployer_is_told_who_deploys(serving: Host) -> None:
    serving.publish("feat-slow", "slowly")
    first = serving.clone.start("trunkline", "deploy", "feat/slow", "--to", "staging")
    assert first.stderr
    for line in first.stderr:
        if line.strip() == "migrate":
            break
    ran = serving.deploy("main")
    assert (ran.code, "is changing staging since" in ran.err) == (1, True), ran.all
    first.communicate()
    assert first.returncode == 0
    serving.deployed("main")


def test_a_service_without_a_database_is_deployed_without_one(host: Host) -> None:
    host.without_database()
    host.clone.write("staging.env", "GREETING=hello\n")
    host.publish("main")
    host.deployed("main")
    assert (host.get()["greeting"], host.containers()) == (
        *("hello", ["blue", "proxy-1"]),
    )


def test_an_image_of_another_platform_is_not_started(serving: Host) -> None:
    serving.publish("feat-arm")
    serving.rewrite("feat-arm", "feat-arm", lambda it: it | {"architecture": "arm64"})
    ran = serving.deploy("feat/arm")
    assert (ran.code, "is built for linux/arm64; expected" in ran.err) == (1, True)
    assert serving.get()["kind"] == "well"


def test_an_image_without_labels_is_refused(serving: Host) -> None:
    serving.publish("feat-nameless", labels={"a": "b"})
    ran = serving.deploy("feat/nameless")
    assert (ran.code, "image-labels" in ran.err) == (1, True), ran.all


def test_a_branch_without_an_image_is_refused(serving: Host) -> None:
    ran = serving.deploy("feat/unpublished")
    assert (ran.code, "no image" in ran.err) == (1, True), ran.all


def test_one_that_ignores_the_signal_is_killed_when_its_time_is_over(
    host: Host,
) -> None:
    host.without_database()
    text = host.clone.read("docker/staging.compose.yaml")
    host.clone.write("docker/staging.compose.yaml", text.replace("30s", "2s"))
    for kind in ("stubborn", "well"):
        host.publish(kind, kind)
        host.deployed(kind)
    assert host.containers() == ["green", "proxy-1"]


def test_production_serves_releases_goes_back_and_keeps_no_more_images_than_it_needs(
    tmp_path: Path, engine: None, registry_server: Server
) -> None:
    host = Host(tmp_path, registry_server, "production")
    try:
        host.without_database()
        names = f"{host.server.host}/{host.path}"
        for number, kind in enumerate(("one", "two", "three", "four", "exits")):
            host.publish(f"1.{number}.0", kind)
            assert host.deploy(f"v1.{number}.0").code == (kind == "exits")
            if kind == "one":
                # Another environment on this machine runs it, too.
                (pin,) = pins(host)
                other = pin.replace("-production.", "-staging.")
                docker("tag", f"trunkline-deploy:{pin}", f"trunkline-deploy:{other}")
        assert len(docker("image", "ls", "--digests", "--quiet", names).split()) == 3
        assert len(pins(host)) == 3
        assert host.get()["kind"] == "four"
        ran = host.trunkline("rollback", "production")
        assert (ran.code, host.get()["kind"]) == (0, "three"), ran.all
        (live,) = {*host.containers()} - {"proxy-1"}
        assert "APP_ENVIRONMENT=production" in host.inspect(live, "{{.Config.Env}}")
    finally:
        host.end()


def pins(host: Host) -> list[str]:
    found = docker("image", "ls", "--format={{.Tag}}", "trunkline-deploy").split()
    return [pin for pin in found if host.name in pin]


def test_production_takes_releases_only(host: Host) -> None:
    commit = host.publish("1.2.0")
    for ref, rule in (
        ("main", "releases-only"),
        (f"sha-{commit[:12]}", "releases-only"),
    ):
        ran = host.trunkline("deploy", ref, "--to", "production", "--dry-run")
        assert (ran.code, rule in ran.err) == (1, True), ran.all
    ran = host.trunkline("deploy", "v1.2.0", "--to", "production", "--dry-run")
    assert (ran.code, commit[:12] in ran.out) == (0, True), ran.all
    # Somebody points the commit's own tag, or the version's, at another image.
    host.publish(f"sha-{commit[:12]}", "other")
    ran = host.trunkline("deploy", "v1.2.0", "--to", "production", "--dry-run")
    assert (ran.code, "create-only" in ran.err) == (1, True), ran.all
