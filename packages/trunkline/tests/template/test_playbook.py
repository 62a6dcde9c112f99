"""docs/playbook.md does what it says, typed in a service that was just made.

The service has its own environment, hooks and gates, and a remote whose `main` is
protected; a pipeline does what CI would do with each push.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from generated import fresh, run
from githooks import BYPASS, protect
from hotfixes import entries, headings
from pipelines import Pipeline, Pushed
from playbook import DOCUMENT, Block, blocks, follow, prints, prose
from registries import Server
from samples import Sample

TEXT = DOCUMENT.read_text(encoding="utf-8")
BLOCKS = list(blocks(TEXT))
# Each block that no test can type, and why.
NOT_RUN = {
    "uv run ptw . --now --clear  # until you press Ctrl-C\n": "never ends",
    "uv run trunkline deploy feat-login-button --to staging\n": "test_staging does",
    "uv run trunkline deploy v0.1.0 --to production\n": "needs images",
}
LONGEST = 275
# A path is named at most this many characters before its block, or two of them.
BEFORE = 600
# The features that wait on main when the story begins.
WAITING = {"search", "export", "profile", "invite"}


def versions(*names: str, latest: str) -> dict[str, str]:
    """Say which tag of git each of these image tags stands for."""
    tags = {name: f"refs/tags/v{name}" for name in names}
    return tags | {"main": "refs/heads/main", "latest": f"refs/tags/v{latest}"}


MAIN = {"main": "refs/heads/main"}
BRANCH = {"feat-login-button": "refs/heads/feat/login-button"}
HOTFIX_BRANCH = {"hotfix-v0-1-1": "refs/heads/hotfix/v0.1.1"}
FIRST = versions("0.1.0", latest="0.1.0")
ALPHA = versions("0.1.0", "0.2.0-alpha.0", latest="0.1.0")
ALPHAS = versions("0.1.0", "0.2.0-alpha.0", "0.2.0-alpha.1", latest="0.1.0")
GOLD = ALPHAS | versions("0.2.0", latest="0.2.0")
HOTFIX = GOLD | versions("0.1.1", latest="0.2.0") | HOTFIX_BRANCH
LAST = HOTFIX | versions("0.3.0", latest="0.3.0")


@dataclass(frozen=True, slots=True)
class After:
    """What there must be after a scenario, all of it on the remote."""

    version: str
    sections: list[str]
    tags: list[str]
    # Entries of a changelog section, in any order.
    entries: dict[str, set[str]]
    # After the pushes of each block: the image tags, and the ref that each stands for.
    images: list[Mapping[str, str]]


ONE = ["v0.1.0"]
THREE = ["v0.2.0", "v0.1.1", *ONE]
LOGIN = "**login**: show the button outside any section"
PRE = ["v0.2.0-alpha.1", "v0.2.0-alpha.0"]

EXPECTED = {
    "A": After("0.0.0", [], [], {}, [MAIN | BRANCH, MAIN]),
    "B": After(
        "0.1.0",
        ONE,
        ONE,
        {"v0.1.0": {"begin the service", "**login**: show a login button"} | WAITING},
        [FIRST],
    ),
    "C": After(
        "0.2.0",
        ["v0.2.0", *ONE],
        ["v0.2.0", *PRE, *ONE],
        {
            "v0.2.0": {
                "**sessions**: store sessions by key",
                "**sessions**: read a missing key as None",
            }
        },
        [FIRST, ALPHA, ALPHAS, GOLD],
    ),
    "D": After(
        "0.2.0",
        THREE,
        ["v0.2.0", *PRE, "v0.1.1", *ONE],
        {"v0.1.1": {LOGIN}},
        [HOTFIX, HOTFIX],
    ),
    "E": After(
        "0.3.0",
        ["v0.3.0", *THREE],
        ["v0.3.0", "v0.2.0", *PRE, "v0.1.1", *ONE],
        {"v0.3.0": {"**billing**: price the 201st seat lower", LOGIN}},
        [LAST],
    ),
}


@pytest.fixture
def story(upstream: Sample, packages: dict[str, str]) -> Sample:
    """The service where the page begins: 0.0.0, and four features on main."""
    service = fresh(upstream)
    service.env |= packages
    run(service, "make", "setup")
    service.origin = service.root.parent / "remote.git"
    service.git("init", "-q", "--bare", "-b", "main", str(service.origin))
    service.git("remote", "add", "origin", str(service.origin))
    for feature in sorted(WAITING):
        service.commit(f"feat: {feature}", {f"docs/{feature}.md": f"# {feature}\n"})
    service.git("push", "-q", "--no-verify", "--set-upstream", "origin", "main")
    return service


# What may bring a commit to a protected main: the merge button, and whoever releases.
MERGE = re.compile(r"git merge --no-ff --no-edit \S+ && (?=git push)")
RELEASES = re.compile(
    r"(?=git push --follow-tags|uv run trunkline release)|(?<=backport v0.1.1\n)"
)


@pytest.mark.slow
def test_the_document_s_scenarios_end_as_they_say_on_a_protected_trunk(
    story: Sample, registry_server: Server
) -> None:
    """Any other command that pushes to main fails; an open one refuses nothing."""
    protect(story.origin)
    pipeline = Pipeline(story, registry_server)
    assert pipeline.run()
    page = story.read("docs/playbook.md")
    for scenario, after in EXPECTED.items():
        typed = [block for block in blocks(page) if block.scenario == scenario]
        pushes = play(story, typed, pipeline)
        assert [dict(pushed.images) for pushed in pushes] == [
            pushed.commit_tags(images)
            for pushed, images in zip(pushes, after.images, strict=True)
        ]
        named = set(re.findall(r"acme-api:([\w.-]*\w)", prose(page, scenario)))
        there = {tag for pushed in pushes for tag in pushed.images}
        assert named <= there, f"scenario {scenario}: no push makes {named - there}"
        check(story, after)
    # What CI asks of a push and its hook does not; the page's last tests were measured.
    run(story, "uv", "run", "trunkline", "check", "--job=lint")
    own = "--include=src/*/core/login/*,src/*/core/billing/*"
    run(story, "uv", "run", "coverage", "report", own, "--fail-under=100")


def play(sample: Sample, typed: list[Block], pipeline: Pipeline) -> list[Pushed]:
    """Follow every block of a scenario; returns what came of those that push."""
    pushes, ran = [], None
    for block in typed:
        if block.language == "text":
            assert ran is not None, f"{block.place}: no command before"
            assert prints(block.text, ran.all), f"{block.place}: printed\n{ran.all}"
        text = MERGE.sub(rf"\g<0>{BYPASS}=1 ", block.text)
        text = RELEASES.sub(f"{BYPASS}=1 ", text) if block.language == "bash" else text
        ran = follow(sample, replace(block, text=text)) or ran
        if pushed := pipeline.run():
            pushes.append(pushed)
    return pushes


def check(sample: Sample, after: After) -> None:
    assert sample.git("status", "--porcelain", "--branch") == "## main...origin/main"
    assert sample.git("rev-parse", "HEAD") == sample.remote_refs()["refs/heads/main"]
    assert sample.version == after.version
    assert headings(sample) == after.sections
    for tag, wanted in after.entries.items():
        assert set(entries(sample, tag)) == wanted
    assert sample.run("uv", "lock", "--check").code == 0
    sorting = ("-c", "versionsort.suffix=-", "tag", "--sort=-version:refname")
    assert sample.git(*sorting).splitlines() == after.tags
    for tag in after.tags:
        assert sample.git("cat-file", "-t", tag) == "tag"
        commit = sample.git("rev-parse", f"{tag}^{{commit}}")
        assert sample.remote_refs()[f"refs/tags/{tag}"] == commit
        assert f'version = "{tag[1:]}"' in sample.git("show", f"{tag}:pyproject.toml")


def test_only_blocks_that_are_known_are_not_typed() -> None:
    left_out = [block.text for block in BLOCKS if "no-run" in block.words]
    assert left_out == list(NOT_RUN)


def test_a_reader_sees_the_path_of_every_file_before_its_block() -> None:
    lines = TEXT.splitlines()
    for block in BLOCKS:
        if block.language in {"python", "diff"}:
            before = " ".join(lines[: block.line - 1]).rpartition("```")[0]
            assert f"`{block.words[0]}`" in before[-BEFORE:], block.place


def test_all_five_scenarios_fit_in_a_short_page() -> None:
    assert list(dict.fromkeys(block.scenario for block in BLOCKS)) == list(EXPECTED)
    assert len(TEXT.splitlines()) <= LONGEST


def test_a_line_that_is_not_printed_or_not_in_this_order_is_found() -> None:
    printed = "released v1.2.0\nmain 8f3a is up\n"
    assert prints("released v1.2.0\nmain … is up\n", printed)
    assert not prints("main … is up\nreleased v1.2.0\n", printed)
    assert not prints("released v1.2.1\n", printed)


def test_a_block_of_an_unknown_kind_is_found(sample: Sample) -> None:
    for fence in ("bash later", "diff", "python a b", "toml pyproject.toml"):
        (block,) = blocks(f"```{fence}\nfalse\n```\n")
        with pytest.raises(AssertionError, match="unknown kind"):
            follow(sample, block)
