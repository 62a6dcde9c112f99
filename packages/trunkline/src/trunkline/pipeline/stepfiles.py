"""What a step says to the runner: the files of GITHUB_OUTPUT and GITHUB_ENV. Pure."""

import re

from trunkline.errors import FailedError

_MASK = re.compile(r"::add-mask::(.+)")
_OLD = re.compile(r"::(set-output|set-env|add-path|save-state)[ :]")
HIDDEN = "***"


def read_pairs(text: str, place: str) -> dict[str, str]:
    """Read lines of `NAME=value` and blocks of `NAME<<END`; raises FailedError."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, separator, value = line.partition("=")
        before, heredoc, end = line.partition("<<")
        if heredoc and (not separator or len(before) < len(name)):
            block = []
            for inner in lines:
                if inner == end:
                    break
                block.append(inner)
            else:
                raise FailedError(f"{place}: `{line}` has no line `{end}` behind it")
            found[before] = "\n".join(block)
        elif separator and name:
            found[name] = value
        elif line:
            raise FailedError(f"{place} has the line {line!r}; expected NAME=value")
    return found


def new_mask(line: str) -> str | None:
    """Return what a line of a step's output asks to be kept secret."""
    match = _MASK.match(line)
    return match[1] if match else None


def require_current(line: str) -> None:
    """Refuse a workflow command that GitHub has switched off."""
    if match := _OLD.match(line):
        raise FailedError(
            f"a step writes `::{match[1]}`, which GitHub has switched off; "
            "expected a line in $GITHUB_OUTPUT, $GITHUB_ENV or $GITHUB_PATH"
        )


def redact(line: str, secrets: set[str]) -> str:
    """Replace secrets, the longest first, for one may be a part of another."""
    for secret in sorted(secrets, key=len, reverse=True):
        line = line.replace(secret, HIDDEN)
    return line


def parts(secret: str) -> set[str]:
    """Return what is to be kept secret of a value: each of its lines."""
    return {line.strip() for line in secret.splitlines() if line.strip()}
