"""How far a deploy is, and how long it will take."""

from trunkline.deploy.operation import Candidate, DeployStep, Operation, Outcome
from trunkline.deploy.orders import progress

PULL, WATCH = DeployStep.PULL, DeployStep.WATCH


def done(at: float, watch: float, seconds: float) -> Operation:
    """Return one that succeeded, and watched from a moment after its beginning."""
    return Operation(
        "a",
        Candidate("a", "a"),
        "ana",
        at,
        took_back=False,
        steps=((PULL, at), (WATCH, at + watch)),
        ending=Outcome.LIVE,
        seconds=seconds,
    )


def begun(*steps: tuple[DeployStep, float]) -> Operation:
    return Operation(
        "b", Candidate("b", "b"), "ana", 500, took_back=False, steps=tuple(steps)
    )


PAST = [done(100, 5, 65), done(200, 9, 70), done(300, 5, 95)]


def test_the_time_left_is_the_median_of_what_is_left_of_past_ones() -> None:
    now = begun((PULL, 500), (WATCH, 510))
    assert progress([*PAST, now], 520) == "step 7 of 8: watch, about 51 s left"
    assert progress([*PAST, now], 900) == "step 7 of 8: watch, about 0 s left"
    assert progress([now], 520) == "step 7 of 8: watch"


def test_a_clock_that_was_set_back_an_hour_counts_as_one_that_stood() -> None:
    now = begun((PULL, 5000))
    assert progress([*PAST, now], 1400) == "step 1 of 8: pull, about 70 s left"
    odd = [done(5000, -3600, 65), begun((WATCH, 6000))]
    assert progress(odd, 6000).startswith("step 7 of 8: watch, about 36")


def test_what_ended_has_no_progress() -> None:
    assert progress(PAST, 0) == "no step has begun"
    assert progress([begun()], 0) == "no step has begun"
