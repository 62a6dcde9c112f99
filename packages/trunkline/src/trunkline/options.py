"""Declare the options of a command beside the function that it calls."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Option(NamedTuple):
    """What `argparse.ArgumentParser.add_argument` takes."""

    names: tuple[str, ...]
    settings: dict[str, Any]


class Interface(NamedTuple):
    """How a function is called from the command line.

    The function gets every option by name. If `passes_on` says where other arguments
    go, it also gets those that are not declared, as `others`, a tuple of strings.
    """

    options: tuple[Option, ...]
    passes_on: str


_INTERFACES: dict[Callable[..., int], Interface] = {}


def command[F: Callable[..., int]](
    *options: Option, passes_on: str = ""
) -> Callable[[F], F]:
    """Declare that a function, which returns an exit code, is a command."""

    def declare(function: F) -> F:
        _INTERFACES[function] = Interface(options, passes_on)
        return function

    return declare


def interface(function: Callable[..., int]) -> Interface:
    """Return what was declared for a command's function."""
    return _INTERFACES[function]


def option(*names: str, help: str, **settings: Any) -> Option:  # noqa: ANN401
    """Declare an option or a positional argument in the words of `add_argument`."""
    return Option(names, {"help": help, **settings})


def switch(name: str, help: str, **settings: Any) -> Option:  # noqa: ANN401
    """Declare an option that is off unless it is given."""
    return option(name, help=help, action="store_true", **settings)


def repeated(name: str, help: str, **settings: Any) -> Option:  # noqa: ANN401
    """Declare an option that may be given several times."""
    return option(name, help=f"{help} (repeatable)", action="append", **settings)


DRY_RUN = switch("--dry-run", "show the plan and change nothing")
YES = switch("--yes", "do not ask for confirmation")
JSON = switch("--json", "print JSON")
GITHUB_OUTPUT = switch(
    "--github-output", "also write the result to $GITHUB_OUTPUT for later steps"
)
