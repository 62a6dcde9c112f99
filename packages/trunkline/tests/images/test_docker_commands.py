from pathlib import Path

import pytest

from trunkline.images.docker_commands import BuildOptions, build_command, run_command

BUILD = BuildOptions(
    dockerfile="Dockerfile",
    platform="linux/amd64",
    arguments={"REVISION": "abc"},
    labels={"a.b": "c d"},
    passed_on=["PYTHON_IMAGE"],
    secrets={"token": "TOKEN"},
    files={"netrc": Path("/home/me/.netrc")},
)


def test_a_build_has_one_constant_time_and_no_clock() -> None:
    command = build_command(BUILD, Path("/x.tar"), name="x:1")
    assert "--build-arg=SOURCE_DATE_EPOCH=315532800" in command
    assert "--provenance=false" in command
    (output,) = (word for word in command if word.startswith("--output="))
    assert "dest=/x.tar,name=x:1" in output
    assert "rewrite-timestamp=true" in output


def test_a_secret_is_named_and_never_spelt_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    monkeypatch.setenv("PYTHON_IMAGE", "python:secret")
    command = build_command(BUILD, Path("/x.tar"), name="x:1")
    assert "--secret=id=token,env=TOKEN" in command
    assert "--secret=id=netrc,src=/home/me/.netrc" in command
    assert "--build-arg=PYTHON_IMAGE" in command
    assert not any("hunter2" in word or "secret" in word[9:] for word in command)


def test_labels_and_arguments_are_words_of_their_own() -> None:
    command = build_command(BUILD, Path("/x.tar"), name="x:1")
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
