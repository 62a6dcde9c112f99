"""The command line: parse, call one function, turn its end into an exit code."""

import argparse
import errno
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import cast

from trunkline import __version__
from trunkline.commands import COMMANDS, Command
from trunkline.errors import TrunklineError

FAILED = 1
BUG = 3
INTERRUPTED = 130
FULL = (errno.ENOSPC, errno.EDQUOT)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done, 1 refused or failed, 2 usage, 3 a bug with a saved report, 130 interrupted.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        return run(arguments)
    except TrunklineError as error:
        print(f"trunkline: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("trunkline: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has what it wanted. Python would complain
        # once more when it flushes, so standard output is replaced.
        sys.stdout = None
        return 1
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            return report_full(error)
        return report_bug(error, arguments)


def run(arguments: list[str]) -> int:
    """Parse `arguments` and call the command's function."""
    parser = build_parser()
    namespace, others = parser.parse_known_args(arguments)
    values = vars(namespace)
    command = cast("Command | None", values.pop("command", None))
    if command is None:
        parser.print_help()
        return 2
    if command.passes_on:
        values["others"] = tuple(others)
    elif others:
        parser.error(
            f"`{command.name}` does not know {' '.join(others)}; "
            f"`trunkline {command.name} --help` lists what it knows"
        )
    return load(command.target)(**values)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands from the table."""
    parser = argparse.ArgumentParser(
        prog="trunkline",
        description="The road from a commit to production.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", metavar="<command>")
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.summary,
            allow_abbrev=False,
        )
        sub.set_defaults(command=command)
        for argument in command.arguments:
            sub.add_argument(*argument.names, **argument.options)
    return parser


def load(target: str) -> Callable[..., int]:
    """Import the function that `target` names as "module:function"."""
    module, _, function = target.partition(":")
    return cast(
        "Callable[..., int]", getattr(importlib.import_module(module), function)
    )


def report_full(error: OSError) -> int:
    """Say that a disk is full, which is no bug, and where much is written."""
    print(
        f"trunkline: a disk is full: {error}\n"
        "  expected:  room for what is made: in TMPDIR (or /tmp), in "
        "XDG_CACHE_HOME (or ~/.cache), in the clone\n"
        '  type next: df -h "${TMPDIR:-/tmp}" ~/.cache .  '
        "(make room, or set TMPDIR to a folder that has it; then the same again)",
        file=sys.stderr,
    )
    return FAILED


def report_bug(error: Exception, arguments: list[str]) -> int:
    """Save the traceback to a file, name it, and return the exit code of a bug."""
    import tempfile  # noqa: PLC0415 - needed only when something is broken
    import traceback  # noqa: PLC0415

    with tempfile.NamedTemporaryFile(
        "w", prefix="trunkline-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"trunkline {__version__} {arguments}\nPython {sys.version}\n\n")
        file.write("".join(traceback.format_exception(error)))
    print(
        f"trunkline: this is a bug: {type(error).__name__}: {error}\n"
        f"  report: {file.name}\n"
        "  type next: the same command again; if it fails again, open an issue "
        "with the report",
        file=sys.stderr,
    )
    return BUG
