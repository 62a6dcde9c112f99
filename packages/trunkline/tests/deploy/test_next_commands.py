"""What a refused deploy says to type next, typed: it leads on."""

import os
import shlex
import signal
import socket
import sqlite3

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
    if words[:3] == ["uv", "run", "trunkline"]:
        return shop.trunkline(*words[3:]).required()
    return process.run(words, cwd=shop.root).required()


def test_what_is_to_be_named_otherwise_is_named(shop: Shop) -> None:
    shop.git("tag", "--annotate", "v1.0.0", "--message", "v1.0.0")
    plan = ("deploy", "main", "--to", "production", "--dry-run")
    tags = typed(shop, fix(shop, "releases-only", *plan)).text
    own = ("deploy", tags, "--to", "production", "--dry-run", "--own-database")
    assert fix(shop, "releases-only", *own) == "the same command without the option"
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


def test_a_tag_that_only_the_remote_has_is_fetched(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    remote = str(tmp_path_factory.mktemp("remote"))
    shop.git("clone", "--quiet", "--bare", ".", remote)
    shop.git("-C", remote, "tag", "v1.0.0")
    shop.git("remote", "add", "origin", remote)
    plan = ("deploy", "v1.0.0", "--to", "staging", "--dry-run")
    typed(shop, fix(shop, "no branch, tag or commit here", *plan))
    shop.trunkline(*plan).required()


def test_variables_that_cannot_be_read_are_named(shop: Shop) -> None:
    file = shop.root / "staging.env"
    for content in (None, b"GREETING=gr\xfc\xdfe\n"):
        file.write_bytes(content) if content else file.unlink()
        assert "which cannot be read" in shop.trunkline(*PLAN).complaint
        assert fix(shop, str(file), *PLAN).startswith("the same command")
    file.write_text("GREETING=grüße\n")
    shop.trunkline(*PLAN).required()


def test_a_journal_that_is_to_be_named_is_named(shop: Shop) -> None:
    shop.set(journal="JOURNAL")
    name, _, form = fix(shop, "$JOURNAL is not set", *PLAN).partition("=")
    assert (name, "://" in form) == ("export JOURNAL", True)
    shop.trunkline(*PLAN, JOURNAL=f"sqlite:///{shop.root}/journal.db").required()


def test_releases_that_have_its_migrations_are_in_the_history(shop: Shop) -> None:
    shop.git("tag", "--annotate", "v1.0.0", "--message", "v1.0.0")
    data = shop.folder.with_name("production") / "data"
    data.mkdir(parents=True)
    with sqlite3.connect(data / "service.db", autocommit=True) as database:
        database.execute("CREATE TABLE done (id)")
        database.execute("INSERT INTO done VALUES ('other')")
    deploy = ("deploy", "v1.0.0", "--to", "production")
    command = fix(shop, "unknown-migrations", *deploy)
    assert command.startswith("uv run trunkline history production")
    assert typed(shop, command).ok


def test_where_nothing_was_before_the_history_says_so(shop: Shop) -> None:
    command = fix(shop, "rollback", "rollback", "staging")
    assert typed(shop, command).ok


def test_who_is_in_the_way_is_named_until_gone(shop: Shop) -> None:
    place = shop.url.removeprefix("http://").split(":")
    deploy = ("deploy", "main", "--to", "staging")
    with only_deploy(shop.folder, "ana", wait=False):
        assert fix(shop, "found:     ana", *deploy).startswith("the same command with")
    with socket.create_server((place[0], int(place[1]))):
        assert fix(shop, "port", *deploy, "--dry-run")
        command = fix(shop, "port", *deploy, "--wait")
        assert "LISTEN" in typed(shop, command).text
    shop.deploy("main").required()


def test_what_was_interrupted_is_finished_before_a_plan(shop: Shop) -> None:
    shop.deploy("main").required()
    shop.branch("feat/login")
    shop.set(window=30)
    with shop.deploying("feat/login", until="watch") as one:
        os.killpg(one.pid, signal.SIGKILL)
        one.wait()
    shop.set(window=1)
    assert "feat/login, begun by" in shop.trunkline(*PLAN).complaint
    typed(shop, fix(shop, "unfinished", *PLAN))
    assert shop.get()["text"] == "feat/login"
    shop.trunkline(*PLAN).required()
