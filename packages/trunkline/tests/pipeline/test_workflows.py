"""What holds of every workflow and action of this repository."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from samples import REPOSITORY
from trunkline.cli import build_parser
from trunkline.pipeline.events import Event, starts
from trunkline.pipeline.workflow import (
    Step,
    Workflow,
    parse_action,
    parse_workflow,
)
from trunkline.pipeline.yamlfile import read_yaml

FILES = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
ACTIONS = sorted((REPOSITORY / "github").glob("*/action.yml"))
PINNED = re.compile(r"uses: (?:\./\S+|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)")
JOBS = ["Test", "Lint", "Security Audit", "Docker Build"]


def read(path: Path) -> Workflow:
    return parse_workflow(path.name, read_yaml(path))


def workflow(name: str) -> Workflow:
    return read(REPOSITORY / f".github/workflows/{name}.yml")


def all_steps() -> Iterator[tuple[str, Step]]:
    for path in FILES:
        for job in read(path).jobs.values():
            for step in job.steps:
                yield f"{path.name}: {job.id}", step
    for path in ACTIONS:
        for step in parse_action(path.parent.name, read_yaml(path)).steps:
            yield f"github/{path.parent.name}", step


@pytest.mark.parametrize(
    "path", [*FILES, *ACTIONS], ids=lambda path: path.parent.name + "/" + path.name
)
def test_every_action_is_pinned_by_commit_with_its_version_beside(path: Path) -> None:
    lines = [line.strip(" -") for line in path.read_text().splitlines()]
    uses = [line for line in lines if line.startswith("uses:")]
    assert uses
    assert [line for line in uses if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_job_has_its_own_rights_and_an_end(path: Path) -> None:
    document = read_yaml(path)
    assert document["permissions"] == {}
    assert "cancel-in-progress" in document["concurrency"]
    for job in document["jobs"].values():
        assert job["permissions"], job["name"]
        assert job["timeout-minutes"] <= 60
        assert job["runs-on"] == "ubuntu-24.04"


@pytest.mark.parametrize("name", ["pull-request", "branch"])
def test_the_jobs_are_named_as_the_manual_reads_them(name: str) -> None:
    assert [job.name for job in workflow(name).jobs.values()] == JOBS


def test_a_pull_request_may_write_nothing() -> None:
    jobs = read_yaml(REPOSITORY / ".github/workflows/pull-request.yml")["jobs"]
    assert all(job["permissions"] == {"contents": "read"} for job in jobs.values())


def test_no_step_lets_a_shell_read_what_somebody_else_wrote() -> None:
    steps = list(all_steps())
    assert len(steps) > 20
    assert [(place, step.run) for place, step in steps if "${{" in step.run] == []


def test_every_step_is_one_action_or_one_command() -> None:
    commands = [step.run.strip() for _, step in all_steps() if step.run]
    assert [it for it in commands if re.search(r"[;|&\n]", it)] == []


def test_every_command_of_the_tool_is_one_that_it_knows() -> None:
    commands = [
        words[3:]
        for _, step in all_steps()
        if (words := shlex.split(step.run))[:3] == ["uv", "run", "trunkline"]
    ]
    assert len(commands) > 10
    for words in commands:
        namespace, others = build_parser().parse_known_args(words)
        assert namespace.command.name == words[0]
        assert not others or namespace.command.passes_on, words


def test_every_command_that_the_guide_names_is_one_of_the_tool() -> None:
    guide = (REPOSITORY / "github/README.md").read_text()
    commands = re.findall(r"uv run trunkline ([^`#|\n]+)", guide.replace("\\|", ""))
    assert len(commands) > 8
    for command in commands:
        words = shlex.split(command)
        namespace, others = build_parser().parse_known_args(words)
        assert namespace.command.name == words[0]
        assert not others, command


def test_every_target_of_make_is_there() -> None:
    targets = re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(), re.M)
    asked = [step.run.split()[1:] for _, step in all_steps() if step.run[:5] == "make "]
    assert asked
    assert {word for words in asked for word in words} <= set(targets)


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("refs/heads/main", ["branch", "template"]),
        ("refs/heads/feat/login-button", ["branch"]),
        ("refs/heads/hotfix/v1.1.1", ["branch", "template"]),
        ("refs/heads/dependabot/uv/x", []),
        ("refs/heads/gh-readonly-queue/main/pr-1-abc", []),
        ("refs/tags/v1.2.0", ["release"]),
        ("refs/tags/v1.2.0-alpha.1", ["release"]),
        ("refs/tags/deploy-1", []),
    ],
)
def test_a_push_starts_what_it_should(ref: str, expected: list[str]) -> None:
    event = Event("push", ref)
    assert [path.stem for path in FILES if starts(read(path), event)] == expected


def test_each_commit_of_a_branch_has_a_group_of_its_own() -> None:
    """A group keeps one run waiting: with fewer groups a commit would be dropped."""
    group = read_yaml(REPOSITORY / ".github/workflows/branch.yml")["concurrency"]
    assert group["group"] == "branch-${{ github.ref }}-${{ github.sha }}"
    assert group["cancel-in-progress"] is False
