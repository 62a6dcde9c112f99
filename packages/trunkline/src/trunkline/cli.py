"""The command line: parse, call one function, turn its outcome into an exit code."""

import errno
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper

from trunkline import __version__, commands
from trunkline.errors import TrunklineError, UsageError

DONE = 0
FAILED = 1
USAGE = 2
BUG = 3
INTERRUPTED = 130
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
UNUSABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP)

type Load = Callable[[str], Callable[..., int]]


def main(argv: Sequence[str] | None = None, *, load: Load = commands.load) -> int:
    """Run one command and return its exit code.

    0 done, 1 refused or failed, 2 usage, 3 a bug with a saved report, 130 interrupted.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    if isinstance(sys.stdout, TextIOWrapper):
        # Names of git may be no text, and a terminal may lack a character.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return run(arguments, load)
    except TrunklineError as error:
        print(f"trunkline: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("trunkline: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has what it wanted. Without this, Python would
        # fail again when it flushes standard output at exit.
        sys.stdout = None
        return FAILED
    except Exception as error:
        return report(error, arguments)


def ptw() -> int:
    """Run `trunkline loop`, by the name that the watcher of tests is known by."""
    return main(["loop", *sys.argv[1:]])


def run(arguments: list[str], load: Load) -> int:
    """Call the function of the command that the first argument names."""
    match arguments:
        case [] | ["-h" | "--help", *_]:
            print(help_page())
            return DONE if arguments else USAGE
        case ["--version", *_]:
            print(__version__)
            return DONE
        case [name, *rest] if name in commands.SUMMARIES:
            function = load(name)
            return function(**parse(name, function, rest))
    raise UsageError(
        f"there is no command `{arguments[0]}`{_nearest(arguments[0])}\n"
        "  type next: trunkline --help"
    )


def help_page() -> str:
    """Lay out every command with its summary, in groups."""
    width = max(map(len, commands.SUMMARIES))
    lines = ["usage: trunkline COMMAND [OPTIONS]", "", "Take a commit to production."]
    for group, summaries in commands.GROUPS.items():
        lines += ["", f"{group}:"]
        lines += [f"  {name:<{width}}  {text}" for name, text in summaries.items()]
    lines += ["", "`trunkline COMMAND --help` lists the options of a command."]
    return "\n".join(lines)


def parse(
    name: str, function: Callable[..., int], arguments: list[str]
) -> dict[str, object]:
    """Parse the options of one command; exits with code 2 on an unknown one."""
    import argparse  # noqa: PLC0415 - the help page does without

    from trunkline.options import interface  # noqa: PLC0415

    declared = interface(function)
    summary = commands.SUMMARIES[name]
    parser = argparse.ArgumentParser(
        prog=f"trunkline {name}",
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=declared.passes_on,
        allow_abbrev=False,
    )
    for option in declared.options:
        parser.add_argument(*option.names, **option.settings)
    namespace, others = parser.parse_known_intermixed_args(arguments)
    values = vars(namespace)
    if declared.passes_on:
        values["others"] = tuple(others)
    elif others:
        parser.error(
            f"unknown: {' '.join(others)}; `trunkline {name} --help` lists the options"
        )
    return values


def _nearest(name: str) -> str:
    import difflib  # noqa: PLC0415 - needed only for a misspelt command

    near = difflib.get_close_matches(name, commands.SUMMARIES, n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def report(error: Exception, arguments: list[str]) -> int:
    """Report what no command has foreseen, and return its exit code."""
    from shlex import quote  # noqa: PLC0415 - needed only here

    match error:
        case OSError(errno=number) if number in DISK_FULL:
            text = (
                f"the disk is full: {error}\n"
                "  expected:  free space in TMPDIR (or /tmp), XDG_CACHE_HOME (or "
                "~/.cache) and the clone\n"
                '  type next: df -h "${TMPDIR:-/tmp}" ~/.cache .  '
                "(free some space or set TMPDIR, then repeat the command)"
            )
        case OSError(errno=number, filename=str(name)) if number in UNUSABLE:
            text = (
                f"{str(error.strerror).lower()}: {name}\n"
                "  expected:  a file that the user who types this may use\n"
                f"  type next: ls -ld {quote(name)}  (then the same command as its "
                "owner)"
            )
        case _:
            return report_bug(error, arguments)
    print(f"trunkline: {text}", file=sys.stderr)
    return FAILED


def report_bug(error: Exception, arguments: list[str]) -> int:
    """Save the traceback to a file, print its name, return the exit code of a bug."""
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
