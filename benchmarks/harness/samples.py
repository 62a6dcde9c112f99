"""Measure in turns, so that a slow moment of the machine affects all alike."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median, quantiles

from benchmarks.harness.benchmark import Comparison

FEWEST_FOR_QUARTILES = 4


def interleaved[Sample](
    rounds: int, measures: Mapping[str, Callable[[], Sample]]
) -> dict[str, list[Sample]]:
    """Measure each in turn, `rounds` times: A B, B A, A B, …

    A warm-up round goes first and is discarded: it fills caches and writes bytecode.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in measures}
    names = list(measures)
    for index in range(rounds + 1):
        for name in names if index % 2 else reversed(names):
            sample = measures[name]()
            if index > 0:
                samples[name].append(sample)
    return samples


def compared(
    what: str,
    unit: str,
    *,
    peer: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    bounded: bool = False,
    best: bool = False,
) -> Comparison:
    """Compare by the median of the ratios of pairs measured in the same round.

    Work that is the same in every round is compared by the `best` of each.
    """
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    typical = min if best else median
    return Comparison(
        what=what,
        unit=unit,
        peer=peer,
        ours=typical(ours),
        theirs=typical(theirs),
        ratio=min(ours) / min(theirs) if best else median(ratios),
        spread=spread(ratios),
        bounded=bounded,
    )


def alone(what: str, unit: str, ours: Sequence[float]) -> Comparison:
    """Return one figure without a peer, for a bound that is not a ratio."""
    return Comparison(what=what, unit=unit, ours=median(ours), spread=spread(ours))


def added(
    what: str, unit: str, *, ours: Sequence[float], theirs: Sequence[float]
) -> Comparison:
    """Return the median difference of pairs measured in the same round."""
    return alone(
        what, unit, [mine - other for mine, other in zip(ours, theirs, strict=True)]
    )


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Return the quartiles, or the extremes of few values."""
    if len(values) < FEWEST_FOR_QUARTILES:
        return min(values), max(values)
    low, _, high = quantiles(values, n=4)
    return low, high
