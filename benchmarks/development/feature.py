"""From `trunkline feature` in a new service to a green `make check`."""

from benchmarks.development import generation
from benchmarks.harness import processes
from benchmarks.harness.benchmark import Comparison
from benchmarks.harness.samples import alone, compared

FEATURE = ("uv", "run", "trunkline", "feature", "customers")
CHECK = ("make", "check")


def run(rounds: int) -> list[Comparison]:
    """Make the feature, check, take it out and check, in turns."""
    steps = {"made": FEATURE, "with": CHECK, "removed": (*FEATURE, "--remove")}
    steps["without"] = CHECK
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    with generation.template() as source, generation.service(source) as service:
        processes.run(("make", "setup"), cwd=service)
        for _ in range(rounds):
            for name, command in steps.items():
                seconds[name].append(processes.seconds_of(command, cwd=service))
    totals = [sum(pair) for pair in zip(seconds["made"], seconds["with"], strict=True)]
    return [
        compared(
            "trunkline feature and make check",
            "s",
            peer="make check without it",
            ours=totals,
            theirs=seconds["without"],
        ),
        alone("trunkline feature", "s", seconds["made"]),
        alone("trunkline feature --remove", "s", seconds["removed"]),
    ]
