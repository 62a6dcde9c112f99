"""docs/playbook.md does what it says."""

import re
from dataclasses import dataclass, replace

import pytest

from githooks import BYPASS, protect
from hotfixes import entries, headings
from playbook import DOCUMENT, WAITING, begin, blocks, follow, prints, prose
from samples import Sample
from trunkline.images.tags import image_tags

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


@dataclass(frozen=True, slots=True)
class After:
    """What the repository must be after a scenario: all of it on origin."""

    version: str
    sections: list[str]
    tags: list[str]
    # Entries of a changelog section, in any order.
    entries: dict[str, set[str]]


ONE = ["v0.1.0"]
THREE = ["v0.2.0", "v0.1.1", *ONE]
LOGIN = "**login**: show the button outside any section"
ALPHAS = ["v0.2.0-alpha.1", "v0.2.0-alpha.0"]

EXPECTED = {
    "A": After("0.0.0", [], [], {}),
    "B": After(
        "0.1.0",
        ONE,
        ONE,
        {"v0.1.0": {"begin", "**login**: show a login button"} | WAITING},
    ),
    "C": After(
        "0.2.0",
        ["v0.2.0", *ONE],
        ["v0.2.0", *ALPHAS, *ONE],
        {
            "v0.2.0": {
                "**sessions**: store sessions by key",
                "**sessions**: read a missing key as None",
            }
        },
    ),
    "D": After(
        "0.2.0", THREE, ["v0.2.0", *ALPHAS, "v0.1.1", *ONE], {"v0.1.1": {LOGIN}}
    ),
    "E": After(
        "0.3.0",
        ["v0.3.0", *THREE],
        ["v0.3.0", "v0.2.0", *ALPHAS, "v0.1.1", *ONE],
        {"v0.3.0": {"**billing**: price the 201st seat lower", LOGIN}},
    ),
}


@pytest.fixture
def story(sample: Sample) -> Sample:
    """The repository where the playbook begins: 0.0.0, and four features on main."""
    begin(sample)
    return sample


# What may bring a commit to a protected main: the merge button, and whoever releases.
MERGE = re.compile(r"git merge --no-ff --no-edit \S+ && (?=git push)")
RELEASES = re.compile(
    r"(?=git push --follow-tags|uv run trunkline release)|(?<=backport v0.1.1\n)"
)


@pytest.mark.slow
def test_every_scenario_ends_as_it_says_where_main_is_protected(story: Sample) -> None:
    """Any other command that pushes to main fails; an open one refuses nothing."""
    protect(story.origin)
    for scenario, after in EXPECTED.items():
        images = play(story, scenario)
        named = set(re.findall(r"my-app:([\w.-]*\w)", prose(TEXT, scenario)))
        assert named <= images, f"scenario {scenario}: no push makes {named - images}"
        check(story, after)


def play(sample: Sample, scenario: str) -> set[str]:
    """Follow every block of a scenario; returns the image tags that its pushes make."""
    images: set[str] = set()
    ran = None
    for block in (block for block in BLOCKS if block.scenario == scenario):
        if block.language == "text":
            assert ran is not None, f"{block.place}: no command before"
            assert prints(block.text, ran.all), f"{block.place}: printed\n{ran.all}"
        text = MERGE.sub(rf"\g<0>{BYPASS}=1 ", block.text)
        text = RELEASES.sub(f"{BYPASS}=1 ", text) if block.language == "bash" else text
        ran = follow(sample, replace(block, text=text)) or ran
        images |= image_names(sample)
    return images


def image_names(sample: Sample) -> set[str]:
    """Name the image tags that CI makes of what is on origin."""
    refs = sample.remote_refs()
    tags = [ref.removeprefix("refs/tags/") for ref in refs]
    return {
        tag.name
        for ref, commit in refs.items()
        for tag in image_tags(ref, commit=commit, image="my-app", all_tags=tags).tags
    }


def check(sample: Sample, after: After) -> None:
    assert sample.git("status", "--porcelain", "--branch") == "## main...origin/main"
    assert sample.git("rev-parse", "HEAD") == sample.remote_refs()["refs/heads/main"]
    assert sample.version == after.version
    assert headings(sample) == after.sections
    for tag, wanted in after.entries.items():
        assert set(entries(sample, tag)) == wanted
    assert sample.run("uv", "lock", "--check", "--offline").code == 0
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
