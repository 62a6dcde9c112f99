"""The variables of an operation, and what is shown of a service's output."""

from pathlib import Path

import pytest

from deploy.worlds import World
from trunkline.deploy.databases import Databases
from trunkline.deploy.environments import Environment
from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.operation import Candidate, Operation
from trunkline.deploy.variables import Variables
from trunkline.errors import Refusal


@pytest.fixture
def variables(tmp_path: Path) -> Variables:
    (tmp_path / "staging.env").write_text("PASSWORD=hush-hush\n")
    made = Variables(tmp_path, tmp_path, ["staging.env"])
    made.keep("one", "")
    return made


def test_a_short_secret_is_one_by_its_name(tmp_path: Path) -> None:
    lines = "API_TOKEN=hush\nDATABASE=postgresql://me:pass1@db/x\nMODE=live\nKEY=1\n"
    (tmp_path / "a.env").write_text(lines)
    variables = Variables(tmp_path, tmp_path, ["a.env"])
    variables.keep("one", "")
    said = "hush, live as me with pass1: 1 try"
    assert variables.last_lines("one", said) == "***, live as me with ***: 1 try"


def test_a_mark_at_the_beginning_of_a_file_is_no_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_bytes(b"\xef\xbb\xbfPORT=1\r\nTEXT=a\xe2\x80\xa8b=c\n")
    found = Variables(tmp_path, tmp_path, ["a.env"]).today()
    assert found == {"PORT": "1", "TEXT": "a\N{LINE SEPARATOR}b=c"}


def test_a_file_that_no_process_could_be_given_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_bytes(b"PORT=1\0\n")
    with pytest.raises(Refusal, match="it has a NUL byte"):
        Variables(tmp_path, tmp_path, ["a.env"]).today()


def test_a_line_with_colours_or_tabs_is_shown_without_them(
    variables: Variables,
) -> None:
    said = "\x1b[31mERROR\x1b[0m:\tno hush-hush\x07\n\x1b]0;title\x07end"
    found = variables.last_lines("one", said).splitlines()
    assert found == ["ERROR: no *** ", " ]0;title end"]


def test_whoever_takes_back_is_told_that_the_variables_of_then_are_gone(
    tmp_path: Path, variables: Variables
) -> None:
    said: list[str] = []
    world = World(tmp_path / "journal.db")
    staging = Environment("staging", "http://127.0.0.1:8100")
    journal = DeployJournal(world.file)
    databases = Databases(world, journal, tmp_path, staging, "", said.append)
    for then in ("one", "gone"):
        candidate = Candidate("main", "a", variables_of=then)
        operation = Operation(f"of-{then}", candidate, "ana", at=0, took_back=True)
        databases.prepare(operation, None)
    assert ["not kept any more" in line for line in said] == [True]
    assert variables.read("of-one") == {"PASSWORD": "hush-hush"}
