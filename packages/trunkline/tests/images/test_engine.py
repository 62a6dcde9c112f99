import os
from pathlib import Path

import pytest

from trunkline.errors import Refusal
from trunkline.images.engine import (
    Engine,
    abandoned,
    process_mark,
    require_platforms,
    writes_archives,
)


@pytest.mark.parametrize(
    ("builder", "status", "able"),
    [
        ("Name: ci\nDriver:        docker-container\n", "[]", True),
        ("Name: default\nDriver:        docker\n", "[]", False),
        (
            "Driver: docker\n",
            '[["driver-type","io.containerd.snapshotter.v1"]]',
            True,
        ),
        ("", "", False),
    ],
)
def test_who_can_write_an_archive(builder: str, status: str, able: bool) -> None:
    assert writes_archives(builder, status) is able


BUILDER = "Driver: docker\nPlatforms: linux/amd64*, linux/amd64/v2, linux/386\n"


def test_a_platform_that_the_builder_cannot_emulate_is_refused_with_what_adds_it() -> (
    None
):
    with pytest.raises(Refusal, match="rule `platform`") as caught:
        require_platforms(BUILDER, ["linux/amd64", "linux/arm64"])
    assert "without emulation of linux/arm64" in caught.value.found
    assert caught.value.fix.endswith("tonistiigi/binfmt --install arm64")
    able = BUILDER.replace("linux/386", "linux/arm64")
    require_platforms(able, ["linux/amd64", "linux/arm64"])
    # It was never started, so it does not say what it can do.
    require_platforms("Driver: docker-container\n", ["linux/arm64"])


def test_names_of_killed_runs_are_told_from_those_in_use() -> None:
    host = process_mark().rpartition("-")[0]
    gone = f"trunkline-image-{host}-{dead_process()}"
    names = [
        gone,
        f"trunkline-image-{host}-{os.getpid()}",
        f"trunkline-image-{host}-1",
        "trunkline-image-elsewhere-99999999",
        "trunkline-image-mine",
    ]
    assert abandoned(names) == [gone]


def dead_process() -> int:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


def test_without_docker_the_refusal_says_what_it_is_needed_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refusal) as caught:
        Engine.connect()
    assert "`docker` was not found" in caught.value.found
    assert "to build an image" in caught.value.expected


def test_without_a_builder_the_refusal_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(
        "#!/bin/sh\n"
        '[ "$1" = version ] && exit 0\n'
        "echo \"docker: 'buildx' is not a docker command.\" >&2; exit 1\n"
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refusal, match="docker-buildx") as caught:
        Engine.connect()
    assert "is not a docker command" in caught.value.found


def test_a_builder_that_keeps_timestamps_is_refused_with_the_way_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(
        "#!/bin/sh\n"
        'case "$1" in buildx) echo "Driver: docker";; info) echo "[]";; esac\n'
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    with pytest.raises(Refusal, match="builder") as caught:
        Engine.connect()
    assert "without containerd's image store" in caught.value.found
    assert caught.value.fix == "docker buildx create --use"
