"""What a refused deploy says to type next, typed: it leads on."""

import shlex
import socket

import pytest

from deploy.shops import Shop
from trunkline import process
from trunkline.deploy.lock import only_deploy

pytestmark = pytest.mark.slow
PLAN = ("deploy", "main", "--to", "staging", "--dry-run")


def fix(shop: Shop, rule: str, *words: str) -> str:
    """Return what a refusal says to type next."""
    ran = shop.trunkline(*words)
    assert not ran.ok
    assert rule in ran.complaint
    return ran.complaint.rpartition("type next: ")[2]


def typed(shop: Shop, command: str) -> process.Completed:
    """Type a command, without what is to be known about it."""
    words = shlex.split(command.partition("  (")[0])
    if words[0] == "trunkline":
        return shop.trunkline(*words[1:]).required()
    return process.run(words, cwd=shop.root).required()


def test_what_is_to_be_named_otherwise_is_named(shop: Shop) -> None:
    shop.git("tag", "--annotate", "v1.0.0", "--message", "v1.0.0")
    plan = ("deploy", "main", "--to", "production", "--dry-run")
    tags = typed(shop, fix(shop, "releases-only", *plan)).text
    shop.trunkline("deploy", tags, "--to", "production", "--dry-run").required()
    assert "without --commit" in fix(shop, "ref-moved", *PLAN, "--commit=0000000")
    shop.trunkline(*PLAN).required()


def test_an_environment_that_is_to_be_added_is_added(shop: Shop) -> None:
    plan = ("deploy", "main", "--to", "review", "--dry-run")
    first, _, lines = fix(shop, "no environment `review`", *plan).partition("\n")
    assert first == "add to pyproject.toml:"
    file = shop.root / "pyproject.toml"
    file.write_text(file.read_text() + lines)
    shop.trunkline(*plan).required()


def test_where_nothing_was_before_the_history_says_so(shop: Shop) -> None:
    command = fix(shop, "rollback", "rollback", "staging")
    assert typed(shop, command).ok


def test_who_is_in_the_way_is_named_until_gone(shop: Shop) -> None:
    place = shop.url.removeprefix("http://").split(":")
    deploy = ("deploy", "main", "--to", "staging")
    with only_deploy(shop.folder, "ana", wait=False):
        assert fix(shop, "found:     ana", *deploy).startswith("the same command with")
    with socket.create_server((place[0], int(place[1]))):
        command = fix(shop, "port", *deploy, "--wait")
        assert "LISTEN" in typed(shop, command).text
    shop.deploy("main").required()
