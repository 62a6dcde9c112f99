"""`trunkline status`: what a desk reads of it, from the facts and the journal."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.worlds import World
from trunkline.deploy.command import status_of


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "journal.db")


def status(world: World) -> dict[str, Any]:
    deployer = world.deployer
    operations = deployer.journal.operations()
    return status_of(deployer.facts(), operations, running=False)


def test_what_it_would_go_back_to_is_named(world: World) -> None:
    world.deploy("a")
    assert status(world)["before"] is None
    world.deploy("b")
    assert status(world)["before"]["commit"] == "a"


def test_in_its_window_it_would_go_back_to_what_stands_beside_it(world: World) -> None:
    world.deploy("a")
    world.deploy("b")
    seen: list[dict[str, Any]] = []

    def sleep(seconds: float) -> None:
        world.clock += seconds
        seen.append(status(world))

    world.sleep = sleep  # type: ignore[method-assign]
    world.deploy("c")
    (found,) = {one["commit"]: one["before"]["commit"] for one in seen}.items()
    assert found == ("c", "b")


def test_what_was_changed_outside_differs_from_what_is_recorded(world: World) -> None:
    put_on = world.deploy("a")
    found = status(world)
    assert (found["commit"], found["recorded"]["commit"]) == ("a", "a")
    world.instances[put_on.operation] = replace(put_on, commit="x")
    found = status(world)
    assert (found["commit"], found["recorded"]["commit"]) == ("x", "a")


def test_facts_that_contradict_each_other_need_a_human(world: World) -> None:
    world.deploy("a")
    assert status(world)["needs_human"] is None
    world.live = "10.0.0.1:80"
    assert "the live file names 10.0.0.1:80" in status(world)["needs_human"]
