"""What a refusal about a desk says to type next, typed: it leads on."""

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from http_servers import QuietHandler, serving
from samples import Ran, Sample, environment
from trunkline import process
from trunkline.deploy.desk import open_desk
from trunkline.deploy.local_desk import LocalDesk, announce
from trunkline.errors import UsageError

PROJECT = """\
[project]
name = "shop"
version = "0.0.0"
[tool.trunkline.environments.staging]
url = "http://127.0.0.1:8100"
"""
# Whoever took it over may do what they like; before that nobody may.
RULE = """\
import json, sys
from pathlib import Path
taken = Path("taken")
if "take over" in sys.argv:
    taken.touch()
free = taken.exists()
print(json.dumps({"said": "yours"} if free else {"denied": "ben has staging"}))
"""


class Page(QuietHandler):
    """A desk whose guests may look at its page and do nothing."""

    def do_GET(self) -> None:
        self.reply(200 if self.path.rstrip("/") == "/shop" else 404, {}, b"the page")

    def do_POST(self) -> None:
        self.read_body()
        guest = self.headers["Authorization"] == "Bearer guest"
        document = {"detail": "ben has staging"} if guest else {"said": "as wished"}
        self.reply(409 if guest else 200, {}, json.dumps(document).encode())


@pytest.fixture
def page() -> Iterator[str]:
    with serving(Page) as place:
        yield f"http://{place}/shop"


@pytest.fixture
def clone(tmp_path: Path) -> Sample:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    process.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return Sample(tmp_path, tmp_path, environment(tmp_path) | {"DESK_TOKEN": "ana"})


def fix(ran: Ran, said: str) -> str:
    """Return what a refusal says to type next."""
    assert (ran.code != 0, said in ran.err) == (True, True), ran.all
    return ran.err.rpartition("type next: ")[2].partition("  (")[0].strip()


def serve(clone: Sample, page: str, script: str) -> None:
    """Let a script be asked as the desk of this clone is."""
    program = [sys.executable, "-c", script]
    desk = LocalDesk("shop/staging", page, program, str(clone.root), [])
    announce(desk, clone.root)


def opened(command: str) -> int:
    """Return how a page is answered that a person is told to open."""
    program, address = command.split()
    assert program == "open"
    return urllib3.request("GET", address, retries=False).status


def test_what_a_desk_does_not_do_is_on_its_page(clone: Sample, page: str) -> None:
    for words in (("deploy", "main", "--to"), ("rollback",)):
        ran = clone.trunkline(*words, "staging", "--desk", page, "--dry-run")
        assert opened(fix(ran, "there is no ")) == 200
    clone.env |= {"DESK_TOKEN": "guest"}
    ran = clone.trunkline("release-env", "staging", "--desk", page)
    assert opened(fix(ran, "rule `desk`")) == 200


def test_a_desk_that_is_named_is_asked(clone: Sample, page: str) -> None:
    words = ("release-env", "staging")
    said = fix(clone.trunkline(*words), "no desk serves staging")
    option = said.removeprefix("the same command with ")
    option = option.replace("https://HOST/SERVICE", page)
    ran = clone.trunkline(*words, *option.split())
    assert (ran.code, ran.err) == (0, "as wished\n")
    serve(clone, page, "print('no JSON')")
    said = fix(clone.trunkline(*words), "a desk that cannot be asked")
    option = said.removeprefix("the same command with ")
    ran = clone.trunkline(*words, *option.split())
    assert (ran.code, ran.err) == (0, "as wished\n")


def test_what_somebody_has_is_taken_over(clone: Sample, page: str) -> None:
    serve(clone, page, RULE)
    words = ("release-env", "staging")
    said = fix(clone.trunkline(*words), "ben has staging")
    assert clone.trunkline(*shlex.split(said)[3:]).code == 0
    assert clone.trunkline(*words).code == 0


def test_an_address_is_named_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_TOKEN", "ana")
    for address in ("desk.example", "http://desk.example/shop"):
        with pytest.raises(UsageError) as refused:
            open_desk(address)
        said = str(refused.value).rpartition(" --desk ")[2]
        said = said.replace("HOST/SERVICE", "desk.example/shop")
        assert open_desk(said).api == "https://desk.example/api/shop"
