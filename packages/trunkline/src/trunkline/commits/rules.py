"""The rules for a commit message. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from trunkline.commits.conventional import (
    LONGEST_SUBJECT,
    TYPES,
    WRITTEN_BY_TOOLS,
    nearly_breaking,
    parse,
    shown,
)


@dataclass(frozen=True, slots=True)
class MessageProblem:
    """One rule that a message breaks."""

    rule: str
    found: str
    expected: str


def problems(message: str) -> Iterator[MessageProblem]:
    """Yield every rule that a message breaks; surrounding white space is ignored."""
    message = message.strip()
    if message.startswith(WRITTEN_BY_TOOLS):
        return
    first, _, rest = message.partition("\n")
    length = len(first.strip())
    if length > LONGEST_SUBJECT:
        yield MessageProblem(
            "length",
            f"{length} characters: {shown(first)}",
            f"at most {LONGEST_SUBJECT}; the body says why",
        )
    near = nearly_breaking(rest)
    if near is not None:
        yield MessageProblem(
            "breaking",
            f"a line that does not count as a breaking change: {shown(near)}",
            "BREAKING CHANGE: and what it breaks, at the start of a line",
        )
    if parse(message):
        return
    if parse(first):
        yield MessageProblem(
            "blank-line",
            f"text in the line after the subject: {shown(rest.partition('\n')[0])}",
            "an empty line between subject and body",
        )
        return
    yield MessageProblem(
        "schema",
        shown(first) if message else "an empty message",
        'type(scope): imperative, such as "feat(login): add a button"; '
        f"(scope) is optional and type is one of {', '.join(TYPES)}",
    )
