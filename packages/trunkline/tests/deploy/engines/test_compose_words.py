"""What the engine makes of Docker's answers; a script gives them."""

import shlex
from pathlib import Path
from typing import cast

import pytest

from trunkline import process
from trunkline.deploy.engines.compose import ComposeEngine
from trunkline.deploy.engines.image_store import ImageStore
from trunkline.deploy.environments import Environment
from trunkline.deploy.operation import Candidate, Instance
from trunkline.errors import FailedError, Refusal

DOCKER = """\
#!/bin/sh
echo "$@" >> "{folder}/asked"
if [ -e "{folder}/away" ]; then echo "Cannot connect" >&2; exit 1; fi
case "$*" in
  "ps --all --filter=name="*) cat "{folder}/migrations" ;;
  ps*) cat "{folder}/rows" ;;
  wait*) [ ! -e "{folder}/cut" ] || exit 1
    [ ! -e "{folder}/hangs" ] || exec sleep 30; echo 0 ;;
  logs*) echo "waiting for a lock" ;;
  *" up --detach "*) touch "{folder}/proxy" ;;
  "rm --force "*proxy-1) rm "{folder}/proxy" ;;
  inspect*config-hash*) [ -e "{folder}/proxy" ] ;;
  inspect*Image*) echo caddy:2 ;;
  exec*) cat "{folder}/version" ;;
  pull*) echo "v2.11.7 h1:x=" > "{folder}/version" ;;
esac
"""


class Images:
    """An image store that nobody asks to pull."""

    project = "shop-staging"

    def at(self, digest: str) -> str:
        return f"shop@{digest}"


@pytest.fixture
def compose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ComposeEngine:
    docker = tmp_path / "docker"
    docker.write_text(DOCKER.format(folder=tmp_path))
    docker.chmod(0o755)
    (tmp_path / "rows").touch()
    (tmp_path / "migrations").touch()
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return ComposeEngine(
        Environment("staging", "http://127.0.0.1:8100", engine="compose", deadline=1),
        tmp_path,
        tmp_path / "clone/.git/trunkline/deploy/staging",
        images=cast(ImageStore, Images()),
    )


def test_an_instance_of_this_clone_or_of_before_the_label_is_ours(
    compose: ComposeEngine, tmp_path: Path
) -> None:
    rows = f"a\tc1\tblue\t{compose.folder}\nb\tc2\tgreen\t\n"
    (tmp_path / "rows").write_text(rows)
    expected = (Instance("a", "c1", "blue"), Instance("b", "c2", "green"))
    assert compose.running() == expected


def test_an_instance_of_another_clone_is_refused_with_where_that_is(
    compose: ComposeEngine, tmp_path: Path
) -> None:
    (tmp_path / "rows").write_text(
        "a\tc1\tblue\t/srv/x/.git/trunkline/deploy/staging\n"
    )
    with pytest.raises(Refusal) as refused:
        compose.running()
    assert "shop-staging-blue, which the clone at /srv/x deployed" in str(refused.value)
    assert "docker rm --force shop-staging-blue)" in str(refused.value)


@pytest.mark.parametrize("left", ["", "created\n", "running\n"])
def test_a_migration_that_goes_on_is_announced(
    compose: ComposeEngine,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    left: str,
) -> None:
    (tmp_path / "migrations").write_text(left)
    compose.folder.mkdir(parents=True)
    candidate = Candidate("main", "c1", digest="sha256:1")
    compose.variables.keep("op", "")
    compose.ask(candidate, "op", ("shop", "migrate"))
    said = "waiting for an earlier one: docker logs --follow"
    assert (said in capsys.readouterr().err) is (left == "running\n")
    asked = (tmp_path / "asked").read_text()
    before = asked[: asked.index("compose")]
    assert ("wait shop-staging-command" in before) is bool(left)


def test_an_engine_that_does_not_answer_is_named_with_how_to_look(
    compose: ComposeEngine, tmp_path: Path
) -> None:
    (tmp_path / "away").touch()
    with pytest.raises(FailedError) as failed:
        compose.running()
    said, _, fix = str(failed.value).partition("\n  type next: ")
    assert said == "docker does not answer: Cannot connect"
    command = shlex.split(fix.partition("  (")[0])
    assert not process.run(command).ok
    (tmp_path / "away").unlink()
    assert process.run(command).ok
    assert compose.running() == ()


def test_a_migration_that_cannot_be_waited_for_any_longer_goes_on(
    compose: ComposeEngine, tmp_path: Path
) -> None:
    compose.folder.mkdir(parents=True)
    compose.variables.keep("op", "")
    candidate = Candidate("main", "c1", digest="sha256:1")
    (tmp_path / "cut").touch()
    (tmp_path / "migrations").write_text("running\n")
    with pytest.raises(FailedError, match="docker wait shop-staging-command"):
        compose.ask(candidate, "op", ("shop", "migrate"))
    asked = (tmp_path / "asked").read_text()
    assert "stop" not in asked
    assert "rm --force" not in asked


def test_a_program_that_hangs_is_removed_at_the_deadline(
    compose: ComposeEngine, tmp_path: Path
) -> None:
    (tmp_path / "hangs").touch()
    compose.folder.mkdir(parents=True)
    compose.variables.keep("op", "")
    candidate = Candidate("main", "c1", digest="sha256:1")
    answer = compose.ask(candidate, "op", ("shop", "x"))
    assert (answer.ok, answer.complaint) == (
        False,
        "waiting for a lock\nstopped after 1 seconds, the `deadline` of staging in "
        "pyproject.toml",
    )
    asked = (tmp_path / "asked").read_text()
    _, stopped, after = asked.partition("stop shop-staging-command\n")
    assert stopped
    assert "rm --force --volumes shop-staging-command" in after


def test_a_proxy_that_is_too_old_is_replaced_once_a_newer_image_is_here(
    compose: ComposeEngine, tmp_path: Path
) -> None:
    (tmp_path / "version").write_text("v2.6.2 h1:x=\n")
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            compose.ensure_proxy()
    assert "found:     Caddy v2.6.2 h1:x= in caddy:2" in str(refused.value)
    process.run(shlex.split(refused.value.fix.partition("  (")[0])).required()
    compose.ensure_proxy()
    (tmp_path / "asked").unlink()
    compose.ensure_proxy()
    assert "exec" not in (tmp_path / "asked").read_text()
