"""Run the benchmarks: `uv run --group bench python -m benchmarks`."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import machine, report
from benchmarks.benchmark import Benchmark, BenchmarkError, UnavailableError
from benchmarks.catalogue import BENCHMARKS
from benchmarks.report import Outcome

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for and print it; 1 only where that was not possible."""
    options = parse(arguments)
    chosen = [each for each in BENCHMARKS if each.name in (options.only or NAMES)]
    print(machine.describe(), file=sys.stderr)
    outcomes = []
    for benchmark in chosen:
        rounds = benchmark.quick_rounds if options.quick else benchmark.rounds
        print(f"{benchmark.name} ({rounds} rounds) …", file=sys.stderr, flush=True)
        outcomes.append(measure(benchmark, rounds, profile=options.profile))
    print(report.table(outcomes))
    for outcome in outcomes:
        if outcome.profile:
            print(f"\n{outcome.benchmark.name}: where the time goes\n{outcome.profile}")
    if options.json:
        options.json.write_text(report.as_json(outcomes), encoding="utf-8")
    broken = any(outcome.broken for outcome in outcomes)
    # CI has all that they stand on.
    missing = "CI" in os.environ and any(outcome.unavailable for outcome in outcomes)
    return 1 if broken or missing else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=NAMES,
        metavar="NAME",
        help=f"run this one; may be given again ({', '.join(NAMES)})",
    )
    parser.add_argument("--quick", action="store_true", help="run fewer rounds")
    parser.add_argument(
        "--profile",
        action="store_true",
        help="show where the time goes, not only for a missed bound",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write figures too")
    return parser.parse_args(arguments)


def measure(benchmark: Benchmark, rounds: int, *, profile: bool) -> Outcome:
    """Run one benchmark, and its profile where that was asked for or explains."""
    try:
        outcome = Outcome(benchmark, comparisons=tuple(benchmark.run(rounds)))
    except UnavailableError as error:
        return Outcome(benchmark, unavailable=str(error))
    except BenchmarkError as error:
        return Outcome(benchmark, broken=str(error))
    if benchmark.profile and (profile or outcome.missed):
        # The figures stand, whatever becomes of what would explain them.
        try:
            return replace(outcome, profile=benchmark.profile())
        except BenchmarkError as error:
            return replace(outcome, profile=f"no profile: {error}")
    return outcome


NAMES = [benchmark.name for benchmark in BENCHMARKS]

if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
