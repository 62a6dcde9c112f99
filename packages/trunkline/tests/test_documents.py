"""Every page leads somewhere, and every decision record can be found."""

import posixpath
import re
import subprocess
from collections.abc import Iterator

import pytest

from samples import REPOSITORY, make_targets
from trunkline.commands import SUMMARIES

SERVICE = "docs/decisions"
TOOL = "packages/trunkline/docs/decisions"
LINK = re.compile(r"\]\(([^)\s:#]+)(?:#[^)\s]*)?\)")
RECORD = re.compile(r"\brecords? (\d+)\b")
NUMBERED = re.compile(r"docs/decisions/\d{4}-[^/]+$")
STATUS = re.compile(
    r"^Status: (\w+) · Date: (\d{4}-\d\d-\d\d)(?: · Updated: .+)?$", re.MULTILINE
)
ROW = re.compile(
    r"^\| (\d+) \| \[(.+)\]\((\S+)\) \| (\w+) \| (\S+) \| .+ \|$", re.MULTILINE
)
# These stand at the root of a service, not where they are kept.
OVERLAY = ".template/overlay/"
BLOCK = re.compile(r"^```\w*[^`\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
TARGET = re.compile(r"^make ([a-z][a-z-]*)")
COMMAND = re.compile(r"^(?:uv run )?trunkline ([a-z][a-z-]*)")


def pages() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each tracked page."""
    listing = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md")
    ran = subprocess.run(
        listing, cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    for path in ran.stdout.splitlines():
        file = REPOSITORY / path
        if file.exists():
            yield path, file.read_text(encoding="utf-8")


def test_every_relative_link_leads_to_a_file_or_folder() -> None:
    dead = []
    for path, text in pages():
        folder = posixpath.dirname(path.removeprefix(OVERLAY))
        for target in LINK.findall(text):
            if not (
                REPOSITORY / posixpath.normpath(posixpath.join(folder, target))
            ).exists():
                dead.append(f"{path}: {target}")
    assert dead == []


def test_every_record_that_a_page_names_exists() -> None:
    numbers = {int(name[:4]) for place in (SERVICE, TOOL) for name in records(place)}
    named = {
        (path, int(number)) for path, text in pages() for number in RECORD.findall(text)
    }
    assert {(path, number) for path, number in named if number not in numbers} == set()


def test_a_record_has_at_most_50_lines() -> None:
    lines = {path: text.count("\n") for path, text in pages() if NUMBERED.search(path)}
    assert len(lines) > len([*records(SERVICE), *records(TOOL)])
    assert {path: count for path, count in lines.items() if count > 50} == {}


def test_every_target_of_make_that_a_page_names_exists() -> None:
    targets = make_targets()
    assert {found for found in named(TARGET) if found[1] not in targets} == set()


def test_every_command_of_the_tool_that_a_page_names_exists() -> None:
    assert {found for found in named(COMMAND) if found[1] not in SUMMARIES} == set()


@pytest.mark.parametrize(
    ("place", "indexes"),
    [
        (SERVICE, ["docs/decisions/README.md", "docs/database.md"]),
        (TOOL, [f"{TOOL}/README.md"]),
    ],
)
def test_the_index_has_every_record_with_its_title_status_and_date(
    place: str, indexes: list[str]
) -> None:
    """A part that a service may lack lists its own on its page."""
    rows = {
        posixpath.basename(row[2]): (row[0], row[1], row[3], row[4])
        for index in indexes
        for row in ROW.findall((REPOSITORY / index).read_text(encoding="utf-8"))
    }
    assert rows == {name: header(place, name) for name in records(place)}


def named(what: re.Pattern[str]) -> set[tuple[str, str]]:
    """Find what pages show as code, each with the page that shows it."""
    return {
        (path, match[1])
        for path, text in pages()
        if not path.startswith((SERVICE, TOOL))  # these tell of what was, too
        for code in code_of(text)
        if (match := what.match(code))
    }


def code_of(text: str) -> Iterator[str]:
    """Yield each command of the blocks, and what stands between backticks."""
    for block in BLOCK.findall(text):
        yield from re.split(r"\n| && |'", block)
    yield from SPAN.findall(BLOCK.sub("", text))


def records(place: str) -> list[str]:
    return sorted(path.name for path in (REPOSITORY / place).glob("0*.md"))


def text(place: str, name: str) -> str:
    return (REPOSITORY / place / name).read_text(encoding="utf-8")


def header(place: str, name: str) -> tuple[str, str, str, str]:
    """Read number, title, status and date from the head of a record."""
    content = text(place, name)
    title = content.splitlines()[0].removeprefix(f"# {int(name[:4])}. ")
    status = STATUS.search(content)
    assert status, f"{place}/{name} has no line `Status: … · Date: …`"
    return str(int(name[:4])), title, status[1], status[2]
