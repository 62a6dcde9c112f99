from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import UsageError
from trunkline.pipeline.jobs import ancestors, combinations, in_order, statuses
from trunkline.pipeline.workflow import Workflow, parse_workflow


def workflow(needs: dict[str, list[str]]) -> Workflow:
    jobs = {
        name: {"needs": others, "steps": [{"run": "x"}]}
        for name, others in needs.items()
    }
    return parse_workflow("a.yml", {"on": "push", "jobs": jobs})


def test_a_job_comes_behind_those_that_it_needs() -> None:
    jobs = in_order(workflow({"c": ["b"], "a": [], "b": ["a"], "d": []}))
    assert [job.id for job in jobs] == ["a", "b", "c", "d"]


def test_a_job_that_is_asked_for_brings_what_it_needs() -> None:
    needs = {"a": [], "b": ["a"], "c": []}
    assert [job.id for job in in_order(workflow(needs), ["b"])] == ["a", "b"]
    with pytest.raises(UsageError, match="no job `x`; expected one of a, b, c"):
        in_order(workflow(needs), ["x"])


def test_a_circle_is_named() -> None:
    with pytest.raises(UsageError, match="a → b → a"):
        in_order(workflow({"a": ["b"], "b": ["a"]}))


@given(st.lists(st.sets(st.integers(0, 9), max_size=4), min_size=10, max_size=10))
def test_no_order_ever_puts_a_job_before_what_it_needs(edges: list[set[int]]) -> None:
    needs = {
        str(job): [str(other) for other in others if other < job]
        for job, others in enumerate(edges)
    }
    made = workflow(dict(reversed(needs.items())))
    order = [job.id for job in in_order(made)]
    assert sorted(order) == sorted(needs)
    for job in made.jobs.values():
        assert all(
            order.index(other) < order.index(job.id) for other in ancestors(made, job)
        )


def test_a_job_that_was_skipped_far_back_is_no_success() -> None:
    made = workflow({"a": [], "b": ["a"], "c": ["b"]})
    results = {"a": "skipped", "b": "success"}
    assert statuses(made, made.jobs["c"], results) == {
        "success": False,
        "failure": False,
    }


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (None, [{}]),
        ({"a": ["x", "y"]}, [{"a": "x"}, {"a": "y"}]),
        ({"a": [1], "b": [True, False]}, [{"a": 1, "b": True}, {"a": 1, "b": False}]),
        ({"a": [1, 2], "exclude": [{"a": 2}]}, [{"a": 1}]),
        ({"include": [{"a": 1}, {"a": 2}]}, [{"a": 1}, {"a": 2}]),
        (
            {"a": [1, 2], "include": [{"a": 2, "b": "x"}, {"a": 3}, {"c": "y"}]},
            [{"a": 1, "c": "y"}, {"a": 2, "b": "x", "c": "y"}, {"a": 3}],
        ),
    ],
)
def test_a_matrix_is_every_combination_with_what_is_included_and_excluded(
    matrix: Any,  # noqa: ANN401
    expected: list[dict[str, Any]],
) -> None:
    assert combinations(matrix) == expected
