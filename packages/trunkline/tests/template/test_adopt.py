"""A copy of the template becomes a service by one command, whatever was done to it."""

from collections.abc import Callable

import pytest

from generated import by_tool, tree
from kills import kill_at_step
from samples import Ran, Sample, identify
from updates import NEW

pytestmark = pytest.mark.slow

NAMES = ("--package", "acme", "--title", "Acme")
UPDATES = (("trunkline", "template", "update"), ("copier", "update", "--defaults"))
HELPERS = "src/my_app/ours.py"


def use_this_template(releases: Sample) -> Sample:
    """Copy the files of v0.1.0 into a repository with a history of its own."""
    root = releases.root.parent / "acme"
    releases.git("clone", "-q", "-b", "v0.1.0", "../origin.git", str(root))
    copy = Sample(root, releases.origin, releases.env)
    copy.git("checkout", "-q", "--orphan", "trunk")
    copy.git("branch", "-q", "-D", "main") if copy.git(
        "branch", "--list", "main"
    ) else ""
    copy.git("tag", "-d", *copy.git("tag").split())
    copy.git("remote", "remove", "origin")
    identify(copy, "team")
    copy.commit("Initial commit")
    return copy


def clone(releases: Sample) -> Sample:
    """Clone the template at v0.1.0, with its history and its tags."""
    root = releases.root.parent / "acme"
    releases.git("clone", "-q", "../origin.git", str(root))
    copy = Sample(root, releases.origin, releases.env)
    copy.git("reset", "-q", "--hard", "v0.1.0")
    identify(copy, "team")
    return copy


def adopt(copy: Sample, *options: str) -> Ran:
    source = ("--from", str(copy.origin))
    return copy.trunkline("template", "adopt", *source, *NAMES, *options)


@pytest.mark.parametrize("make", [use_this_template, clone])
def test_a_copy_becomes_what_generating_gives(
    releases: Sample, make: Callable[[Sample], Sample]
) -> None:
    copy = make(releases)

    ran = adopt(copy)

    assert ran.code == 0, ran.all
    fresh = by_tool(releases, "fresh", *NAMES, "--version", "v0.1.0")
    assert tree(copy.root) == tree(fresh.root)
    assert ("git tag --delete v0.1.0 v0.2.0" in ran.err) == (make is clone)


def test_what_the_team_did_is_kept_and_renamed(releases: Sample) -> None:
    copy = use_this_template(releases)
    copy.write("README.md", "# Ours, of my_app\n")
    copy.write(HELPERS, "from my_app.config import Flags\n")
    copy.write("benchmarks/README.md", copy.read("benchmarks/README.md") + "Ours.\n")
    copy.git("add", "--all")
    copy.commit("feat: make it ours")

    ran = adopt(copy)

    assert ran.code == 0, ran.all
    assert copy.read("src/acme/ours.py") == "from acme.config import Flags\n"
    assert copy.read("README.md") == "# Ours, of acme\n"
    assert copy.read("benchmarks/README.md").endswith("Ours.\n")
    kept = (
        "  kept      benchmarks/README.md: dropped by the template but changed by you"
    )
    assert kept in ran.out
    assert not (copy.root / "benchmarks/suite.py").exists()


@pytest.mark.parametrize("command", UPDATES, ids=lambda words: words[0])
@pytest.mark.parametrize("make", [use_this_template, clone])
def test_an_adopted_copy_can_be_updated(
    releases: Sample, make: Callable[[Sample], Sample], command: tuple[str, ...]
) -> None:
    copy = make(releases)
    assert adopt(copy).code == 0
    copy.git("add", "--all")
    copy.commit("chore: make the service our own")
    ran = copy.run(*command)
    assert ran.code == 0, ran.all
    copy.run("uv", "lock", "-q")
    assert (copy.root / NEW.format("acme")).exists()
    assert copy.run("uv", "lock", "--check", "-q").code == 0


def test_a_version_that_the_team_released_stays(releases: Sample) -> None:
    copy = use_this_template(releases)
    text = copy.read("pyproject.toml").replace('version = "0.1.0"', 'version = "3.1.4"')
    changes = {"pyproject.toml": text, "CHANGELOG.md": "# Changelog\n\n## v3.1.4\n"}
    copy.commit("bump: version 0.1.0 → 3.1.4", changes)
    ran = adopt(copy)
    assert ran.code == 0, ran.all
    assert copy.version == "3.1.4"
    assert copy.read("CHANGELOG.md") == changes["CHANGELOG.md"]
    assert copy.run("uv", "lock", "--check", "-q").code == 0


# It starts about thirty programs.
@pytest.mark.parametrize("step", range(2, 32, 4))
def test_an_adoption_that_is_killed_ends_well(releases: Sample, step: int) -> None:
    copy = use_this_template(releases)
    before = copy.picture()
    fresh = by_tool(releases, "fresh", *NAMES, "--version", "v0.1.0")
    wanted = tree(fresh.root)
    command = ("trunkline", "template", "adopt", "--from", str(copy.origin), *NAMES)
    kill_at_step(copy, step, command, counted=("git", "uv"))
    begun = (copy.root / ".git/trunkline/update.json").exists()
    if not begun and tree(copy.root) != wanted:
        assert copy.picture() == before
    if begun or tree(copy.root) != wanted:
        ran = adopt(copy)
        assert ran.code == 0, ran.all
    assert tree(copy.root) == wanted
    assert copy.git("diff", "--name-only") == ""


def test_an_adoption_is_shown_before_it_is_made(releases: Sample) -> None:
    copy = use_this_template(releases)
    before = copy.picture()
    ran = adopt(copy, "--dry-run")
    assert ran.code == 0
    assert "rename to src/acme/main.py" in ran.out
    assert copy.picture() == before


def test_what_is_no_copy_or_one_already_is_refused(releases: Sample) -> None:
    service = by_tool(releases, "acme")
    service.env = releases.env
    assert "trunkline template update" in adopt(service).err
    service.git("rm", "-q", ".copier-answers.yml")
    service.commit("chore: forget")
    ran = adopt(service)
    assert ran.code == 1
    assert "no commit here with exactly the files" in ran.err
    assert "--version, such as v0.2.0" in ran.err
