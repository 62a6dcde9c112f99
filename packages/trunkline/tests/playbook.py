"""Read docs/playbook.md as what it is: files to write and commands to type.

A fenced block is one of

- ```` ```bash ````, typed as it stands; the ```` ```text ```` block that follows it is
  what must be printed, line by line in that order, with `…` for anything;
- ```` ```bash no-run ````, not typed; the test knows each of them by name;
- ```` ```python PATH ````, written to that file;
- ```` ```diff PATH ````, applied to that file.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import tomlkit

from samples import REPOSITORY, Ran, Sample

DOCUMENT = REPOSITORY / "docs/playbook.md"
HOOKS = REPOSITORY / ".githooks"
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


# The hooks run the tests, so there has to be one from the start.
SERVICE_TEST = """\
import my_app


def test_the_service_says_what_it_is() -> None:
    assert my_app.TITLE == "My App"
"""


# The features that wait on main when the story begins.
WAITING = {"search", "export", "profile", "invite"}


def begin(sample: Sample, files: Mapping[str, str] | None = None) -> None:
    """Bring the sample to where the playbook begins: 0.0.0, and features on main."""
    # `uv run` uses the tools of this environment as they are.
    sample.env |= {
        "UV_NO_SYNC": "1",
        "UV_PROJECT_ENVIRONMENT": sys.prefix,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        # The sample's package, not that of this environment.
        "PYTHONPATH": "src",
    }
    lay_out(sample)
    sample.commit("feat: begin", files)
    sample.push()
    for feature in sorted(WAITING):
        sample.commit(f"feat: {feature}", {f"docs/{feature}.md": f"# {feature}\n"})
    sample.push()


def lay_out(sample: Sample) -> None:
    """Give the sample project the service, a linter's rules and the hooks."""
    service = Path("src/my_app")
    for file in sorted((REPOSITORY / service).rglob("*.py")):
        path = file.relative_to(REPOSITORY)
        sample.write(str(path), file.read_text(encoding="utf-8"))
    sample.write(".gitignore", (REPOSITORY / ".gitignore").read_text(encoding="utf-8"))
    sample.write("tests/test_service.py", SERVICE_TEST)
    sample.write("pyproject.toml", _project(sample.read("pyproject.toml")))
    if (HOOKS / "pre-push").exists():
        for hook in HOOKS.iterdir():
            _install(sample, hook.name, hook.read_text(encoding="utf-8"))
    else:
        _install(
            sample, "pre-push", '#!/bin/sh\nexec uv run trunkline push-check "$@"\n'
        )
    sample.git("config", "core.hooksPath", ".githooks")
    sample.git("add", "-A")
    sample.git("commit", "-q", "-m", "chore: lay out the service")
    sample.git("push", "-q", "origin", "main")


def _install(sample: Sample, name: str, text: str) -> None:
    sample.write(f".githooks/{name}", text)
    (sample.root / ".githooks" / name).chmod(0o755)


def _project(text: str) -> str:
    """Add the real rules of ruff and import-linter, and what pytest needs.

    Its real settings measure the coverage of a suite that is not here.
    """
    document = tomlkit.parse(text.replace("major_version_zero = true\n", ""))
    real = tomlkit.parse((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    ruff = real["tool"]["ruff"]
    ruff["lint"].setdefault("per-file-ignores", {"tests/*": ["S101", "PLR2004"]})
    document["tool"]["ruff"] = ruff
    document["tool"]["importlinter"] = real["tool"]["importlinter"]
    document["tool"]["trunkline"]["gates"] = {"tests": {"command": "pytest"}}
    document["tool"]["pytest"] = {
        "ini_options": {
            "addopts": "-q -p no:cacheprovider",
            "pythonpath": ["src"],
            "testpaths": ["tests"],
        }
    }
    return tomlkit.dumps(document)
