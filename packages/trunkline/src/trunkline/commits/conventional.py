"""Conventional Commits: the one definition that git's hook, CI and commitizen use."""

import re
from collections.abc import Iterator

from trunkline.errors import Refusal

TYPES = (
    "build", "bump", "chore", "ci", "docs", "feat", "fix", "perf", "refactor",
    "revert", "style", "test",
)  # fmt: skip
# The types that have a heading in the changelog.
LISTED = ("feat", "fix", "refactor", "perf", "revert")
# Messages that git and its hosts write themselves.
WRITTEN_BY_TOOLS = (
    "Merge", "Revert", "Reapply", "Pull request", "fixup!", "squash!", "amend!",
)  # fmt: skip
LONGEST_SUBJECT = 72
LONGEST_SHOWN = 120

SCHEMA = (
    rf"(?s)(?P<type>{'|'.join(TYPES)})(?:\((?P<scope>\S+)\))?(?P<breaking>!)?: "
    r"(?P<subject>[^\n\r]+)(?:\n\n.*|\s*)?$"
)
# A line that raises the version and becomes an entry of the changelog: a listed type,
# or a breaking change of any type. commitizen reads its groups by name.
ENTRY = (
    rf"^((?:(?P<change_type>{'|'.join(LISTED)}|BREAKING[ -]CHANGE)"
    r"|\w+(?=(?:\([^()\r\n]*\))?!))"
    r"(?:\((?P<scope>[^()\r\n]*)\))?(?P<breaking>!)?): (?P<message>.*\S.*)"
)
# Which part of the version the words before the colon raise; the first match counts.
INCREMENTS = {
    r"^.+!$": "MAJOR",
    r"^BREAKING[ -]CHANGE": "MAJOR",
    r"^feat": "MINOR",
    r"^(fix|refactor|perf|revert)": "PATCH",
}
# Lines that look as if they meant a breaking change.
_NEARLY = re.compile(r"^(?i:\W*breaking[ _-]*(changes?)?(\W*:| - ))|^BREAKING.CHANGE")
_UNDONE = re.compile(r'^(Revert|Reapply) "(.+)"(.*)$')
_schema = re.compile(SCHEMA)
_entry = re.compile(ENTRY)


def parse(message: str) -> re.Match[str] | None:
    """Read type, scope, breaking and subject; None if the schema does not fit."""
    return _schema.match(message)


def entries(body: str) -> str:
    """Keep the parts of a commit's body that become entries, one per paragraph.

    An entry starts a paragraph; only a `BREAKING CHANGE` may follow other footers
    directly. A heading ends it, as it would end the section of the changelog. Without
    this commitizen raises the version for any line of prose that looks like an entry,
    and does not list it.
    """
    kept: list[str] = []
    for paragraph in re.split(r"\n\s*\n|\n(?=#)", body.strip()):
        inside = False
        for number, line in enumerate(paragraph.split("\n")):
            begins = number == 0 or inside or line.startswith("BREAKING")
            if begins and _entry.match(line):
                inside = True
                kept.append(line)
            elif inside:
                kept[-1] += f"\n{line}"
    return "\n\n".join(kept)


def breaking_entries(body: str) -> str:
    """Keep of the entries those that break something."""
    return "\n\n".join(
        it
        for it in entries(body).split("\n\n")
        if (found := _entry.match(it)) and (found["breaking"] or it[0] == "B")
    )


def nearly_breaking(body: str) -> str | None:
    """Return a line that seems to announce a breaking change, and does not."""
    lines = body.split("\n")
    near = (it for it in lines if _NEARLY.match(it) and not _entry.match(it))
    return next(near, None)


def conventional_title(title: str) -> str:
    """Return a title of `git revert` as a conventional one."""
    match _UNDONE.match(title):
        case re.Match() as found if found[1] == "Revert":
            return f"revert: {found[2]}{found[3]}"
        case re.Match() as found:
            return f"{found[2]}{found[3]}"
    return title


def shown(text: str) -> str:
    """Make untrusted text safe to print: one line without control characters.

    A line break in a title could otherwise start a workflow command in CI's log.
    """
    safe = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )
    return safe if len(safe) <= LONGEST_SHOWN else f"{safe[:LONGEST_SHOWN]}…"


def problems(message: str, *, fix: str) -> Iterator[Refusal]:
    """Yield every rule that a message breaks; `fix` is the command that changes it."""
    message = message.strip()
    if message.startswith(WRITTEN_BY_TOOLS):
        return
    first, _, rest = message.partition("\n")
    length = len(first.strip())
    if length > LONGEST_SUBJECT:
        yield Refusal(
            rule="length",
            found=f"{length} characters: {shown(first)}",
            expected=f"at most {LONGEST_SUBJECT}; the body says why",
            fix=fix,
        )
    near = nearly_breaking(rest)
    if near is not None:
        yield Refusal(
            rule="breaking",
            found=f"a line that does not count as a breaking change: {shown(near)}",
            expected="BREAKING CHANGE: and what it breaks, at the start of a line",
            fix=fix,
        )
    if not parse(message):
        yield _of_form(message, fix)


def _of_form(message: str, fix: str) -> Refusal:
    """Say what keeps a message from fitting the schema."""
    first, _, rest = message.partition("\n")
    if parse(first):
        second = shown(rest.partition("\n")[0])
        return Refusal(
            rule="blank-line",
            found=f"text in the line after the subject: {second}",
            expected="an empty line between subject and body",
            fix=fix,
        )
    return Refusal(
        rule="schema",
        found=shown(first) if message else "an empty message",
        expected='type(scope): imperative, such as "feat(login): add a button"; '
        f"(scope) is optional and type is one of {', '.join(TYPES)}",
        fix=fix,
    )
