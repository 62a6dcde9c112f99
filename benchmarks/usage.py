"""`trunkline --help`: what every command of the tool costs before it begins."""

from functools import partial

from benchmarks import processes, profiles, releases
from benchmarks.benchmark import Comparison
from benchmarks.messages import milliseconds
from benchmarks.samples import alone, compared, interleaved

PYTHON = releases.TOOLS / "python"


def run(rounds: int) -> list[Comparison]:
    """Print the help in turns with starting Python."""
    samples = interleaved(
        rounds,
        {
            "ours": partial(milliseconds, releases.TOOLS / "trunkline", "--help"),
            "python": partial(milliseconds, PYTHON, "-c", "pass"),
        },
    )
    ours, theirs = samples["ours"], samples["python"]
    return [
        alone("trunkline --help", "ms", ours),
        compared("the same", "ms", peer="python -c pass", ours=ours, theirs=theirs),
    ]


def profile() -> str:
    """Show what is imported."""
    return profiles.imports(
        PYTHON,
        ours="import trunkline.cli",
        theirs="pass",
        env=processes.environment(),
    )
