import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from samples import Sample
from workspaces import (
    add_member,
    build_library,
    build_service,
    clone,
    end_while_locking,
    publish,
    refused,
    use,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def service(tmp_path: Path) -> Sample:
    """A service with the member `rules` in dev mode, published as 0.1.0."""
    sample = build_service(tmp_path)
    add_member(sample, "rules")
    publish(sample, "rules-v0.1.0")
    return sample


def test_prod_and_back_gives_the_same_bytes(service: Sample) -> None:
    before = service.picture()
    assert "rules: dev → prod" in use(service, "prod")
    assert service.run("uv", "lock", "--check").code == 0
    use(service, "dev")
    assert service.picture() == before


def test_the_list_tells_modes_to_people_and_machines(service: Sample) -> None:
    use(service, "prod")
    assert "rules" in service.trunkline("packages").out
    (member,) = json.loads(service.trunkline("packages", "--json").out)
    assert (member["mode"], member["tag"]) == ("prod", "rules-v0.1.0")


def test_a_dry_run_shows_the_edit_and_changes_nothing(service: Sample) -> None:
    before = service.picture()
    out = use(service, "prod", "--dry-run", "rules")
    assert '+rules = { git = "https://git.example.com/team/my-app.git"' in out
    assert service.picture() == before


def test_a_member_without_a_tag_is_refused_by_name(service: Sample) -> None:
    add_member(service, "other")
    said = refused(service, "prod")
    assert "other has no tag other-v0.1.0 on origin" in said
    assert "uv run trunkline release --package other" in said


def test_a_tag_that_is_not_pushed_is_no_publication(service: Sample) -> None:
    add_member(service, "other")
    service.git("tag", "-a", "other-v0.1.0", "-m", "here only")
    said = refused(service, "prod")
    assert "in this clone only" in said
    assert "uv run trunkline release --package other" in said


def test_the_command_of_a_refusal_publishes_the_member(service: Sample) -> None:
    add_member(service, "other")
    (line,) = [s for s in refused(service, "prod").splitlines() if "type next" in s]
    command = line.partition("type next: uv run trunkline ")[2]
    ran = service.trunkline(*command.split())
    assert ran.code == 0, ran.all
    assert "other: dev → prod" in use(service, "prod")


def test_files_that_are_not_those_of_the_tag_are_refused(service: Sample) -> None:
    service.write("packages/rules/src/rules/new.py", "")
    assert "packages/rules/src/rules/new.py differ" in refused(service, "prod")


def test_a_version_that_is_asked_for_is_used_as_published(service: Sample) -> None:
    service.write("packages/rules/src/rules/new.py", "")
    assert "rules-v0.1.0" in use(service, "prod", "rules@0.1.0")


def test_a_tag_of_another_clone_is_fetched_without_a_ref(service: Sample) -> None:
    other = clone(service, "other")
    service.git("tag", "-d", "rules-v0.1.0")
    text = other.read("packages/rules/pyproject.toml").replace("0.1.0", "0.2.0")
    other.git("pull", "-q")
    other.commit("feat: more", {"packages/rules/pyproject.toml": text})
    publish(other, "rules-v0.2.0")
    assert "rules-v0.2.0" in use(service, "prod", "rules@0.2.0")
    assert service.git("tag") == ""


def test_a_tag_that_holds_another_version_is_refused(service: Sample) -> None:
    publish(service, "rules-v0.3.0")
    assert "version 0.1.0 at rules-v0.3.0" in refused(service, "prod", "rules@0.3.0")


def test_a_tag_that_moved_here_only_is_used_as_published(service: Sample) -> None:
    published = service.git("rev-parse", "HEAD")
    service.commit("feat: more")
    service.git("tag", "-f", "-a", "rules-v0.1.0", "-m", "moved")
    assert f"rules-v0.1.0 ({published[:12]})" in use(service, "prod")


def test_a_remote_that_does_not_answer_is_refused(service: Sample) -> None:
    service.git("remote", "set-url", "origin", "../nowhere.git")
    assert "did not answer" in refused(service, "prod")


@pytest.mark.parametrize("names", [["rule"], ["prod", "rules"], ["--yes"]])
def test_what_is_no_member_is_a_usage_error(service: Sample, names: list[str]) -> None:
    refused(service, "prod", *names, code=2)


def test_a_lock_that_fails_puts_everything_back(service: Sample) -> None:
    service.commit(
        "feat: a second member that needs the first",
        {
            "packages/second/pyproject.toml": '[project]\nname = "second"\n'
            'version = "0.1.0"\nrequires-python = ">=3.12"\ndependencies = ["rules"]\n'
            "[tool.uv.sources]\nrules = { workspace = true }\n"
        },
    )
    said = refused(service, "prod", "rules")
    assert "`uv lock` failed, pyproject.toml and uv.lock are as they were" in said


def test_an_interrupt_puts_everything_back(service: Sample) -> None:
    before = service.picture()
    assert end_while_locking(service, signal.SIGTERM, "prod") == 130
    assert service.picture() == before


def test_the_same_command_finishes_what_was_killed(service: Sample) -> None:
    end_while_locking(service, signal.SIGKILL, "prod")
    assert service.run("uv", "lock", "--check").code != 0
    use(service, "prod")
    assert "rules-v0.1.0" in service.read("uv.lock")


def test_a_file_that_cannot_be_written_changes_nothing(service: Sample) -> None:
    before = service.picture()
    ran = service.run("bash", "-c", "ulimit -f 0; trunkline packages use prod")
    assert ran.code == 1, ran.all
    assert "are as they were" in ran.err
    assert service.picture() == before


def test_two_at_once_leave_what_one_of_them_leaves(service: Sample) -> None:
    running = [
        subprocess.Popen(
            ["trunkline", "packages", "use", mode],
            cwd=service.root,
            env=service.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for mode in ("prod", "dev", "prod")
    ]
    for process in running:
        process.communicate(timeout=600)
        assert process.returncode == 0
    assert service.run("uv", "lock", "--check").code == 0


def test_a_submodule_is_pinned_in_its_own_repository(service: Sample) -> None:
    build_library(service, "money", "1.2.0")
    url = "https://git.example.com/team/money.git"
    service.git("submodule", "--quiet", "add", url, "packages/money")
    assert service.run("uv", "add", "-q", "money").code == 0
    use(service, "prod", "money")
    assert f'money = {{ git = "{url}", tag = "v1.2.0" }}' in service.read(
        "pyproject.toml"
    )
    service.git("add", "-A")
    service.commit("build: pin money")
    service.push()
    other = clone(service, "other")
    assert os.listdir(other.root / "packages/money") == []
    assert other.run("uv", "sync", "--locked").code == 0
    assert "git submodule update --init packages/money" in refused(other, "dev")
