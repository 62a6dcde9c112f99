"""A desk that serves this clone decides what is typed here, or nothing is done."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from trunkline import process
from trunkline.deploy.deployment import Deployment
from trunkline.deploy.local_desk import BY, LocalDesk, announce, person
from trunkline.deploy.reservations import release_env, reserve
from trunkline.errors import Refusal, UsageError

PROJECT = """\
[project]
name = "shop"
version = "0.0.0"
[tool.trunkline.environments.staging]
url = "http://127.0.0.1:8100"
"""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    process.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(BY, raising=False)
    return tmp_path


def serve(clone: Path, *program: str, variables: tuple[str, ...] = ()) -> None:
    """Let a program be asked as a desk is."""
    page = "https://desk.example/shop"
    desk = LocalDesk("shop/staging", page, [*program], str(clone), [*variables])
    announce(desk, clone)


def answering(document: Mapping[str, str]) -> tuple[str, ...]:
    """Return a program that keeps what it is asked, and answers with a document."""
    script = "import sys; open('asked', 'a').write(' '.join(sys.argv[1:]) + '\\n')"
    return (sys.executable, "-c", f"{script}; print({json.dumps(document)!r})")


def test_who_is_in_the_way_is_named_with_what_to_type(clone: Path) -> None:
    serve(clone, *answering({"denied": "ben has staging until 15:00 UTC: demo\x1b"}))
    with pytest.raises(Refusal, match="ben has staging until 15:00 UTC: demo") as why:
        Deployment("staging").permit("put", ref="main")
    assert "\x1b" not in str(why.value)
    assert why.value.fix == "uv run trunkline reserve staging --take-over --why WHY"
    asked = (clone / "asked").read_text()
    assert asked == f"shop/staging put --by={person(os.environ)} --ref=main\n"


def test_what_has_to_be_done_first_is_what_to_type(clone: Path) -> None:
    fix = "uv run trunkline deploy v1.1.0 --to staging"
    serve(clone, *answering({"denied": "v1.1.0 has not run there yet.", "fix": fix}))
    with pytest.raises(Refusal, match="has not run there yet") as why:
        Deployment("staging").permit("put", ref="v1.1.0")
    assert why.value.fix == fix


def test_whose_it_is_changes_by_the_desk_here(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(clone, *answering({"said": "done as wished"}))
    words = {"environment": "staging", "desk": ""}
    assert reserve(**words, until="", why="it is mine", take_over=True) == 0
    assert release_env(**words) == 0
    assert capsys.readouterr().err == "done as wished\n" * 2
    by = person(os.environ)
    assert (clone / "asked").read_text().splitlines() == [
        f"shop/staging take over --by={by} --hours=4.0 --why=it is mine",
        f"shop/staging done with it --by={by}",
    ]


@pytest.mark.parametrize(
    ("program", "variables"),
    [
        (("/nowhere/python",), ()),
        ((sys.executable, "-c", "raise SystemExit('no store')"), ()),
        ((sys.executable, "-c", "print('no JSON')"), ()),
        (answering({"said": "done"}), ("DESK_DATABASE_URL",)),
    ],
    ids=["gone", "failing", "garbled", "without its store"],
)
def test_a_desk_that_cannot_be_asked_lets_nothing_through(
    clone: Path, program: tuple[str, ...], variables: tuple[str, ...]
) -> None:
    serve(clone, *program, variables=variables)
    with pytest.raises(Refusal, match="cannot be asked") as why:
        Deployment("staging").permit("put")
    assert "--desk https://desk.example/shop" in why.value.fix
    assert not (clone / "asked").exists()


def test_what_a_desk_types_itself_was_decided_before(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(clone, "/nowhere/python")
    monkeypatch.setenv(BY, "ana")
    Deployment("staging").permit("put")
    assert person(os.environ) == "ana"
    actor = {"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ana\x1b[2J\n"}
    assert person(actor).isprintable()


def test_without_a_desk_a_deploy_is_free_and_a_reservation_has_no_place(
    clone: Path,
) -> None:
    Deployment("staging").permit("put")
    with pytest.raises(UsageError, match="no desk serves staging"):
        release_env(environment="staging", desk="")
