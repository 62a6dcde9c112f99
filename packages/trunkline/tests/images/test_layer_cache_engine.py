"""Layers that builders share through a registry, with a real container engine."""

import json
import secrets
from typing import Any

import pytest

from builders import REPORTED, built_steps, forget_step
from faults import Fault, Proxy
from registries import Server
from samples import Ran, Sample
from services import DOCKERFILE, Service, add_service
from trunkline.images.layer_cache import cache_tag

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("engine")]

CACHE = cache_tag("linux/amd64")
REFUSED = "^(HEAD|GET|PUT) .*/manifests/cache_"


class Runner:
    """A service that is published by builders that know no step of it."""

    def __init__(self, sample: Sample, server: Server) -> None:
        # A file with the time of the build, in a step that no builder has run.
        self.text = secrets.token_hex(8)
        step = (
            f"RUN [\"python\", \"-c\", \"open('/made', 'w').write('{self.text}')\"]\n"
        )
        dockerfile = DOCKERFILE.replace("COPY", f"{step}COPY", 1)
        files = {"Dockerfile": dockerfile}
        self.service: Service = add_service(sample, server, files=files)

    def branch(self, name: str) -> None:
        """Push the trunk's commit to a branch and switch to it."""
        git = self.service.sample.git
        git("switch", "-q", "-c", name)
        git("push", "-q", "origin", name)

    def publish(self, *options: str) -> tuple[dict[str, Any], Ran]:
        """Publish the current branch, as if nothing had been built before."""
        forget_step(self.text)
        for tag in self.service.tags().keys() - {CACHE}:
            self.service.forget(tag)
        ran = self.service.publish(*options, "--json", **REPORTED)
        assert ran.code == 0, ran.all
        return json.loads(ran.out), ran


@pytest.fixture
def runner(sample: Sample, registry_server: Server) -> Runner:
    return Runner(sample, registry_server)


@pytest.fixture
def watched_runner(sample: Sample, proxy: Proxy) -> Runner:
    return Runner(sample, proxy.server)


def test_what_the_trunk_has_built_no_runner_builds_again_and_no_byte_differs(
    runner: Runner,
) -> None:
    runner.branch("feat/x")
    own, ran = runner.publish("feat/x", "--cache")
    assert len(built_steps(ran.err)) == 2
    assert CACHE not in runner.service.tags()
    # Twice, because the second one reads what it writes.
    for _ in range(2):
        trunk, _ = runner.publish("main", "--cache")
        assert (trunk["digest"], trunk["built"]) == (own["digest"], True)
    shared, ran = runner.publish("feat/x", "--cache")
    assert (shared["digest"], built_steps(ran.err)) == (own["digest"], [])


def test_a_registry_that_refuses_the_cache_gets_the_image(
    watched_runner: Runner, proxy: Proxy
) -> None:
    proxy.faults = [Fault(REFUSED, times=999, status=403)]
    report, ran = watched_runner.publish("--cache")
    assert "  cache    not read: " in ran.err
    assert "  cache    not written: " in ran.err
    tags = watched_runner.service.tags()
    assert tags == dict.fromkeys(
        (watched_runner.service.head, "main"), report["digest"]
    )


def test_a_cache_without_its_layers_is_left_alone_and_written_anew(
    watched_runner: Runner, proxy: Proxy
) -> None:
    first, _ = watched_runner.publish("--cache")
    cache = watched_runner.service.registry.manifest(CACHE)
    assert cache is not None
    layers = "|".join(one["digest"] for one in cache.document["layers"])
    proxy.faults = [Fault(f"^GET .*/blobs/({layers})", times=999, status=404)]
    report, ran = watched_runner.publish("--cache")
    assert report["digest"] == first["digest"]
    assert "the build failed with it" in ran.err
    assert "  cache    written" in ran.err
