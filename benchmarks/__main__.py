"""Run the benchmarks: `uv run --group bench python -m benchmarks`."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.harness import machine, report
from benchmarks.harness.benchmark import Benchmark, BenchmarkError, UnavailableError
from benchmarks.harness.report import Outcome
from benchmarks.suite import BENCHMARKS

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen benchmarks and print the figures; 1 only if one could not run."""
    options = parse(arguments)
    chosen = [each for each in BENCHMARKS if each.name in (options.only or NAMES)]
    print(machine.describe(), file=sys.stderr)
    outcomes = []
    for benchmark in chosen:
        rounds = benchmark.rounds[options.quick]
        print(f"{benchmark.name} ({rounds} rounds) …", file=sys.stderr, flush=True)
        outcomes.append(measure(benchmark, rounds, profile=options.profile))
    print(report.table(outcomes))
    for outcome in outcomes:
        if outcome.profile:
            print(f"\n{outcome.benchmark.name}: where the time goes\n{outcome.profile}")
    if options.json:
        options.json.write_text(report.as_json(outcomes), encoding="utf-8")
    broken = any(outcome.broken for outcome in outcomes)
    # CI has everything that they need.
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
        help=f"run this benchmark (repeatable): {', '.join(NAMES)}",
    )
    parser.add_argument("--quick", action="store_true", help="run fewer rounds")
    parser.add_argument(
        "--profile",
        action="store_true",
        help="show where the time goes, also where the bound is met",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the figures as JSON"
    )
    return parser.parse_args(arguments)


def measure(benchmark: Benchmark, rounds: int, *, profile: bool) -> Outcome:
    """Run one benchmark, and its profile on request or if its bound is missed."""
    try:
        outcome = Outcome(benchmark, comparisons=tuple(benchmark.run(rounds)))
    except UnavailableError as error:
        return Outcome(benchmark, unavailable=str(error))
    except BenchmarkError as error:
        return Outcome(benchmark, broken=str(error))
    if benchmark.profile and (profile or outcome.missed):
        # A failing profile does not invalidate the figures.
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
