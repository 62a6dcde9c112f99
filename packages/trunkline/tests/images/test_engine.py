import os
from pathlib import Path

import pytest

from trunkline.errors import Refusal
from trunkline.images.engine import (
    Build,
    Engine,
    build_command,
    can_write_archives,
    left_over,
    own_mark,
    run_command,
    to_archive,
)

BUILD = Build(
    dockerfile="Dockerfile",
    platform="linux/amd64",
    arguments={"REVISION": "abc"},
    labels={"a.b": "c d"},
    passed_on=["PYTHON_IMAGE"],
    secrets={"token": "TOKEN"},
    files={"netrc": Path("/home/me/.netrc")},
)


def test_a_build_has_one_constant_time_and_no_clock() -> None:
    command = build_command(BUILD, to_archive(Path("/x.tar")))
    assert "--build-arg=SOURCE_DATE_EPOCH=315532800" in command
    assert "--provenance=false" in command
    assert "--output=type=docker,dest=/x.tar,rewrite-timestamp=true" in command


def test_a_secret_is_named_and_never_spelt_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    monkeypatch.setenv("PYTHON_IMAGE", "python:secret")
    command = build_command(BUILD, "type=image")
    assert "--secret=id=token,env=TOKEN" in command
    assert "--secret=id=netrc,src=/home/me/.netrc" in command
    assert "--build-arg=PYTHON_IMAGE" in command
    assert not any("hunter2" in word or "secret" in word[9:] for word in command)


def test_labels_and_arguments_are_words_of_their_own() -> None:
    command = build_command(BUILD, "type=image")
    assert "--label=a.b=c d" in command
    assert "--build-arg=REVISION=abc" in command


def test_an_image_is_started_with_few_rights_on_this_machine_only() -> None:
    command = run_command(
        "x:1", name="n", port=8000, platform="linux/amd64", environment={"A": "b c"}
    )
    wanted = {
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--publish=127.0.0.1::8000",
        "--env=A=b c",
    }
    assert wanted <= set(command)
    assert command[-1] == "x:1"


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
    assert can_write_archives(builder, status) is able


def test_what_a_killed_run_has_left_is_told_from_what_runs() -> None:
    host = own_mark().rpartition("-")[0]
    gone = f"trunkline-image-{host}-{dead_process()}"
    names = [
        gone,
        f"trunkline-image-{host}-{os.getpid()}",
        f"trunkline-image-{host}-1",
        "trunkline-image-elsewhere-99999999",
        "trunkline-image-mine",
    ]
    assert left_over(names) == [gone]


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
