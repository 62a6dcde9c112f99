from pathlib import Path
from typing import Any

import pytest

from archives import SOURCE
from trunkline.images.docker_commands import (
    begin_build,
    build_command,
    cache_command,
    run_command,
)
from trunkline.settings import Settings


def build(
    environ: dict[str, str] | None = None,
    **settings: Any,  # noqa: ANN401 - fields of Settings
) -> tuple[str, ...]:
    """The command that builds with these settings, in this environment."""
    archive = Path("/x.tar")
    begin = begin_build(SOURCE, Settings(**settings), environ or {})
    return build_command(begin, archive, name="x:1", platform="linux/amd64")


def test_a_build_has_one_constant_time_and_no_clock() -> None:
    command = build()
    assert "--build-arg=SOURCE_DATE_EPOCH=315532800" in command
    assert "--provenance=false" in command
    (output,) = (word for word in command if word.startswith("--output="))
    assert "dest=/x.tar,name=x:1" in output
    assert "rewrite-timestamp=true" in output


def test_layers_that_were_read_from_a_cache_are_in_the_cache_that_is_written() -> None:
    command = cache_command(
        begin_build(SOURCE, Settings(), {}),
        platform="linux/amd64",
        read="old",
        written="new",
    )
    assert {"--cache-from=old", "--output=type=cacheonly"} <= set(command)
    (written,) = (word for word in command if word.startswith("--cache-to="))
    assert written.startswith("--cache-to=new,mode=max,image-manifest=true")
    # The same steps: another argument, and no layer would be found again.
    assert set(build()) - set(command) == {
        word for word in build() if word.startswith("--output=")
    }
    assert not any(word.startswith("--cache-") for word in build())


def test_a_secret_is_named_and_never_spelt_out() -> None:
    environ = {"TOKEN": "hunter2", "PYTHON_IMAGE": "python:secret"}
    secrets = {"token": "$TOKEN"}
    command = build(environ, build_args=["PYTHON_IMAGE"], build_secrets=secrets)
    assert "--secret=id=token,env=TOKEN" in command
    assert "--build-arg=PYTHON_IMAGE" in command
    assert not any("hunter2" in word or "secret" in word[9:] for word in command)


def test_a_secret_is_a_file_or_a_variable_and_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine x")
    places = {
        "netrc": str(tmp_path / "netrc"),
        "uv.toml": str(tmp_path / "uv.toml"),
        "token": "$TOKEN",
        "other": "$OTHER",
    }
    command = build({"TOKEN": "x"}, build_secrets=places)
    assert [word for word in command if word.startswith("--secret=")] == [
        f"--secret=id=netrc,src={tmp_path / 'netrc'}",
        "--secret=id=token,env=TOKEN",
    ]


@pytest.mark.parametrize(("value", "passed"), [("sha256:0", True), ("", False)])
def test_a_variable_that_is_empty_is_no_argument_of_the_build(
    value: str, passed: bool
) -> None:
    command = build(
        {"UV_IMAGE": value, "OTHER": "x"}, build_args=["UV_IMAGE", "EXTRAS"]
    )
    assert ("--build-arg=UV_IMAGE" in command) is passed
    assert not {"--build-arg=EXTRAS", "--build-arg=OTHER"} & set(command)


def test_labels_and_arguments_are_words_of_their_own() -> None:
    command = build()
    assert "--label=dev.trunkline.subject=feat: serve" in command
    assert f"--build-arg=REVISION={SOURCE.commit}" in command


def test_an_image_is_started_with_few_rights_on_this_machine_only() -> None:
    settings = Settings(smoke={"A": "b c", "PORTS": 2})
    command = run_command("x:1", settings, name="n", port=8000, platform="linux/amd64")
    wanted = {
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--publish=127.0.0.1::8000",
        "--env=A=b c",
        "--env=PORTS=2",
    }
    assert wanted <= set(command)
    assert command[-1] == "x:1"
