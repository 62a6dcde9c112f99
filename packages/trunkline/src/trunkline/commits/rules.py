"""What a commit message must keep to, and a message that would. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from trunkline.commits.conventional import (
    ENTRY,
    LISTED,
    LONGEST_SUBJECT,
    TYPES,
    WRITTEN_BY_TOOLS,
    Increment,
    increment,
    parse,
    shown,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule that a message breaks, and an example that would not break it."""

    rule: str
    found: str
    expected: str
    example: str


def problems(message: str) -> list[Problem]:
    """Name every rule that a message breaks; white space around it does not count.

    The first two are those of `cz check -l 72`. The others refuse what that accepts and
    what makes a version or a changelog that nobody meant.
    """
    message = message.strip()
    first, _, rest = message.partition("\n")
    found = [] if message.startswith(WRITTEN_BY_TOOLS) else list(_schema(message))
    if found:
        return found
    return [*_miscounted(message), *_body(first, rest), *_unlisted(first, rest)]


def _schema(message: str) -> Iterator[Problem]:
    first = message.partition("\n")[0]
    length = len(first.strip())
    if length > LONGEST_SUBJECT:
        yield Problem(
            "length",
            f"{length} characters: {shown(first)}",
            f"at most {LONGEST_SUBJECT}; the body says why",
            passing_example(first),
        )
    if parse(message):
        return
    if parse(first):
        yield Problem(
            "blank-line",
            f"text in the line after the subject: {shown(message.split(chr(10))[1])}",
            "an empty line between subject and body",
            f"{passing_example(first)}\n\n…",
        )
        return
    yield Problem(
        "schema",
        shown(first) if message.strip() else "an empty message",
        f"type(scope)!: subject, where (scope) and ! may be left out and type is "
        f"one of {', '.join(TYPES)}",
        passing_example(first),
    )


def _miscounted(message: str) -> Iterator[Problem]:
    """Refuse `feat(a)!: b (c): d`, whose `!` commitizen does not see."""
    header = parse(message)
    first = message.partition("\n")[0]
    if header and header.breaking and increment(first) is not Increment.MAJOR:
        yield Problem(
            "breaking",
            f"`):` after the `!`, so that commitizen does not count it: {shown(first)}",
            "no `):` in the subject of a breaking change",
            passing_example(first),
        )


def _body(first: str, rest: str) -> Iterator[Problem]:
    """Refuse a line of the body that raises the version more than the subject does."""
    meant = increment(first)
    entries = {part.partition("\n")[0] for part in _paragraphs(rest)}
    for line in rest.split("\n"):
        raised = increment(line)
        if raised <= meant:
            continue
        if ENTRY.match(line) and line.startswith("BREAKING") and line in entries:
            continue
        if first.startswith("Merge") and parse(line):
            continue  # A host puts the title of the pull request there.
        if line.startswith("BREAKING"):
            expected = "`BREAKING CHANGE: ` at the start of a paragraph of its own"
            text = line.partition(":")[2].strip() or "say what has changed"
            example = f"(an empty line)\nBREAKING CHANGE: {shown(text)}"
        else:
            expected = "a body that raises no more than the subject does"
            example = f"- {shown(line)}"
        yield Problem(
            "body",
            f"a line of the body that makes this {raised.name}: {shown(line)}",
            expected,
            example,
        )


def _unlisted(first: str, rest: str) -> Iterator[Problem]:
    """Refuse a message that raises the version without an entry in the changelog."""
    raised = increment(first)
    if raised is Increment.NONE or ENTRY.match(first):
        return
    if any(ENTRY.match(part) for part in _paragraphs(rest)):
        return
    yield Problem(
        "changelog",
        f"{raised.name} without an entry in the changelog: {shown(first)}",
        "a scope without brackets inside it; a breaking change of another type than "
        f"{', '.join(LISTED)} has no scope, or a `BREAKING CHANGE: ` paragraph",
        passing_example(first),
    )


def _paragraphs(body: str) -> list[str]:
    return body.strip().split("\n\n")


# What people write where a type is expected, and the type (with scope) that is meant.
_MEANT = {
    "add": "feat", "added": "feat", "feature": "feat", "features": "feat",
    "bug": "fix", "bugfix": "fix", "fixed": "fix", "fixes": "fix", "hotfix": "fix",
    "security": "fix(security)", "sec": "fix(security)",
    "dep": "build(deps)", "deps": "build(deps)", "bumps": "build(deps)",
    "doc": "docs", "documentation": "docs", "readme": "docs",
    "performance": "perf", "refactoring": "refactor", "tests": "test",
    "testing": "test", "formatting": "style", "reverts": "revert",
}  # fmt: skip
_LOOSE = re.compile(
    r"\s*(?P<word>\w+)\s*(?:\((?P<scope>.*?)\)+)?\s*(?P<mark>!)?\s*:\s*(?P<rest>.*)"
)
_SAFE = "feat: say what the change does"


def passing_example(first: str) -> str:
    """Turn a first line into one that passes, as near to it as the rules allow."""
    match = _LOOSE.fullmatch(first)
    word = match["word"].lower() if match else ""
    meant = word if word in TYPES else _MEANT.get(word)
    if match and meant:
        candidate = _spelt(meant, match["scope"], match["mark"], match["rest"])
    else:
        opening = first.strip().partition(" ")[0].lower()
        meant = opening if opening in TYPES else _MEANT.get(opening, "chore")
        kind = "build(deps)" if opening == "bump" else meant
        candidate = _spelt(kind, None, None, first)
    return _SAFE if _refused(candidate) else candidate


def _refused(line: str) -> bool:
    """Whether one line breaks a rule; `problems` would ask for an example again."""
    header = parse(line)
    if header is None or len(line) > LONGEST_SUBJECT or "\n" in line:
        return True
    raised = increment(line)
    lost = header.breaking and raised is not Increment.MAJOR
    return lost or (raised is not Increment.NONE and not ENTRY.match(line))


def _spelt(meant: str, scope: str | None, mark: str | None, rest: str) -> str:
    kind, _, own_scope = meant.partition("(")
    scope = re.sub(r"[^\w./-]+", "-", scope or own_scope).strip("-")
    if mark and kind not in LISTED:
        scope = ""
    words = "".join(c if c.isprintable() else " " for c in rest).split()
    text = " ".join(words).replace("):", ")" if mark else "):").rstrip(".")
    # `HTTP` stays as it is, `Add` becomes `add`.
    text = text[:1].lower() + text[1:] if text[1:2].islower() else text
    head = f"{kind}({scope}){mark or ''}: " if scope else f"{kind}{mark or ''}: "
    room = LONGEST_SUBJECT - len(head)
    if len(text) > room > 0:
        text = text[: room + 1].rpartition(" ")[0] or text[:room]
    return head + text
