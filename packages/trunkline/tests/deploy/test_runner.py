"""A deploy on a machine in memory, killed at every point."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.worlds import Killed, World
from trunkline.deploy.journal import DeployJournal
from trunkline.deploy.operation import (
    Candidate,
    DeployStep,
    Instance,
    Operation,
    Outcome,
    RecoveryVerdict,
    Remains,
    rollback_target,
)
from trunkline.deploy.runner import require_no_human
from trunkline.errors import FailedError, Refusal


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "journal.db")


def endings(world: World) -> list[Outcome | None]:
    return [one.ending for one in DeployJournal(world.file).operations()]


def served(world: World) -> str | None:
    found = [i for i in world.instances.values() if i.address == world.live]
    return found[0].commit if found else None


def test_a_deploy_serves_the_new_one_and_stops_the_old(world: World) -> None:
    world.deploy("a")
    world.outages = 0
    world.deploy("b")
    assert (served(world), len(world.instances), world.outages) == ("b", 1, 0)
    assert endings(world) == [Outcome.LIVE, Outcome.LIVE]


def test_what_serves_has_a_line_of_its_own_after_a_reason_of_several(
    world: World,
) -> None:
    class LongError(FailedError):
        def __init__(self, text: str) -> None:
            super().__init__(f"{text}:\nno such table.")

    world.deploy("a")
    world.fails, world.failure = "migrate", LongError
    with pytest.raises(FailedError) as failed:
        world.deploy("b")
    said = "b migrate failed:\nno such table.\na still serves"
    assert str(failed.value).startswith(said)


@pytest.mark.parametrize("failure", [FailedError, OSError])
@pytest.mark.parametrize("step", ["pull", "migrate", "start", "switch"])
def test_a_failure_before_the_switch_leaves_the_old_one_serving(
    world: World, step: str, failure: type[Exception]
) -> None:
    world.deploy("a")
    world.fails, world.failure, world.outages = step, failure, 0
    said: list[str] = []
    deployer = replace(world.deployer, say=said.append)
    operation = Operation("op-b", Candidate("b", "b"), "ana", at=0, took_back=False)
    with pytest.raises(failure, match=f"{step} failed") as failed:
        deployer.deploy(operation)
    assert f"{step} failed; a still serves" in f"{failed.value} {said}"
    assert (served(world), len(world.instances), world.outages) == ("a", 1, 0)
    assert endings(world) == [Outcome.LIVE, Outcome.FAILED]


def test_a_database_that_has_everything_is_not_migrated(world: World) -> None:
    world.deploy("a")
    world.migrates, world.fails = False, "migrate"
    world.deploy("b")
    begun = [
        [step for step, _ in one.steps] for one in world.deployer.journal.operations()
    ]
    assert begun == [[*DeployStep], [*DeployStep][:2] + [*DeployStep][3:]]


def test_one_that_never_gets_ready_is_removed_with_its_last_lines_shown(
    world: World,
) -> None:
    world.deploy("a")
    world.sick.add("b")
    with pytest.raises(FailedError, match="its last words"):
        world.deploy("b")
    assert (served(world), len(world.instances)) == ("a", 1)


def test_one_that_turns_sick_in_its_window_is_switched_back(world: World) -> None:
    world.deploy("a")
    deployer = world.deployer
    turned = deployer.window - 1

    def sleep(seconds: float) -> None:
        world.clock += seconds
        if served(world) == "b" and world.clock > turned:
            world.sick.add("b")

    world.sleep = sleep  # type: ignore[method-assign]
    with pytest.raises(FailedError, match=r"became unhealthy .*; a still serves"):
        world.deploy("b")
    assert (served(world), len(world.instances)) == ("a", 1)
    assert endings(world)[-1] is Outcome.RESTORED


def test_a_look_each_second_notices_in_two_that_it_turned_sick(world: World) -> None:
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        world.clock += seconds
        if len(looks) == 30:
            world.sick.add("b")

    operation = Operation("op-b", Candidate("b", "b"), "ana", at=0, took_back=False)
    with pytest.raises(FailedError, match="became unhealthy"):
        replace(world.deployer, window=60, pause=sleep).deploy(operation)
    assert (sum(looks[:30]), sum(looks[30:]) <= 2) == (30, True)


@contextmanager
def serving_a(*, sick: bool) -> Iterator[World]:
    """A world that serves `a`, where `b` is sick or well."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "journal.db")
        world.deploy("a")
        world.outages = 0
        if sick:
            world.sick.add("b")
        yield world


@pytest.mark.slow
@given(left=st.integers(0, 40), again=st.integers(0, 40), sick=st.booleans())
def test_after_any_crash_one_well_instance_serves_and_no_request_was_lost(
    left: int, again: int, *, sick: bool
) -> None:
    with serving_a(sick=sick) as world:
        kill(world, left, lambda: world.deploy("b"))
        kill(world, again, world.deployer.recover)
        world.left = None
        found = world.deployer.recover()
        assert found is None or found.verdict is not RecoveryVerdict.NEEDS_HUMAN
        assert served(world) in ({"a"} if sick else {"a", "b"})
        assert (len(world.instances), world.outages) == (1, 0)
        # The journal's ending agrees with what serves.
        last = DeployJournal(world.file).operations()[-1]
        live = last.ending is Outcome.LIVE
        assert (last.candidate.commit == served(world)) is live
        assert world.deploy("c").commit == served(world)


@pytest.mark.slow
@given(answers=st.integers(0, 40), sick=st.booleans())
def test_where_the_engine_goes_away_it_is_said_what_is_live_and_the_next_one_finishes(
    answers: int, *, sick: bool
) -> None:
    with serving_a(sick=sick) as world:
        world.answers, found = answers, ""
        try:
            world.deploy("b")
        except Refusal as error:
            found = error.found
        except FailedError:
            pass  # Nothing was begun, or it ended before the engine went away.
        unfinished = endings(world)[1:] == [None]
        assert (f"it does not answer; {served(world)} is live" in found) is unfinished
        world.answers = None
        world.deployer.recover()
        assert served(world) in ({"a"} if sick else {"a", "b"})
        assert (len(world.instances), world.outages) == (1, 0)
        assert world.deploy("c").commit == served(world)


def kill(world: World, left: int, run: object) -> None:
    world.left = left
    try:
        assert callable(run)
        run()
    except (Killed, FailedError):
        pass
    world.left = None


def test_a_foreign_live_file_needs_a_human_and_is_left_alone(world: World) -> None:
    world.deploy("a")
    kill(world, 12, lambda: world.deploy("b"))
    world.live = "10.0.0.1:80"
    found = world.deployer.recover()
    assert found is not None
    assert (found.verdict, world.live) == (RecoveryVerdict.NEEDS_HUMAN, "10.0.0.1:80")
    with pytest.raises(Refusal, match=r"live: 10\.0\.0\.1:80; running: a at"):
        require_no_human(found, world.deployer.facts(), Path("/a b/live"))


def test_a_sick_first_deploy_that_was_killed_is_taken_off(world: World) -> None:
    world.sick.add("a")
    kill(world, 12, lambda: world.deploy("a"))
    # A cluster makes it live before it is well.
    (new,) = world.instances.values()
    world.live = new.address
    found = world.deployer.recover()
    assert found is not None
    assert (found.verdict, served(world)) == (RecoveryVerdict.RESTORE, None)
    assert world.deploy("b").commit == served(world)


def test_a_live_one_that_is_sick_stays_until_another_is_deployed(world: World) -> None:
    world.deploy("a")
    kill(world, 3, lambda: world.deploy("b"))
    world.sick.add("a")
    assert len(world.instances) == 1
    found = world.deployer.recover()
    assert found is not None
    assert (found.verdict, served(world)) == (RecoveryVerdict.RESTORE, "a")
    assert world.deploy("c").commit == served(world)


def test_what_was_before_comes_back_where_nothing_is_well(world: World) -> None:
    world.deploy("a")
    kill(world, 12, lambda: world.deploy("b"))
    world.live = next(i.address for i in world.instances.values() if i.commit == "b")
    world.sick |= {"a", "b"}
    found = world.deployer.recover()
    assert found is not None
    assert (found.verdict, served(world)) == (RecoveryVerdict.RESTORE, "a")
    assert world.deploy("c").commit == served(world)


def test_after_a_restart_of_the_machine_the_next_deploy_works(world: World) -> None:
    world.deploy("a")
    kill(world, 12, lambda: world.deploy("b"))
    world.instances.clear()
    found = world.deployer.recover()
    assert found is not None
    assert found.verdict is RecoveryVerdict.RESTORE
    assert world.deploy("c").commit == served(world)


def test_a_clock_that_is_set_back_an_hour_changes_nothing(world: World) -> None:
    world.clock = 7200
    world.deploy("a")
    kill(world, 5, lambda: world.deploy("b"))
    world.clock -= 3600
    world.deployer.recover()
    world.deploy("c")
    operations = DeployJournal(world.file).operations()
    assert [one.candidate.commit for one in operations] == ["a", "b", "c"]
    assert min(one.seconds for one in operations) >= 0
    live = next(iter(world.instances))
    found = rollback_target(operations, live)
    assert found is not None
    assert found.candidate.commit == "a"


def test_taking_back_never_returns_to_what_was_taken_back(world: World) -> None:
    def back() -> Instance:
        live = next(iter(world.instances))
        target = rollback_target(DeployJournal(world.file).operations(), live)
        assert target is not None
        return world.deploy(target.candidate.commit, took_back=True)

    for commit in ("a", "b"):
        world.deploy(commit)
    assert back().commit == "a"
    world.deploy("c")
    assert back().commit == "a"


def test_there_is_nothing_to_take_back_to_after_one_deploy(world: World) -> None:
    live = world.deploy("a")
    assert (
        rollback_target(DeployJournal(world.file).operations(), live.operation) is None
    )


def test_taking_back_returns_to_the_same_commit_with_other_variables(
    world: World,
) -> None:
    kept: dict[str, dict[str, str]] = {}

    def put(commit: str, flag: str, *, took_back: bool = False) -> None:
        put_on = world.deploy(commit, took_back=took_back)
        kept[put_on.operation] = {"ENABLE_X": flag}

    def target() -> tuple[str, str] | None:
        live, operations = next(iter(world.instances)), world.deployer.journal
        found = rollback_target(operations.operations(), live, Remains(kept))
        return (found.candidate.commit, kept[found.name]["ENABLE_X"]) if found else None

    put("a", "false")
    put("b", "false")
    put("b", "false")
    assert target() == ("a", "false")
    put("b", "true")
    assert target() == ("b", "false")
    put("b", "false", took_back=True)
    assert target() == ("a", "false")
    put("c", "true")
    put("b", "false", took_back=True)
    # Neither to the flag nor to the commit that was taken back.
    assert target() == ("a", "false")


def test_variables_that_are_not_kept_count_as_the_same(world: World) -> None:
    live = [world.deploy(commit).operation for commit in ("a", "b", "b")]
    operations = world.deployer.journal.operations()
    found = rollback_target(
        operations, live[2], Remains({live[2]: {"ENABLE_X": "true"}})
    )
    assert found is not None
    assert found.candidate.commit == "a"
