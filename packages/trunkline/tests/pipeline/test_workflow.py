from pathlib import Path
from typing import Any

import pytest

from trunkline.errors import UsageError
from trunkline.pipeline.workflow import parse_action, parse_workflow
from trunkline.pipeline.yamlfile import read_yaml

STEPS = [{"run": "make test"}]


def workflow(**job: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"on": "push", "jobs": {"test": {"runs-on": "x", "steps": STEPS, **job}}}


def test_on_is_a_word_and_no_truth_value(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text("on: push\njobs: {a: {steps: [{run: 'yes'}]}}\n")
    parsed = parse_workflow("a.yml", read_yaml(file))
    assert dict(parsed.on) == {"push": {}}
    assert parsed.jobs["a"].steps[0].run == "yes"


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: [", "a: 'b"])
def test_a_file_that_github_refuses_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.yml"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"a\.yml cannot be read"):
        read_yaml(file)


def test_a_job_takes_the_shell_and_folder_of_its_workflow_unless_it_has_own() -> None:
    document = workflow() | {
        "defaults": {"run": {"shell": "sh", "working-directory": "a"}}
    }
    document["jobs"]["own"] = {
        "defaults": {"run": {"shell": "bash"}},
        "steps": STEPS,
    }
    jobs = parse_workflow("a.yml", document).jobs
    assert (jobs["test"].shell, jobs["test"].folder) == ("sh", "a")
    assert (jobs["own"].shell, jobs["own"].folder) == ("bash", "a")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (workflow(services={}), "jobs.test has `services`, which a local run does not"),
        (workflow(container="x"), "`container`"),
        (workflow(steps=[]), "has no steps"),
        (workflow(steps=[{"name": "a"}]), "both or neither of `run` and `uses`"),
        (workflow(steps=[{"run": "a", "retry": 1}]), "steps[0] has `retry`"),
        (workflow(needs="nobody"), "needs `nobody`, which is no job"),
        (workflow(strategy={"matrixx": {}}), "`matrixx`"),
        ({"jobs": {}}, "on is None; expected events"),
        ([], "is []; expected a table"),
    ],
)
def test_what_a_local_run_does_not_know_is_refused(document: Any, said: str) -> None:  # noqa: ANN401
    with pytest.raises(UsageError) as caught:
        parse_workflow("a.yml", document)
    assert said in str(caught.value)


def test_an_action_has_inputs_with_defaults_and_those_that_are_required() -> None:
    action = parse_action(
        "github/a/action.yml",
        {
            "inputs": {"push": {"default": True}, "token": {"required": True}},
            "outputs": {"digest": {"value": "${{ steps.a.outputs.digest }}"}},
            "runs": {"using": "composite", "steps": [{"run": "a", "shell": "bash"}]},
        },
    )
    assert dict(action.inputs) == {"push": "true", "token": ""}
    assert action.required == {"token"}
    assert action.outputs["digest"] == "${{ steps.a.outputs.digest }}"
    assert action.steps[0].run == "a"


def test_an_action_that_is_no_composite_is_refused() -> None:
    with pytest.raises(UsageError, match="expected composite"):
        parse_action("action.yml", {"runs": {"using": "node24"}})
