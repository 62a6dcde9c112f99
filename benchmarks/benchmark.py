"""What a benchmark is, and what it finds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


class BenchmarkError(Exception):
    """A benchmark could not measure; its message says what was found."""


class UnavailableError(BenchmarkError):
    """What would be measured does not exist on this machine or in this checkout."""


@dataclass(frozen=True, kw_only=True)
class Bound:
    """How good the first comparison has to be, and each that is `bounded`."""

    limit: float
    at_least: bool = False
    unit: str = ""

    def holds(self, value: float) -> bool:
        """Tell whether `value`, as far as it is printed, is within the bound."""
        printed = round(value, 2)
        return printed >= self.limit if self.at_least else printed <= self.limit

    def __str__(self) -> str:
        """Render as in `≤ 1.35`."""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}{self.unit}"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One figure of ours beside the same figure of a peer.

    `ratio` is ours divided by the peer's, the median of pairs measured one after the
    other where there are pairs; `spread` holds the quartiles of those pairs, or those
    of `ours` where there is no ratio. A bound is about the first comparison, and about
    each that is `bounded`.
    """

    what: str
    unit: str
    ours: float
    peer: str | None = None
    theirs: float | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    bounded: bool = False

    @property
    def judged(self) -> float:
        """The value that a bound is about: the ratio, ours alone without a peer."""
        return self.ours if self.ratio is None else self.ratio


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One entry of the catalogue.

    `run` takes the number of rounds and returns comparisons, the first of which `bound`
    is about. `profile` returns text that shows where the time goes.
    """

    name: str
    run: Callable[[int], Sequence[Comparison]]
    rounds: int
    quick_rounds: int
    bound: Bound | None = None
    profile: Callable[[], str] | None = None
