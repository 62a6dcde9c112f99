"""Expected failures, each with the exit code of the command."""

from typing import ClassVar


class TrunklineError(Exception):
    """Base of every expected failure; the message is shown without a traceback.

    A subclass must set `exit_code`; a default would let failures be misreported.
    """

    exit_code: ClassVar[int]


class UsageError(TrunklineError):
    """The command line or the configuration asks for something that does not exist."""

    exit_code = 2


class FailedError(TrunklineError):
    """An expected failure without a rule of its own, such as a failed program."""

    exit_code = 1


class Refusal(TrunklineError):
    """A rule is not met.

    `rule` is its short name, `found` and `expected` describe the difference, and `fix`
    is the command to type next.
    """

    exit_code = 1

    def __init__(self, *, rule: str, found: str, expected: str, fix: str) -> None:
        self.rule = rule
        self.found = found
        self.expected = expected
        self.fix = fix
        super().__init__(rule, found, expected, fix)

    def __str__(self) -> str:
        return (
            f"refused by rule `{self.rule}`\n"
            f"  found:     {self.found}\n"
            f"  expected:  {self.expected}\n"
            f"  type next: {self.fix}"
        )
