"""Print the results as a table or as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest

from benchmarks.harness import machine
from benchmarks.harness.benchmark import Benchmark, Comparison

HEADER = ("benchmark", "what", "peer", "ours", "ratio", "bound", "")


@dataclass(frozen=True)
class Outcome:
    """The comparisons of one benchmark, or the reason why there are none."""

    benchmark: Benchmark
    comparisons: tuple[Comparison, ...] = ()
    unavailable: str = ""
    broken: str = ""
    profile: str = ""

    @property
    def missed(self) -> bool:
        """Whether any bound is missed."""
        return any("MISSED" in self.verdict(each) for each in self.comparisons)

    def verdict(self, comparison: Comparison) -> tuple[str, str]:
        """Render the bound and whether it holds; empty without a bound."""
        bound = comparison.bound
        if comparison.bounded or comparison is self.comparisons[0]:
            bound = bound or self.benchmark.bound
        if bound:
            return str(bound), "met" if bound.holds(comparison.judged) else "MISSED"
        return "", ""


def table(outcomes: Sequence[Outcome]) -> str:
    """Render all outcomes as one table, aligned for a terminal."""
    rows = [HEADER, *(row for outcome in outcomes for row in rows_of(outcome))]
    # The reason for a missing figure is a sentence that may exceed its column.
    columns = zip_longest(*(row for row in rows if len(row) == len(HEADER)))
    widths = [max(len(cell) for cell in column) for column in columns]
    lines = [
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=False)
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def rows_of(outcome: Outcome) -> list[tuple[str, ...]]:
    """Render one outcome, a row for each comparison."""
    name = outcome.benchmark.name
    if outcome.broken:
        return [(name, f"BROKEN: {outcome.broken}")]
    if outcome.unavailable:
        return [(name, f"not measured: {outcome.unavailable}")]
    return [
        (name if index == 0 else "", *cells(comparison), *outcome.verdict(comparison))
        for index, comparison in enumerate(outcome.comparisons)
    ]


def cells(comparison: Comparison) -> tuple[str, str, str, str]:
    """Render what was compared: its name, the peer's figure, ours and the ratio."""
    unit = comparison.unit
    ours = f"{figure(comparison.ours)} {unit}"
    peer = ratio = "-"
    if comparison.theirs is not None:
        peer = f"{comparison.peer} {figure(comparison.theirs)} {unit}"
    if comparison.ratio is not None:
        ratio = f"{comparison.ratio:.2f}"
    if comparison.spread is not None:
        low, high = comparison.spread
        if comparison.ratio is not None:
            ratio += f" ({low:.2f}-{high:.2f})"
        else:
            ours += f" ({figure(low)}-{figure(high)})"
    return comparison.what, peer, ours, ratio


def figure(value: float) -> str:
    """Render three significant digits, and from 100 on all digits of the integer."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - see above


def as_json(outcomes: Sequence[Outcome]) -> str:
    """Render all outcomes as JSON, with the machine that they were measured on."""
    found = [
        {
            "name": outcome.benchmark.name,
            "bound": str(outcome.benchmark.bound) if outcome.benchmark.bound else None,
            "met": judgement(outcome),
            "comparisons": [asdict(each) for each in outcome.comparisons],
            "not_measured": outcome.unavailable or outcome.broken or None,
        }
        for outcome in outcomes
    ]
    document = {"machine": machine.describe(), "benchmarks": found}
    return json.dumps(document, indent=2) + "\n"


def judgement(outcome: Outcome) -> bool | None:
    """Whether the bounds were met; None if there are none."""
    verdicts = [outcome.verdict(each) for each in outcome.comparisons]
    return not outcome.missed if any(bound for bound, _ in verdicts) else None
