"""Read a page such as docs/playbook.md as files to write and commands to type.

A fenced block is one of

- ```` ```bash ````, typed as it stands; the ```` ```text ```` block that follows it is
  what must be printed, line by line in that order, with `…` for anything;
- ```` ```bash no-run ````, not typed; the test knows each of them by name;
- ```` ```python PATH ````, written to that file;
- ```` ```diff PATH ````, applied to that file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from samples import REPOSITORY, Ran, Sample

DOCUMENT = REPOSITORY / "docs/playbook.md"
FENCE = re.compile(r"^```(\w+)?(?: (.*))?$")
SCENARIO = re.compile(r"^## ([A-Z])\. ")
ANYTHING = "…"


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; `words` follow the language, `line` is that of its text."""

    scenario: str
    language: str
    words: tuple[str, ...]
    text: str
    line: int

    @property
    def place(self) -> str:
        return f"{DOCUMENT.name}:{self.line}"


def blocks(document: str) -> Iterator[Block]:
    """Cut the document into its fenced blocks."""
    scenario, opened, lines = "", None, list[str]()
    for number, line in enumerate(document.splitlines(), start=1):
        heading, fence = SCENARIO.match(line), FENCE.match(line)
        if opened is None:
            scenario = heading[1] if heading else scenario
            opened, lines = (fence, []) if fence else (None, [])
        elif line != "```":
            lines.append(line)
        else:
            language, words = opened[1] or "", tuple((opened[2] or "").split())
            text = "\n".join(lines) + "\n"
            yield Block(scenario, language, words, text, number - len(lines))
            opened = None
    assert opened is None, f"{DOCUMENT.name} ends inside a block"


def prose(document: str, scenario: str) -> str:
    """Return the text of one scenario without its blocks."""
    _, _, rest = document.partition(f"\n## {scenario}. ")
    return re.sub(r"^```.*?^```$", "", rest.partition("\n## ")[0], flags=re.M | re.S)


def follow(sample: Sample, block: Block) -> Ran | None:
    """Do what a block says; returns how its commands ended, if it has some."""
    match (block.language, *block.words):
        case ("bash",):
            # There is no terminal on which a release could be confirmed.
            text = block.text.replace("trunkline release", "trunkline release --yes")
            ran = sample.run("bash", "-euo", "pipefail", "-c", text)
            assert ran.code == 0, f"{block.place}: exit {ran.code}\n{ran.all}"
            return ran
        case ("python", path):
            sample.write(path, block.text)
        case ("diff", path):
            patch = f"--- a/{path}\n+++ b/{path}\n{block.text}"
            ran = sample.run("git", "apply", "-", stdin=patch)
            assert ran.code == 0, f"{block.place}: {ran.all}"
        case ("bash", "no-run") | ("text",):
            pass
        case _:
            raise AssertionError(f"{block.place}: unknown kind of block")
    return None


def prints(wanted: str, printed: str) -> bool:
    """Whether every wanted line was printed, in that order."""
    lines = iter(printed.splitlines())
    return all(
        any(re.fullmatch(pattern(line), found) for found in lines)
        for line in wanted.splitlines()
        if line != ANYTHING
    )


def pattern(line: str) -> str:
    """Turn a line with `…` in it into a regular expression."""
    return ".*".join(re.escape(part) for part in line.split(ANYTHING))
