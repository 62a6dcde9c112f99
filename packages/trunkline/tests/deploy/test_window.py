"""Taking back while the old instance stands: by rename, or by Ctrl-C."""

import os
import signal
from pathlib import Path

import pytest

from deploy.shops import Shop
from deploy.worlds import World
from trunkline.deploy.operation import Instance, Outcome

LONG = 30


@pytest.fixture
def open_shop(shop: Shop) -> Shop:
    """Serve main, and watch the next one for longer than the test takes."""
    shop.deploy("main").required()
    shop.set(window=LONG)
    shop.branch("feat/login")
    return shop


@pytest.mark.slow
def test_a_rollback_from_a_second_terminal_ends_the_window(open_shop: Shop) -> None:
    shop = open_shop
    with shop.load() as sent, shop.deploying("feat/login", until="watch") as one:
        assert shop.get()["text"] == "feat/login"
        ran = shop.trunkline("rollback", "staging").required()
        assert shop.get()["text"] == "main"
        assert one.wait() == 1
    assert "switched back" in ran.complaint
    assert "main" in ran.text
    assert sent[-1] == "main"
    assert (shop.running(), [o["ending"] for o in shop.history()]) == (
        1,
        ["restored", "live"],
    )
    assert "was taken back by" in shop.history()[0]["reason"]


@pytest.mark.slow
@pytest.mark.parametrize("until", ["pull", "check", "watch"])
def test_ctrl_c_leaves_the_old_one_and_nothing_of_the_new(
    open_shop: Shop, until: str
) -> None:
    shop = open_shop
    with shop.load(), shop.deploying("feat/login", until=until) as one:
        os.killpg(one.pid, signal.SIGINT)
        assert one.wait() == 130
    assert (shop.get()["text"], shop.running()) == ("main", 1)
    assert shop.history()[0]["ending"] == ("restored" if until == "watch" else "failed")


@pytest.mark.slow
def test_where_the_deployer_was_killed_a_rename_takes_back_too(open_shop: Shop) -> None:
    shop = open_shop
    with shop.load(), shop.deploying("feat/login", until="watch") as one:
        os.killpg(one.pid, signal.SIGKILL)
        one.wait()
        ran = shop.trunkline("rollback", "staging").required()
    assert "switched back" in ran.complaint
    assert (shop.get()["text"], shop.running()) == ("main", 1)


def test_the_rename_takes_no_second_of_our_own(tmp_path: Path) -> None:
    """With the slow things counted: nothing is started, stopped or waited for."""
    world = World(tmp_path / "journal.db")
    world.deploy("a")
    world.outages = 0
    taken: list[tuple[Instance | None, float]] = []

    def sleep(seconds: float) -> None:
        world.clock += seconds
        if not taken:
            before, world.left = world.clock, 8
            taken.append((world.deployer.take_back("kim"), world.clock - before))
            world.left = None

    world.sleep = sleep  # type: ignore[method-assign]
    with pytest.raises(Exception, match="was taken back by kim; a still serves"):
        world.deploy("b")
    (back, seconds), *_ = taken
    assert back is not None
    assert (back.commit, seconds, world.outages) == ("a", 0, 0)
    assert world.deployer.journal.operations()[-1].ending is Outcome.RESTORED


def test_who_took_an_earlier_one_back_is_not_blamed_for_the_next(
    tmp_path: Path,
) -> None:
    world = World(tmp_path / "journal.db")
    world.deploy("a")
    first, world.decider = world.live, "kim"

    def change(seconds: float) -> None:
        world.clock += seconds
        world.live = first

    world.sleep = change  # type: ignore[method-assign]
    with pytest.raises(Exception, match="was taken back by a change of the file"):
        world.deploy("b")


def test_out_of_a_window_nothing_is_taken_back_by_rename(tmp_path: Path) -> None:
    world = World(tmp_path / "journal.db")
    world.deploy("a")
    world.deploy("b")
    assert world.deployer.take_back("kim") is None
