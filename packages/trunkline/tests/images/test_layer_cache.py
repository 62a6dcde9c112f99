import os
from dataclasses import replace
from pathlib import Path

import pytest

from archives import SOURCE
from faults import Fault, Proxy
from registries import push_image
from trunkline.images.docker_commands import begin_build
from trunkline.images.engine import Engine
from trunkline.images.layer_cache import LayerCache, cache_tag, read_only_cache
from trunkline.images.tags import is_branch_tag
from trunkline.registry.client import Registry
from trunkline.settings import Settings

ARM = "linux/arm64"
BEGIN = begin_build(SOURCE, Settings(), {})


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a builder is told that fails where a cache is called `bad`."""
    script, log = tmp_path / "docker", tmp_path / "asked"
    script.write_text(
        f'#!/bin/sh\necho "$*" >> {log}\ncase "$*" in *bad*) exit 1; esac\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return log


@pytest.fixture
def cache(registry: Registry) -> LayerCache:
    return LayerCache(registry, Settings(), writes=False)


@pytest.mark.parametrize("platform", ["linux/amd64", ARM, "linux/arm/v7"])
def test_each_platform_has_a_tag_that_no_branch_can_have(platform: str) -> None:
    assert not is_branch_tag(cache_tag(platform))
    assert cache_tag(platform) == f"cache_{platform.replace('/', '-')}"


def test_a_cache_is_read_once_there_is_one(cache: LayerCache) -> None:
    assert cache.filled(ARM) == ""
    registry = cache.registry
    registry.put_manifest(cache_tag(ARM), push_image(registry))
    assert cache.filled(ARM) == f"type=registry,ref={registry.name}:cache_linux-arm64"
    assert cache.filled("linux/amd64") == ""


def test_the_builder_is_told_of_a_registry_without_tls(cache: LayerCache) -> None:
    settings = Settings(insecure_registries=[cache.registry.name.registry])
    place = replace(cache, settings=settings).place(ARM)
    assert place == f"{cache.place(ARM)},registry.insecure=true"


def test_a_registry_that_fails_is_a_warning(
    proxy: Proxy, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy.faults = [Fault("/manifests/", times=99, status=401)]
    cache = LayerCache(proxy.server.connect(), Settings(), writes=True)
    assert cache.filled(ARM) == ""
    assert "  cache    not read: " in capsys.readouterr().err


@pytest.mark.parametrize(("image", "found"), [("my-app", False), ("ghcr.io/a/b", True)])
def test_a_project_without_a_registry_has_no_cache(image: str, found: bool) -> None:
    with read_only_cache(Settings(image=image), {}, wanted=True) as cache:
        assert (cache is not None and not cache.writes) is found


@pytest.mark.parametrize(("cache", "builds"), [("good", 1), ("bad", 2), ("", 1)])
def test_a_build_that_fails_with_a_cache_is_repeated_without(
    cache: str, builds: int, asked: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "image.tar"
    used = Engine().build(BEGIN, tmp_path, archive, ARM, cache=cache)
    assert used == ("" if cache == "bad" else cache)
    commands = asked.read_text().splitlines()
    assert len(commands) == builds
    assert ("--cache-from=" in commands[-1]) is (cache == "good")


def test_layers_that_cannot_be_stored_are_a_warning_and_those_of_others_are_stored(
    asked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read = {ARM: "", "linux/amd64": "old"}
    place = {ARM: "bad", "linux/amd64": "new"}
    Engine().keep_layers(BEGIN, tmp_path, read, place.__getitem__)
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == [
        "  cache    not written",
        "  cache    written",
    ]
    arm, amd = asked.read_text().splitlines()
    assert "--cache-from=" not in arm
    assert "--cache-from=old --cache-to=new," in amd
