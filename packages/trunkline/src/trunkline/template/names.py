"""The names of a service: which are usable, and how each of them is spelt. Pure."""

import re
from collections.abc import Collection

from trunkline.errors import Refusal

LONGEST_PACKAGE = 30


def spellings(package: str, title: str) -> dict[str, str]:
    """Spell a service's name in the ways that the manifest's renaming asks for."""
    return {
        "package": package,
        "slug": package.replace("_", "-"),
        "constant": package.upper(),
        "pascal": "".join(word.capitalize() for word in package.split("_")),
        "title": title,
    }


def require_package(name: str, pattern: str, taken: Collection[str]) -> None:
    """Raise Refusal, with a name that is usable, unless this one is."""
    if not re.fullmatch(pattern, name):
        expected = (
            "small letters and digits in words joined by `_`, a letter first, "
            f"{LONGEST_PACKAGE} characters at most"
        )
    elif name in taken:
        expected = "no word of Python, its library, a dependency or this repository"
    else:
        return
    raise Refusal(
        rule="package-name",
        found=f"the package name {name!r}",
        expected=expected,
        fix=f"the same command with --package {suggest(name, taken)}",
    )


def require_title(title: str, pattern: str) -> None:
    """Raise Refusal unless the title can stand in code, pages and documents."""
    if re.fullmatch(pattern, title):
        return
    raise Refusal(
        rule="title",
        found=f"the title {title!r}",
        expected="1 to 40 letters, digits, spaces, dots, `_` and `-`, such as: My API",
        fix='the same command with --title "My API"',
    )


def suggest(name: str, taken: Collection[str]) -> str:
    """Make a usable package name of what somebody has typed."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    usable = "_".join(words).lstrip("0123456789_")[:LONGEST_PACKAGE].rstrip("_")
    if usable and usable not in taken:
        return usable
    return f"{usable[: LONGEST_PACKAGE - 8].rstrip('_')}_service".lstrip("_")


def title_of(package: str) -> str:
    """Make a title of a package name."""
    return " ".join(word.capitalize() for word in package.split("_"))
