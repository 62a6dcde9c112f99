"""A local run of small workflows in a real repository."""

import json
import os
import signal
import subprocess
import time
from typing import Any

import pytest

from samples import Ran, Sample

pytestmark = pytest.mark.slow  # A run makes a remote and a clone for each job.

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"


def workflow(
    sample: Sample,
    jobs: dict[str, Any],
    *,
    on: Any = "push",  # noqa: ANN401
    name: str = "a",
) -> None:
    """Commit a workflow; YAML holds JSON."""
    document = {"name": name.title(), "on": on, "jobs": jobs}
    path = f".github/workflows/{name}.yml"
    sample.commit("ci: a workflow", {path: json.dumps(document)})


def steps(*commands: str | dict[str, Any], **job: Any) -> dict[str, Any]:  # noqa: ANN401
    """Make a job of commands."""
    made = [{"run": it} if isinstance(it, str) else it for it in commands]
    return {"runs-on": "ubuntu-24.04", "steps": made, **job}


def ci(sample: Sample, *arguments: str, **env: str) -> Ran:
    kept = {
        k: v for k, v in sample.env.items() if k not in ("GITHUB_TOKEN", "GH_TOKEN")
    }
    sample.env.clear()
    sample.env.update(kept)
    return sample.trunkline("ci", *arguments, **env)


def said(ran: Ran) -> list[str]:
    """What steps have printed."""
    return [line.strip() for line in ran.out.splitlines() if line.startswith("  ")]


def test_jobs_run_in_order_and_hand_their_outputs_on(sample: Sample) -> None:
    jobs = {
        "last": steps(
            "echo got ${{ needs.first.outputs.word }}", needs="first", name="Last"
        ),
        "first": steps(
            {"id": "a", "run": 'echo "word=green" >> "$GITHUB_OUTPUT"'},
            outputs={"word": "${{ steps.a.outputs.word }}-ish"},
        ),
    }
    workflow(sample, jobs)
    ran = ci(sample)
    assert ran.code == 0, ran.all
    assert "got green-ish" in said(ran)
    assert ran.out.index("A / first") < ran.out.index("A / Last")


def test_a_failure_ends_its_job_and_skips_what_needs_it(sample: Sample) -> None:
    jobs = {
        "bad": steps(
            "echo before; exit 7", "echo never", {"if": "failure()", "run": "echo why"}
        ),
        "after": steps("echo never", needs=["bad"]),
        "report": steps(
            "echo bad=${{ needs.bad.result }}", needs=["bad"], **{"if": "always()"}
        ),
        "other": steps("echo apart"),
    }
    workflow(sample, jobs)
    ran = ci(sample)
    assert ran.code == 1
    lines = said(ran)
    assert "exit code 7" in lines
    assert {"why", "apart", "bad=failure"} <= set(lines)
    assert "never" not in lines
    assert [line.split()[:2] for line in lines if line.startswith("after ")] == [
        ["after", "skipped"]
    ]


def test_a_script_fails_as_it_would_on_github(sample: Sample) -> None:
    workflow(
        sample,
        {
            "default": steps("false\necho unreachable"),
            "pipe": steps({"run": "false | cat\necho unreachable", "shell": "bash"}),
            "loose": steps("false | cat\necho reached"),
        },
    )
    ran = ci(sample)
    assert "unreachable" not in ran.out
    assert "reached" in said(ran)


def test_a_step_may_fail_and_the_job_goes_on(sample: Sample) -> None:
    step = {"id": "a", "run": "exit 1", "continue-on-error": True}
    see = "echo ${{ steps.a.outcome }} ${{ steps.a.conclusion }}"
    workflow(sample, {"a": steps(step, see)})
    ran = ci(sample)
    assert (ran.code, "failure success" in said(ran)) == (0, True), ran.all


def test_steps_hand_variables_paths_and_folders_on(sample: Sample) -> None:
    workflow(
        sample,
        {
            "a": steps(
                {"uses": CHECKOUT},
                'mkdir bin; printf "#!/bin/sh\\necho own" > bin/own; chmod +x bin/own\n'
                'echo "$PWD/bin" >> "$GITHUB_PATH"\n'
                'printf "TEXT<<END\\ntwo\\nlines\\nEND\\n" >> "$GITHUB_ENV"',
                'own; echo "$TEXT" | tail -n 1',
                {"run": "basename $PWD", "working-directory": "bin"},
                {"run": "echo $A-$B", "env": {"B": "${{ env.A }}2"}},
                env={"A": "1"},
            )
        },
    )
    lines = said(ci(sample))
    for line in ("own", "lines", "bin", "1-12"):
        assert line in lines


def test_a_job_sees_the_commit_and_not_what_lies_around(sample: Sample) -> None:
    workflow(sample, {"a": steps({"uses": CHECKOUT}, "ls; git status --short")})
    sample.write("stray.txt", "x")
    ran = ci(sample)
    assert "stray.txt" not in ran.out
    assert "1 uncommitted changes are not part of this run" in ran.err


@pytest.mark.parametrize(("depth", "count"), [("1", "1 0"), ("0", "2 1")])
def test_a_checkout_is_as_deep_as_it_says(
    sample: Sample, depth: str, count: str
) -> None:
    sample.git("tag", "v9")
    show = 'echo "$(git rev-list --count HEAD) $(git tag | wc -l)"'
    checkout = {"uses": CHECKOUT, "with": {"fetch-depth": int(depth)}}
    workflow(sample, {"a": steps(checkout, show, "git symbolic-ref --short HEAD")})
    lines = said(ci(sample))
    assert count in lines
    assert "main" in lines


def test_a_tag_is_checked_out_as_on_github(sample: Sample) -> None:
    show = "echo $GITHUB_REF $GITHUB_REF_NAME $GITHUB_REF_TYPE; git describe --tags"
    workflow(
        sample,
        {"a": steps({"uses": CHECKOUT, "with": {"fetch-depth": 0}}, show)},
        on={"push": {"tags": ["v*"]}},
    )
    sample.git("tag", "v1.0.0")
    ran = ci(sample, "--ref", "v1.0.0")
    assert "refs/tags/v1.0.0 v1.0.0 tag" in said(ran), ran.all
    assert "v1.0.0" in said(ran)
    assert ci(sample, "--ref", "main").code == 1


def test_what_a_step_pushes_stays_on_this_machine(sample: Sample) -> None:
    commit = "git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x"
    push = f"{commit} && git push -q origin HEAD:new"
    again = {"uses": CHECKOUT, "with": {"ref": "new"}}
    workflow(
        sample,
        {
            "a": steps({"uses": CHECKOUT}, push),
            "b": steps(again, "git log -1 --format=%s", needs="a"),
        },
    )
    before = sample.remote_refs()
    ran = ci(sample)
    assert (ran.code, "x" in said(ran)) == (0, True), ran.all
    assert sample.remote_refs() == before


def test_secrets_are_never_shown(sample: Sample) -> None:
    workflow(
        sample,
        {
            "a": steps(
                {"run": 'echo "<$KEY>"', "env": {"KEY": "${{ secrets.KEY }}"}},
                "echo ::add-mask::made-here; echo is made-here",
            )
        },
    )
    ran = ci(sample, "--secret", "KEY", KEY="s3cr3t")
    assert ("<***>" in said(ran), "is ***" in said(ran)) == (True, True), ran.all
    assert "s3cr3t" not in ran.all


def test_a_step_knows_nothing_of_what_started_the_tool(sample: Sample) -> None:
    workflow(sample, {"a": steps("env | sort", "command -v trunkline || echo none")})
    ran = ci(
        sample,
        VIRTUAL_ENV=os.path.dirname(sample.env["PATH"].split(os.pathsep)[0]),
        GITHUB_REPOSITORY="acme/my-app",
        GIT_AUTHOR_NAME="somebody",
    )
    lines = said(ran)
    assert "VIRTUAL_ENV=" not in ran.out
    assert "GIT_AUTHOR_NAME=" not in ran.out
    assert "CI=true" in lines
    assert "GITHUB_REPOSITORY=acme/my-app" in lines
    assert "none" in lines


def test_an_own_action_has_inputs_steps_and_outputs(sample: Sample) -> None:
    action = {
        "name": "Greet",
        "inputs": {
            "who": {"default": "${{ github.ref_name }}"},
            "loud": {"default": "false"},
        },
        "outputs": {"said": {"value": "${{ steps.greet.outputs.said }}"}},
        "runs": {
            "using": "composite",
            "steps": [
                {"run": "echo loud", "shell": "bash", "if": "inputs.loud == 'true'"},
                {
                    "id": "greet",
                    "shell": "bash",
                    "env": {"WHO": "${{ inputs.who }}"},
                    "run": 'echo "said=hi $WHO" >> "$GITHUB_OUTPUT"',
                },
            ],
        },
    }
    sample.write("github/greet/action.yml", json.dumps(action))
    sample.git("add", "github")
    use = {"id": "g", "uses": "./github/greet"}
    workflow(
        sample,
        {"a": steps({"uses": CHECKOUT}, use, "echo ${{ steps.g.outputs.said }}")},
    )
    ran = ci(sample)
    assert (ran.code, "hi main" in said(ran)) == (0, True), ran.all
    assert "loud" not in said(ran)


def test_an_own_action_sees_no_variable_of_the_repository(sample: Sample) -> None:
    step = {"run": "echo ${{ vars.NAME }}", "shell": "bash"}
    action = {"name": "A", "runs": {"using": "composite", "steps": [step]}}
    sample.write("github/a/action.yml", json.dumps(action))
    sample.git("add", "github")
    workflow(sample, {"a": steps({"uses": CHECKOUT}, {"uses": "./github/a"})})
    ran = ci(sample, "--var", "NAME=x")
    assert (ran.code, "`vars` is not known here" in ran.err) == (1, True), ran.all


def test_a_matrix_runs_each_combination_and_stops_at_the_first_failure(
    sample: Sample,
) -> None:
    matrix = {"matrix": {"python": ["3.12", "bad", "3.14"]}}
    run = "test ${{ matrix.python }} != bad && echo is ${{ matrix.python }}"
    workflow(sample, {"a": steps(run, strategy=matrix)})
    ran = ci(sample)
    assert ran.code == 1
    assert "is 3.12" in said(ran)
    assert "is 3.14" not in said(ran)
    assert "A / a (bad)" in ran.out


def test_a_manual_run_has_its_form(sample: Sample) -> None:
    form = {
        "level": {"type": "choice", "options": ["auto", "PATCH"], "default": "auto"}
    }
    workflow(
        sample,
        {"a": steps("echo level ${{ inputs.level }}")},
        on={"workflow_dispatch": {"inputs": form}},
    )
    event = ("--event", "workflow_dispatch")
    assert "level auto" in said(ci(sample, *event))
    assert "level PATCH" in said(ci(sample, *event, "--input", "level=PATCH"))
    refused = ci(sample, *event, "--input", "level=BIG")
    assert (refused.code, "expected one of" in refused.err) == (2, True)


def test_a_pull_request_is_tested_as_it_would_be_merged(sample: Sample) -> None:
    workflow(
        sample,
        {
            "a": steps(
                {"uses": CHECKOUT, "with": {"fetch-depth": 0}},
                "ls; git log --format=%s origin/$GITHUB_BASE_REF..$HEAD",
                "echo ${{ github.event.pull_request.title }}",
                env={"HEAD": "${{ github.event.pull_request.head.sha }}"},
            )
        },
        on="pull_request",
    )
    sample.git("checkout", "-q", "-b", "feat/a")
    sample.commit("feat: a", {"a.txt": "a"})
    sample.git("checkout", "-q", "main")
    sample.commit("fix: b", {"b.txt": "b"})
    ran = ci(sample, "--event", "pull_request", "--ref", "feat/a")
    lines = said(ran)
    assert ran.code == 0, ran.all
    assert {"a.txt", "b.txt", "feat: a"} <= set(lines)
    assert "fix: b" not in lines


def test_a_pull_request_with_a_conflict_starts_nothing(sample: Sample) -> None:
    workflow(sample, {"a": steps("true")}, on="pull_request")
    sample.git("checkout", "-q", "-b", "feat/a")
    sample.commit("feat: a", {"a.txt": "a"})
    sample.git("checkout", "-q", "main")
    sample.commit("fix: b", {"a.txt": "b"})
    ran = ci(sample, "--event", "pull_request", "--ref", "feat/a")
    assert ran.code == 1
    assert "cannot be merged" in ran.err


def test_a_deleted_branch_starts_the_trunks_workflow(sample: Sample) -> None:
    workflow(
        sample,
        {
            "a": steps(
                "echo gone ${{ github.event.ref }} at ${{ github.ref_name }}",
                **{"if": "github.event.ref_type == 'branch'"},
            )
        },
        on="delete",
    )
    ran = ci(sample, "--event", "delete", "--ref", "refs/heads/feat/gone")
    assert "gone feat/gone at main" in said(ran), ran.all
    tag = ci(sample, "--event", "delete", "--ref", "refs/tags/v1")
    assert (tag.code, "gone" in tag.out) == (0, False)


def test_what_only_github_knows_must_be_told(sample: Sample) -> None:
    see = "echo in ${{ github.event.milestone.title }}"
    workflow(sample, {"a": steps(see)})
    ran = ci(sample)
    assert ran.code == 1
    assert "github.event.milestone is not known here" in ran.err
    sample.write("event.json", '{"milestone": {"title": "May"}}')
    assert "in May" in said(ci(sample, "--event-file", "event.json"))


def test_what_asks_github_runs_only_with_a_token(sample: Sample) -> None:
    workflow(sample, {"a": steps("gh --version-of-nothing", "echo after")})
    ran = ci(sample)
    assert (ran.code, "after" in said(ran)) == (0, True), ran.all
    assert "gh --version-of-nothing: not run here: it asks GitHub" in ran.out
    assert ci(sample, GITHUB_TOKEN="t0ken").code == 1  # noqa: S106


def test_an_action_that_nothing_stands_in_for_is_refused_before_the_first_step(
    sample: Sample,
) -> None:
    workflow(sample, {"a": steps("echo first", {"uses": "acme/deploy@v1"})})
    ran = ci(sample)
    assert ran.code == 2
    assert "first" not in said(ran)
    assert "--skip acme/deploy" in ran.err
    skipped = ci(sample, "--skip", "acme/deploy")
    assert skipped.code == 0
    assert "acme/deploy@v1: not run here: --skip" in skipped.out


def test_a_step_that_takes_too_long_is_ended(sample: Sample) -> None:
    # A hundredth of a minute is six tenths of a second.
    workflow(sample, {"a": steps({"run": "sleep 300", "timeout-minutes": 0.01})})
    ran = ci(sample)
    assert ran.code == 1
    assert "was not done after 0.6 seconds and was ended" in ran.out


def test_an_event_that_starts_nothing_says_what_there_is(sample: Sample) -> None:
    workflow(sample, {"a": steps("true")}, on={"push": {"branches": ["release/**"]}})
    ran = ci(sample)
    assert ran.code == 1
    assert "push of refs/heads/main starts no workflow" in ran.err
    assert ".github/workflows/a.yml, on push" in ran.err


def test_the_list_and_the_plan_run_nothing(sample: Sample) -> None:
    workflow(
        sample, {"a": steps("touch ran"), "b": steps("echo", needs="a", name="Bee")}
    )
    assert ci(sample, "--list").out == (
        "A  (.github/workflows/a.yml)\n  a: a\n  b: Bee  needs a\n"
    )
    assert "      - touch ran" in ci(sample, "--dry-run", "--job", "a").out


def test_a_switched_off_workflow_command_is_refused(sample: Sample) -> None:
    workflow(sample, {"a": steps("echo ::set-output name=a::b")})
    ran = ci(sample)
    assert ran.code == 1
    assert "expected a line in $GITHUB_OUTPUT" in ran.all


def test_the_first_of_two_manual_workflows_is_not_guessed(sample: Sample) -> None:
    for name in ("a", "b"):
        workflow(sample, {name: steps("true")}, on="workflow_dispatch", name=name)
    ran = ci(sample, "--event", "workflow_dispatch")
    assert (ran.code, "a manual run is of one workflow" in ran.err) == (2, True)
    assert ci(sample, "--event", "workflow_dispatch", "--workflow", "b").code == 0


def test_an_interrupt_ends_what_runs_and_leaves_nothing(sample: Sample) -> None:
    workflow(sample, {"a": steps("echo $$ > $OUT; sleep 300", env={"OUT": "/nowhere"})})
    pid = sample.root.parent / "pid"
    text = sample.read(".github/workflows/a.yml").replace("/nowhere", str(pid))
    sample.commit("ci: elsewhere", {".github/workflows/a.yml": text})
    scratch = sample.root.parent / "tmp"
    scratch.mkdir()
    process = subprocess.Popen(
        ["trunkline", "ci"],
        cwd=sample.root,
        env={**sample.env, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        while not (pid.exists() and pid.read_text()):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        while scratch.exists() and any(scratch.iterdir()) and process.poll() is None:
            time.sleep(0.02)
            # Once more in the midst of the removal, as `uv run` does it.
            if not any(scratch.glob("*/event.json")):
                process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=600)
    finally:
        process.kill()
    # The last signal may come when the tool has done all and is no longer listening.
    assert process.returncode in (130, -signal.SIGTERM)
    assert b"interrupted" in err
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    assert list(scratch.iterdir()) == []
