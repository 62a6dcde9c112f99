"""Rules for every workflow and composite action of this repository."""

import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # copier depends on it

from samples import REPOSITORY
from trunkline import commands
from trunkline.cli import parse

FILES = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
ACTIONS = sorted((REPOSITORY / "github").glob("*/action.yml"))
PINNED = re.compile(r"uses: (?:\./\S+|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)")
# Branch protection requires these checks by name.
REQUIRED = ["Test", "Lint", "Security Audit", "Docker Build"]


def read(path: Path) -> dict[str, Any]:
    """Read a file; every scalar stays text, because YAML 1.1 takes `on` for true."""
    document = yaml.load(path.read_text(), Loader=yaml.BaseLoader)  # noqa: S506
    assert isinstance(document, dict)
    return document


def workflow(name: str) -> dict[str, Any]:
    return read(REPOSITORY / f".github/workflows/{name}.yml")


def all_steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in FILES:
        for name, job in read(path)["jobs"].items():
            for step in job["steps"]:
                yield f"{path.name}: {name}", step
    for path in ACTIONS:
        for step in read(path)["runs"]["steps"]:
            yield f"github/{path.parent.name}", step


def all_commands() -> list[str]:
    return [step["run"].strip() for _, step in all_steps() if "run" in step]


def starts_on_push(document: dict[str, Any], ref: str) -> bool:
    """Whether a push of a ref starts a workflow: the last matching pattern decides."""
    filters = document["on"].get("push") or {}
    kind, _, name = ref.removeprefix("refs/").partition("/")
    chosen = False
    for pattern in filters.get("branches" if kind == "heads" else "tags", []):
        if fnmatchcase(name, pattern.removeprefix("!").replace("**", "*")):
            chosen = not pattern.startswith("!")
    return chosen


@pytest.mark.parametrize(
    "path", [*FILES, *ACTIONS], ids=lambda path: path.parent.name + "/" + path.name
)
def test_every_action_is_pinned_by_commit_with_its_version_beside(path: Path) -> None:
    lines = [line.strip(" -") for line in path.read_text().splitlines()]
    uses = [line for line in lines if line.startswith("uses:")]
    assert uses or path.stem == "deploy"
    assert [line for line in uses if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_job_has_its_own_permissions_and_a_time_limit(path: Path) -> None:
    document = read(path)
    assert document["permissions"] == {}
    assert "cancel-in-progress" in document["concurrency"]
    for job in document["jobs"].values():
        assert job["permissions"], job["name"]
        assert int(job["timeout-minutes"]) <= 60
        assert job["runs-on"] == "ubuntu-24.04"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_checkout_keeps_its_credentials(path: Path) -> None:
    for job in read(path)["jobs"].values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] == "false", job["name"]


@pytest.mark.parametrize("name", ["pull-request", "branch"])
def test_the_jobs_have_the_names_that_branch_protection_requires(name: str) -> None:
    assert [job["name"] for job in workflow(name)["jobs"].values()] == REQUIRED


def test_a_pull_request_has_no_write_permission() -> None:
    jobs = workflow("pull-request")["jobs"]
    assert all(job["permissions"] == {"contents": "read"} for job in jobs.values())


def test_no_step_passes_untrusted_text_to_a_shell() -> None:
    steps = list(all_steps())
    assert len(steps) > 20
    assert [
        (place, step["run"]) for place, step in steps if "${{" in step.get("run", "")
    ] == []


def test_every_step_is_one_action_or_one_command() -> None:
    assert [text for text in all_commands() if re.search(r"[;|&\n]", text)] == []


def test_every_command_of_the_tool_exists_with_its_options() -> None:
    found = [
        words[3:]
        for text in all_commands()
        if (words := shlex.split(text))[:3] == ["uv", "run", "trunkline"]
    ]
    assert len(found) > 10
    for words in found:
        parse(words[0], commands.load(words[0]), words[1:])


def test_every_command_in_the_guide_exists_with_its_options() -> None:
    guide = (REPOSITORY / "github/README.md").read_text()
    found = re.findall(r"uv run trunkline ([^`#|\n]+)", guide.replace("\\|", ""))
    assert found
    for text in found:
        words = shlex.split(text)
        parse(words[0], commands.load(words[0]), words[1:])


def test_every_target_of_make_exists() -> None:
    targets = re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(), re.M)
    asked = {
        word
        for text in all_commands()
        if text.startswith("make ")
        for word in text.split()[1:]
    }
    assert asked
    assert asked <= set(targets)


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
def test_a_push_starts_the_right_workflows(ref: str, expected: list[str]) -> None:
    assert [path.stem for path in FILES if starts_on_push(read(path), ref)] == expected


def test_each_commit_of_a_branch_has_its_own_concurrency_group() -> None:
    """A group keeps one run waiting: in a shared one, a commit would be dropped."""
    group = workflow("branch")["concurrency"]
    assert group["group"] == "branch-${{ github.ref }}-${{ github.sha }}"
    assert group["cancel-in-progress"] == "false"


def test_a_failed_test_blocks_a_release_but_not_a_branch_image() -> None:
    assert "needs" not in workflow("branch")["jobs"]["docker"]
    docker = workflow("release")["jobs"]["docker"]
    assert docker["needs"] == ["test", "check-tag", "bump"]
    # Without `!cancelled()` the job is skipped when one of the other two is.
    assert "!cancelled()" in docker["if"]
    assert "needs.test.result == 'success' &&" in docker["if"]
    assert "needs.check-tag.result == 'success'" in docker["if"]


def test_images_are_pruned_for_a_deleted_branch_but_not_for_a_deleted_tag() -> None:
    condition = workflow("prune")["jobs"]["prune"]["if"]
    assert condition == (
        "github.event_name != 'delete' || github.event.ref_type == 'branch'"
    )
