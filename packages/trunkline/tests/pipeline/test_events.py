from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import UsageError
from trunkline.pipeline.events import Event, filled_inputs, starts
from trunkline.pipeline.patterns import selected
from trunkline.pipeline.workflow import Workflow, parse_workflow


def workflow(on: Any) -> Workflow:  # noqa: ANN401
    return parse_workflow("a.yml", {"on": on, "jobs": {"a": {"steps": [{"run": "x"}]}}})


@pytest.mark.parametrize(
    ("pattern", "names", "others"),
    [
        ("main", ["main"], ["main2", "a/main"]),
        ("feat/*", ["feat/a"], ["feat/a/b", "feat"]),
        ("**", ["main", "feat/a/b"], []),
        ("feat/**", ["feat/a", "feat/a/b"], ["feat"]),
        ("v*", ["v1", "v1.2.0-alpha.1"], ["v/1", "1v"]),
        ("v[0-9]+.x", ["v1.x", "v12.x"], ["v.x", "v1yx"]),
        ("*.jsx?", ["a.js", "a.jsx"], ["a.jsxx", "b/a.js"]),
        ("**/docs/**", ["docs/a", "x/docs/a/b"], ["docsa"]),
        ("**.md", ["a.md", "docs/a.md"], ["a.mdx"]),
        ("a\\*", ["a*"], ["ab"]),
    ],
)
def test_a_pattern_chooses_what_github_documents(
    pattern: str, names: list[str], others: list[str]
) -> None:
    assert all(selected(name, [pattern]) for name in names)
    assert not any(selected(name, [pattern]) for name in others)


@given(st.text(min_size=1))
def test_a_name_is_chosen_by_everything_and_by_the_last_word_about_it(
    name: str,
) -> None:
    assert selected(name, ["**"])
    assert not selected(name, ["**", "!**"])
    assert selected(name, ["!**", "**"])


@pytest.mark.parametrize(
    ("filters", "ref", "expected"),
    [
        ({}, "refs/heads/a", True),
        ({}, "refs/tags/v1", True),
        ({"branches": ["main"]}, "refs/heads/main", True),
        ({"branches": ["main"]}, "refs/tags/v1", False),
        ({"tags": ["v*"]}, "refs/tags/v1.0.0", True),
        ({"tags": ["v*"]}, "refs/heads/v1", False),
        ({"branches": ["**", "!x/**"]}, "refs/heads/x/a", False),
        ({"branches-ignore": ["x/**"]}, "refs/heads/x/a", False),
        ({"branches-ignore": ["x/**"]}, "refs/heads/a", True),
        ({"tags-ignore": ["v*"]}, "refs/tags/a", True),
        ({"paths": ["src/**"]}, "refs/heads/a", True),
        ({"paths": ["docs/**"]}, "refs/heads/a", False),
        ({"paths": ["docs/**"]}, "refs/tags/v1", True),
        ({"paths-ignore": ["src/**"]}, "refs/heads/a", True),
        ({"paths-ignore": ["**"]}, "refs/heads/a", False),
    ],
)
def test_a_push_starts_what_its_filters_let_pass(
    filters: dict[str, Any],
    ref: str,
    expected: bool,
) -> None:
    event = Event("push", ref, paths=("src/a.py", "README.md"))
    assert starts(workflow({"push": filters}), event) is expected


def test_a_pull_request_is_filtered_by_where_it_goes_and_what_became_of_it() -> None:
    event = Event("pull_request", "refs/heads/feat/a", base="main")
    assert starts(workflow({"pull_request": {"branches": ["main"]}}), event)
    assert not starts(workflow({"pull_request": {"branches": ["feat/**"]}}), event)
    edited = Event("pull_request", event.ref, base="main", action="edited")
    assert not starts(workflow("pull_request"), edited)
    assert starts(workflow({"pull_request": {"types": ["edited"]}}), edited)


@pytest.mark.parametrize("name", ["schedule", "delete", "workflow_dispatch"])
def test_another_event_starts_what_names_it(name: str) -> None:
    event = Event(name, "refs/heads/main")
    assert starts(workflow([name, "push"]), event)
    assert not starts(workflow("push"), event)


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"branch": ["main"]}, "`branch`, which is no filter"),
        ({"tags": ["a"], "tags-ignore": ["b"]}, "both tags and tags-ignore"),
    ],
)
def test_a_filter_that_github_does_not_know_is_refused(
    filters: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        starts(workflow({"push": filters}), Event("push", "refs/heads/a"))


FORM = {
    "level": {"type": "choice", "options": ["auto", "PATCH"], "default": "auto"},
    "dry": {"type": "boolean"},
    "note": {"required": True},
}


def inputs(**given: str) -> dict[str, Any]:
    event = Event("workflow_dispatch", "refs/heads/main", inputs=given)
    return filled_inputs(workflow({"workflow_dispatch": {"inputs": FORM}}), event)


def test_a_form_is_filled_in_with_defaults_and_types() -> None:
    assert inputs(note="x") == {"level": "auto", "dry": False, "note": "x"}
    assert inputs(note="x", dry="true", level="PATCH")["dry"] is True


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({}, "note is required: --input note="),
        ({"note": "x", "level": "BIG"}, "expected one of"),
        ({"note": "x", "dry": "perhaps"}, "expected true or false"),
        ({"note": "x", "lvel": "PATCH"}, "no input `lvel`"),
    ],
)
def test_what_the_form_would_refuse_is_refused(
    given_: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        inputs(**given_)
