"""The names of a service: which are usable, and how each is spelled. Pure."""

import re
from collections.abc import Collection

from trunkline.errors import Refusal

LONGEST_PACKAGE = 30
LONGEST_TITLE = 40
_MARKDOWN = re.compile(r"([\\`*_\[\]<>&#|~])")


def spellings(package: str, title: str) -> dict[str, str]:
    """Spell a service's name in the ways that the manifest's renaming asks for.

    `title` stands between double quotes, `markdown` in a document.
    """
    return {
        "package": package,
        "slug": package.replace("_", "-"),
        "constant": package.upper(),
        "pascal": "".join(word.capitalize() for word in package.split("_")),
        "title": title.replace("\\", "\\\\").replace('"', '\\"'),
        "markdown": _MARKDOWN.sub(r"\\\1", title),
    }


def require_package(name: str, pattern: str, taken: Collection[str]) -> None:
    """Raise Refusal, with a name that is usable, unless this one is."""
    if not re.fullmatch(pattern, name):
        expected = (
            "lower-case letters and digits in words joined by `_`, starting with a "
            f"letter, at most {LONGEST_PACKAGE} characters"
        )
    elif name in taken:
        expected = "a name that Python, a program, a dependency or Windows does not use"
    else:
        return
    raise Refusal(
        rule="package-name",
        found=f"the package name {name!r}",
        expected=expected,
        fix=f"the same command with --package {suggest(name, taken)}",
    )


def is_title(title: str) -> bool:
    """Whether it is one line of printable characters, with no space at its ends."""
    return title.isprintable() and 0 < len(title.strip()) == len(title) <= LONGEST_TITLE


def require_title(title: str) -> None:
    """Raise Refusal unless the title is usable."""
    if not is_title(title):
        raise Refusal(
            rule="title",
            found=f"the title {title!r}",
            expected=f"1 to {LONGEST_TITLE} printable characters, "
            "no space at either end",
            fix='the same command with --title "My API"',
        )


def suggest(name: str, taken: Collection[str]) -> str:
    """Make a usable package name from what somebody typed."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    usable = "_".join(words).lstrip("0123456789_")[:LONGEST_PACKAGE].rstrip("_")
    if usable and usable not in taken:
        return usable
    return f"{usable[: LONGEST_PACKAGE - 8].rstrip('_')}_service".lstrip("_")


def title_of(package: str) -> str:
    """Make a title from a package name."""
    return " ".join(word.capitalize() for word in package.split("_"))
