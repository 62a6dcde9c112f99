"""Deploys on this machine: real git, uv, Caddy and processes."""

import json

import pytest

from deploy.shops import Shop
from trunkline.deploy.engines.local import LONGEST

pytestmark = pytest.mark.slow


def test_a_branch_goes_on_staging_and_comes_back_without_a_lost_request(
    shop: Shop,
) -> None:
    shop.deploy("main").required()
    shop.branch("feat/login")
    shop.write("staging.env", "GREETING=good morning\n")
    with shop.load() as sent:
        shop.deploy("feat/login").required()
        assert shop.get() == {"text": "feat/login", "greeting": "good morning"}
        shop.trunkline("rollback", "staging").required()
    # The variables are those of then.
    assert shop.get() == {"text": "main", "greeting": "hello"}
    assert set(sent) == {"main", "feat/login"}
    told = json.loads(shop.trunkline("status", "staging", "--json").text)
    assert (told["ref"], told["well"], told["unfinished"]) == ("main", True, None)
    kinds = [one["kind"] for one in shop.history()]
    assert kinds == ["take back", "deploy", "deploy"]


def test_a_flag_alone_is_taken_back(shop: Shop) -> None:
    shop.deploy("main").required()
    shop.branch("two")
    shop.deploy("two").required()
    shop.deploy("two", "--flag", "ENABLE_X=true").required()
    told = json.loads(shop.trunkline("status", "staging", "--json").text)
    assert told["before"]["ref"] == "two"
    for text in ("two", "main"):
        shop.trunkline("rollback", "staging").required()
        assert shop.get()["text"] == text
        assert not shop.get("/version")["flags"]
    assert "nothing else" in shop.trunkline("rollback", "staging").complaint


def test_without_a_name_every_environment_is_told(shop: Shop) -> None:
    shop.deploy("main").required()
    ran = shop.trunkline("status")
    assert ran.code == 1
    first, second = ran.text.splitlines()
    assert first.startswith("staging: main ")
    assert second == "production: nothing serves on production"
    told = json.loads(shop.trunkline("status", "--json").text)
    assert [(one["environment"], one["well"]) for one in told] == [
        ("staging", True),
        ("production", False),
    ]


def test_a_sick_or_ending_branch_leaves_the_old_one_serving(shop: Shop) -> None:
    shop.deploy("main").required()
    shop.branch("exits")
    ran = shop.deploy("exits")
    assert ran.code == 1
    assert "ended before it was ready" in ran.complaint
    assert "cannot start exits" in ran.complaint
    assert shop.get()["text"] == "main"


def test_the_secrets_of_the_deployer_do_not_reach_the_service(shop: Shop) -> None:
    shop.set(journal="SHOP_STORE")
    secrets = {
        "SHOP_STORE": f"sqlite:///{shop.root}/store.db",
        "TRUNKLINE_REGISTRY_PASSWORD": "hush",
        "DESK_TOKEN": "hush",
        "GH_TOKEN": "hush",
    }
    shop.branch("exits")
    ran = shop.trunkline("deploy", "exits", "--to", "staging", **secrets)
    assert "cannot start exits: {" in ran.complaint
    assert "'APP_ENVIRONMENT': 'staging'" in ran.complaint
    for name in (*secrets, "hush", "store.db"):
        assert name not in ran.complaint


def test_what_is_no_longer_kept_leaves_nothing_on_the_disk(shop: Shop) -> None:
    for name in ("one", "two", "three"):
        shop.branch(name)
        shop.deploy(name).required()
    assert len(list(shop.folder.glob("trees/*/src"))) == 2
    assert len(list(shop.folder.glob("instances/*"))) == 2


def test_a_log_stays_short_and_its_last_lines_readable(shop: Shop) -> None:
    shop.deploy("main").required()
    (log,) = shop.folder.glob("instances/*/output.log")
    shop.get("/talk")
    assert log.stat().st_size > LONGEST
    shop.trunkline("status", "staging").required()
    assert log.stat().st_size < LONGEST
    # It goes on where the end is now, without a gap.
    shop.get("/talk")
    written = log.read_bytes()
    assert (written.startswith(b"a word\n"), written.count(b"\0")) == (True, 0)
    assert written.count(b"and the last\n") == 2

    shop.branch("talks-exits")
    ran = shop.deploy("talks-exits")
    assert (ran.code, ran.complaint.count("\na word")) == (1, 18)
    assert "\nand the last\ncannot start talks-exits" in ran.complaint


def test_production_refuses_what_is_no_release(shop: Shop) -> None:
    ran = shop.trunkline("deploy", "main", "--to", "production", "--dry-run")
    assert ran.code == 1
    assert "releases-only" in ran.complaint
