"""Rules for every workflow and composite action of this repository."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from samples import REPOSITORY
from trunkline import commands
from trunkline.cli import parse
from workflow_files import ACTIONS, FILES, read, workflow

PINNED = re.compile(r"uses: (?:\./\S+|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)")
# Branch protection requires these checks by name.
REQUIRED = ["Test", "Lint", "Security Audit", "Docker Build"]


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


def matrix_of(job: dict[str, Any]) -> list[dict[str, str]]:
    """Return what each of a job's runs has as `matrix`."""
    matrix = job.get("strategy", {}).get("matrix", {})
    rows: list[dict[str, str]] = matrix.get("include") or [
        {key: value}
        for key, values in matrix.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    return rows or [{}]


def job_names(job: dict[str, Any]) -> list[str]:
    """Return the names under which GitHub shows a job."""
    found = []
    for row in matrix_of(job):
        name = job["name"]
        for key, value in row.items():
            name = name.replace(f"${{{{ matrix.{key} }}}}", value)
        found.append(name)
    return found


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


def test_a_pull_request_has_the_jobs_that_branch_protection_requires() -> None:
    jobs = workflow("pull-request")["jobs"].values()
    assert [name for job in jobs for name in job_names(job)] == REQUIRED


def test_no_two_jobs_have_one_name_so_that_required_checks_are_told_apart() -> None:
    jobs = [job for path in FILES for job in read(path)["jobs"].values()]
    names = [name for job in jobs for name in job_names(job)]
    assert len(names) == len(set(names))


def test_what_the_desk_looks_like_is_kept_also_when_a_test_fails() -> None:
    steps = workflow("template")["jobs"]["desk"]["steps"]
    run, upload = steps[-2:]
    assert run["run"] == "make test-desk"
    assert upload["uses"].startswith("actions/upload-artifact@")
    assert upload["if"] == "${{ !cancelled() }}"
    assert upload["with"]["if-no-files-found"] == "error"
    folder = upload["with"]["path"].removeprefix("packages/desk/")
    pictures = REPOSITORY / "packages/desk/tests/browser/conftest.py"
    assert f'"DESK_SCREENSHOTS", "{folder}"' in pictures.read_text()


def test_an_edited_title_repeats_the_check_of_the_messages_only() -> None:
    edited = {
        path.stem
        for path in FILES
        if "edited" in (read(path)["on"].get("pull_request") or {}).get("types", [])
    }
    assert edited == {"messages"}


def test_a_push_to_a_branch_with_a_pull_request_checks_nothing_twice() -> None:
    branch = workflow("branch")["jobs"]
    assert branch["check"]["if"] == (
        "${{ !cancelled() && needs.open.outputs.found != 'true' }}"
    )
    assert "if" not in branch["docker"]  # Each commit has its image.


def test_registry_and_image_are_named_in_one_place() -> None:
    named = [
        path.relative_to(REPOSITORY).as_posix()
        for path in [*FILES, *ACTIONS]
        if re.search(r"ghcr\.io/|docker/login-action@", path.read_text())
    ]
    assert named == ["github/login/action.yml"]


def test_the_trunk_is_named_nowhere_but_in_the_settings() -> None:
    commands_ = [text for text in all_commands() if re.search(r"\bmain\b", text)]
    images = [step.get("with", {}).get("image", "") for _, step in all_steps()]
    assert (commands_, [name for name in images if ":main" in name]) == ([], [])


def test_a_runner_gets_the_uv_of_the_image() -> None:
    steps = read(REPOSITORY / "github/setup/action.yml")["runs"]["steps"]
    program, _, target = steps[0]["run"].partition(" >> ")
    assert target == '"$GITHUB_OUTPUT"'
    ran = subprocess.run(
        shlex.split(program), cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"version=0\.\d+(\.\d+)?\n", ran.stdout)
    assert steps[1]["with"]["version"] == "${{ steps.uv.outputs.version }}"


def test_every_image_is_scanned_in_the_command_that_publishes_it() -> None:
    steps = read(REPOSITORY / "github/image/action.yml")["runs"]["steps"]
    assert any("/download-grype@" in step.get("uses", "") for step in steps)
    publish = [step for step in steps if "trunkline publish" in step.get("run", "")]
    assert len(publish) == 2
    for step in publish:
        assert {"--strict", "--cache"} <= set(step["run"].split())
        assert step["env"]["GRYPE"] == "${{ steps.grype.outputs.cmd }}"
    everywhere = [text for text in all_commands() if "trunkline publish" in text]
    assert len(everywhere) == 2


def test_a_release_by_hand_is_scanned_before_it_is_pushed() -> None:
    bump = workflow("release")["jobs"]["bump"]
    grype, release = bump["steps"][-2:]
    assert grype["uses"].startswith("anchore/scan-action/download-grype@")
    assert release["env"]["GRYPE"] == "${{ steps.grype.outputs.cmd }}"
    assert release["env"]["TRUNKLINE_IMAGE"] == "${{ steps.login.outputs.image }}"
    assert "trunkline release --yes --strict" in release["run"]
    assert bump["permissions"]["packages"] == "read"


def test_versions_are_attested_by_default_where_github_can() -> None:
    """It signs for public repositories; a variable says that it does for others."""
    attest = workflow("release")["jobs"]["attest"]
    assert "vars.ATTESTATIONS || github.event.repository.visibility" in attest["if"]
    signed = [it for it in attest["steps"] if "actions/attest@" in it.get("uses", "")]
    digest = "${{ needs.docker.outputs.digest }}"
    assert [step["with"]["subject-digest"] for step in signed] == [digest] * 2
    assert ["sbom-path" in step["with"] for step in signed] == [False, True]
    guide = (REPOSITORY / "github/README.md").read_text()
    assert "gh attestation verify oci://ghcr.io/OWNER/NAME:1.2.0 --owner OWNER" in guide


def test_a_pull_request_has_no_write_permission() -> None:
    jobs = workflow("pull-request")["jobs"]
    assert {
        right for job in jobs.values() for right in job["permissions"].values()
    } == {"read"}


def test_a_pull_request_reads_the_cache_of_the_trunk_and_needs_no_registry() -> None:
    (build,) = [
        step
        for step in workflow("pull-request")["jobs"]["docker"]["steps"]
        if step["uses"] == "./github/image"
    ]
    assert "github.token" in build["with"]["token"]
    steps = read(REPOSITORY / "github/image/action.yml")["runs"]["steps"]
    (login,) = [step for step in steps if step.get("uses") == "./github/login"]
    assert login["continue-on-error"] == "${{ inputs.push != 'true' }}"


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
        known = ["lint" if word == "$JOB" else word for word in words]
        parse(known[0], commands.load(known[0]), known[1:])


@pytest.mark.parametrize("name", ["pull-request", "branch"])
def test_every_job_of_the_gates_is_run(name: str) -> None:
    rows = matrix_of(workflow(name)["jobs"]["check"])
    assert [row["job"] for row in rows] == ["test", "lint", "audit"]


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
        ("refs/tags/rules-v0.1.0", ["release"]),
        ("refs/tags/vat-rules-v0.1.0", ["release"]),
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
    assert docker["needs"] == ["check", "check-tag", "bump"]
    assert workflow("release")["jobs"]["bump"]["needs"] == "check"
    # Without `!cancelled()` the job is skipped when one of the other two is.
    assert "!cancelled()" in docker["if"]
    assert "needs.check.result == 'success' &&" in docker["if"]
    assert "needs.check-tag.result == 'success'" in docker["if"]


def test_images_are_pruned_for_a_deleted_branch_but_not_for_a_deleted_tag() -> None:
    condition = workflow("prune")["jobs"]["prune"]["if"]
    assert condition == (
        "github.event_name != 'delete' || github.event.ref_type == 'branch'"
    )
