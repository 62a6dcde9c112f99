"""Benchmarks and their results."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass


class BenchmarkError(Exception):
    """A benchmark could not measure; the message says what was found."""


class UnavailableError(BenchmarkError):
    """This machine or checkout lacks what would be measured."""


@dataclass(frozen=True)
class Bound:
    """The value that a comparison must reach or must not exceed."""

    limit: float
    _: KW_ONLY
    at_least: bool = False
    unit: str = ""

    def holds(self, value: float) -> bool:
        """Whether `value`, rounded as it is printed, is within the bound."""
        printed = round(value, 2)
        return printed >= self.limit if self.at_least else printed <= self.limit

    def __str__(self) -> str:
        """Render as in `≤ 1.35`."""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}{self.unit}"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One figure of ours beside the same figure of a peer.

    `ratio` is ours divided by the peer's: the median over pairs measured one after the
    other, where there are pairs. `spread` holds the quartiles of the ratios, or of
    `ours` if there is no ratio. The benchmark's bound applies to the first comparison
    and to each that is `bounded`; `bound` is one of its own.
    """

    what: str
    unit: str
    ours: float
    peer: str | None = None
    theirs: float | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    bounded: bool = False
    bound: Bound | None = None

    @property
    def judged(self) -> float:
        """The value that a bound applies to: the ratio, or ours if there is none."""
        return self.ours if self.ratio is None else self.ratio


@dataclass(frozen=True)
class Benchmark:
    """One benchmark of the suite.

    `run` takes one of the two numbers of `rounds`, all or quick, and returns
    comparisons; `bound` applies to the first of them. `profile` returns text that shows
    where the time goes.
    """

    name: str
    run: Callable[[int], Sequence[Comparison]]
    rounds: tuple[int, int]
    bound: Bound | None = None
    profile: Callable[[], str] | None = None
