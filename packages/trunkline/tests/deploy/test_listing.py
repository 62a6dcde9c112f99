"""What can be put on an environment, and that a choice means what was chosen."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from deploy.shops import Shop
from registries import push_image
from trunkline import process
from trunkline.deploy.candidates import find_image
from trunkline.deploy.deployment import Deployment
from trunkline.deploy.environments import Environment
from trunkline.deploy.listing import built, compare, list_candidates
from trunkline.deploy.variables import parse_flags
from trunkline.errors import UsageError
from trunkline.git import Repository
from trunkline.images.tags import commit_tag
from trunkline.registry.client import Registry

STAGING = Environment("staging", "http://127.0.0.1:8100", "compose")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    process.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return Repository.find(tmp_path)


def commit(repository: Repository, subject: str, *parents: str) -> str:
    """Make a commit that no ref has."""
    tree = repository.read("hash-object", "-t", "tree", "-w", "/dev/null")
    who = "-c", "user.name=ana", "-c", "user.email=ana@example.com"
    more = [word for one in parents for word in ("-p", one)]
    return repository.read(*who, "commit-tree", tree, *more, "-m", subject)


def listed(shop: Shop, environment: str = "staging") -> dict[str, dict[str, Any]]:
    found = list_candidates(Deployment(environment, folder=shop.root))
    return {one.ref: asdict(one) for one in found}


PROJECT = """
[project]
name = "shop"
[tool.trunkline]
flags = "shop.config:Flags"
[tool.trunkline.environments.staging]
url = "http://127.0.0.1:8100"
"""
# What serves, and what may be put on.
FLAGS = (
    """
class Flags:
    enable_seats: bool = False
    enable_tiers: bool = False
""",
    """
class Flags:
    enable_tiers: bool = True
    enable_search: bool = False
""",
)


def test_flags_are_told_that_come_or_go_and_not_those_whose_default_changes(
    repository: Repository,
) -> None:
    root = repository.root
    (root / "pyproject.toml").write_text(PROJECT)
    (file := root / "src/shop/config.py").parent.mkdir(parents=True)
    commits = []
    for text in FLAGS:
        file.write_text(text)
        repository.read("add", "--all")
        who = "-c", "user.name=ana", "-c", "user.email=ana@example.com"
        repository.read(*who, "commit", "--quiet", "--message=feat: flags")
        commits.append(repository.read("rev-parse", "HEAD"))
    found = compare(Deployment("staging", folder=root), commits[1], commits[0])
    told = {name: found[name] for name in ("new_flags", "lost_flags")}
    assert told == {"new_flags": ["ENABLE_SEARCH"], "lost_flags": ["ENABLE_SEATS"]}


@pytest.mark.slow
def test_a_branch_is_listed_with_what_it_brings(shop: Shop) -> None:
    shop.deploy("main").required()
    shop.write("src/shop/migrations/0002_seats.py", "")
    commit = shop.branch("feat/seats")
    found = listed(shop)["feat/seats"]
    assert found["commit"] == commit
    assert (found["author"], found["subject"]) == ("ana", "feat: feat/seats")
    assert found["commits_in"] == ["feat: feat/seats"]
    assert found["migrations"] == ["0002_seats"]


@pytest.mark.slow
@pytest.mark.parametrize("letter", ["\N{LINE SEPARATOR}", "\x85", "\x0c"])
def test_a_letter_that_ends_lines_elsewhere_is_one_in_names_and_subjects(
    shop: Shop, letter: str
) -> None:
    shop.deploy("main").required()
    # Git itself refuses names with the last one.
    name = f"feat/a{letter.removesuffix('\x0c')}b"
    shop.git("checkout", "--quiet", "-b", name)
    subject = f"feat: a{letter}b"
    shop.git("commit", "--quiet", "--allow-empty", "--message", subject)
    (found,) = (one for ref, one in listed(shop).items() if ref.startswith("feat/a"))
    assert len(found["commits_in"]) == 1
    assert found["subject"].startswith("feat: a")
    shop.deploy("main").required()


@pytest.mark.slow
def test_only_releases_are_listed_for_production(shop: Shop) -> None:
    shop.git("tag", "--annotate", "--message", "one", "v1.0.0")
    assert list(listed(shop, "production")) == ["v1.0.0"]


@pytest.mark.slow
def test_the_newest_release_runs_on_staging_before_it_is_for_production(
    shop: Shop,
) -> None:
    for tag in ("v1.9.0", "v1.10.0"):
        shop.write("version", tag)
        shop.git("add", "--all")
        shop.git("commit", "--quiet", "--message", tag)
        shop.git("tag", "--annotate", "--message", tag, tag)
    assert listed(shop).keys() == {"main", "v1.10.0"}
    found = listed(shop, "production")
    assert {ref: one["first"] for ref, one in found.items()} == {
        "v1.9.0": "staging",
        "v1.10.0": "staging",
    }
    shop.deploy("v1.10.0").required()
    found = listed(shop, "production")
    assert (found["v1.9.0"]["first"], found["v1.10.0"]["first"]) == ("staging", "")


@pytest.mark.slow
def test_a_branch_that_moved_since_it_was_chosen_is_refused(shop: Shop) -> None:
    chosen = shop.branch("feat/seats")
    shop.write("more", "")
    moved = shop.branch("feat/seats")
    answer = shop.deploy("feat/seats", "--commit", chosen)
    assert answer.code == 1
    assert moved[:12] in answer.complaint
    assert shop.history() == []


@pytest.mark.slow
def test_what_serves_is_put_on_again_though_its_branch_moved(shop: Shop) -> None:
    serving = shop.branch("feat/seats")
    shop.deploy("feat/seats").required()
    shop.write("more", "")
    shop.branch("feat/seats")
    shop.deploy("feat/seats", "--commit", serving).required()
    assert shop.get("/version")["commit"] == serving


@pytest.mark.slow
def test_a_flag_is_switched_for_one_deploy_and_none_by_the_terminal(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("venv") / "other"
    terminal = {"ENABLE_OTHER": "true", "UV_PROJECT_ENVIRONMENT": str(other)}
    words = ("deploy", "main", "--to", "staging", "--flag", "ENABLE_SEATS=true")
    shop.trunkline(*words, **terminal).required()
    assert "{'ENABLE_SEATS': True}" in str(shop.get("/version"))
    assert not other.exists()
    kept = [one.read_text() for one in shop.folder.glob("instances/*/variables")]
    assert [one.splitlines()[-1] for one in kept] == ["ENABLE_SEATS=true"]


@pytest.mark.parametrize("text", ["PASSWORD=x", "ENABLE_X=yes", "enable_x=true", "X"])
def test_nothing_but_a_flag_is_taken_from_the_command_line(text: str) -> None:
    with pytest.raises(UsageError, match="ENABLE_X=true"):
        parse_flags([text])


def publish(registry: Registry, commit: str, *tags: str) -> None:
    labels = {"org.opencontainers.image.revision": commit}
    manifest = push_image(registry, commit, labels=labels)
    for tag in (commit_tag(commit), *tags):
        registry.put_manifest(tag, manifest)


def test_a_branch_is_listed_with_the_commit_that_its_image_has(
    repository: Repository, registry: Registry
) -> None:
    main = commit(repository, "feat: main")
    before = commit(repository, "feat: before it was rebased")
    head = commit(repository, "feat: head", main)
    rows = {"feat/x": ("refs/heads/feat/x", head, "1", "ana", "feat: head")}
    publish(registry, main, "main")
    assert built(repository, registry, STAGING, rows) == {}
    publish(registry, before, "feat-x")
    found = built(repository, registry, STAGING, rows)["feat/x"]
    assert found[1] == find_image(registry, repository, STAGING, "feat/x").commit
    assert (found[1], found[3:]) == (before, ("ana", "feat: before it was rebased"))
    publish(registry, head, "feat-x")
    assert built(repository, registry, STAGING, rows) == rows


def test_a_branch_whose_image_names_no_commit_of_ours_is_left_out(
    repository: Repository, registry: Registry
) -> None:
    head = commit(repository, "feat: head")
    rows = {"feat/x": ("refs/heads/feat/x", head, "1", "ana", "feat: head")}
    publish(registry, "f" * 40, "feat-x")
    assert built(repository, registry, STAGING, rows) == {}
    registry.put_manifest("feat-x", push_image(registry, "no label"))
    assert built(repository, registry, STAGING, rows) == {}


def test_a_release_is_listed_by_its_own_image(
    repository: Repository, registry: Registry
) -> None:
    one = commit(repository, "feat: one")
    rows = {"v1.0.0": ("refs/tags/v1.0.0", one, "1", "ana", "feat: one")}
    registry.put_manifest("1.0.0", push_image(registry))
    assert built(repository, registry, STAGING, rows) == rows
