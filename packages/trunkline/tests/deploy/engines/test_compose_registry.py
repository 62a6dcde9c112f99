"""Deploys while the registry is slow, moved, emptied or away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.engines.hosts import Host
from faults import Fault, Proxy

pytestmark = pytest.mark.slow
# What the engine asks for; the tool asks with GET.
PINNED = "HEAD .*/manifests/sha256:"


@pytest.fixture
def behind(tmp_path: Path, engine: None, proxy: Proxy) -> Iterator[Host]:
    """A machine whose registry is behind the proxy; `main` serves."""
    made = Host(tmp_path, proxy.server)
    made.publish("main")
    made.deployed("main")
    yield made
    proxy.faults.clear()
    made.end()


def test_a_registry_that_is_away_for_a_moment_is_asked_again(
    behind: Host, proxy: Proxy
) -> None:
    behind.publish("feat-login", "new")
    proxy.faults.append(Fault(PINNED, times=2, status=503))
    ran = behind.deploy("feat/login")
    assert (ran.code, "the pull failed" in ran.err) == (0, True), ran.all
    assert behind.get()["kind"] == "new"


def test_an_image_that_was_deleted_is_not_asked_for_again(
    behind: Host, proxy: Proxy
) -> None:
    behind.publish("feat-login", "new")
    registry = behind.registry
    digest = registry.digest("feat-login") or ""
    proxy.faults.append(Fault(PINNED, before=lambda: registry.delete(digest)))
    ran = behind.deploy("feat/login")
    assert (ran.code, "was deleted; " in ran.err) == (1, True), ran.all
    assert "trying again" not in ran.err
    assert behind.get()["kind"] == "well"


def test_a_tag_that_moves_during_a_deploy_is_not_followed(
    behind: Host, proxy: Proxy
) -> None:
    commit = behind.publish("feat-login", "new")
    moved = Fault(PINNED, before=lambda: behind.publish("feat-login", "newer"))
    proxy.faults.append(moved)
    behind.deployed("feat/login")
    assert (moved.times, behind.get()["commit"]) == (0, commit)


def test_without_the_registry_nothing_begins_but_taking_back(
    behind: Host, proxy: Proxy
) -> None:
    first = behind.get()["commit"]
    behind.publish("feat-login", "new")
    behind.deployed("feat/login")
    proxy.faults.append(Fault(".", times=10**6, status=503))
    before = behind.endings()
    ran = behind.deploy("main")
    assert (ran.code, "was answered 503" in ran.err) == (1, True), ran.all
    assert (behind.endings(), behind.get()["kind"]) == (before, "new")
    ran = behind.trunkline("rollback", "staging")
    assert (ran.code, behind.get()["commit"]) == (0, first), ran.all
