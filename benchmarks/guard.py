"""What the guard adds to `cz bump`."""

from benchmarks import releases, traces
from benchmarks.benchmark import Comparison
from benchmarks.histories import History
from benchmarks.samples import added, compared, interleaved

HISTORY = History(commits=1_000, tags=20)


def run(rounds: int) -> list[Comparison]:
    """Make the same release in turns, with and without the guard."""
    with releases.cloned(HISTORY) as clones:
        samples = interleaved(
            rounds, {"ours": clones.guarded.bump, "alone": clones.alone.bump}
        )
    ours, alone = samples["ours"], samples["alone"]
    return [
        added("added by the guard", "s", ours=ours, theirs=alone),
        compared(
            "cz bump with the guard", "s", peer="cz alone", ours=ours, theirs=alone
        ),
    ]


def profile() -> str:
    """Show the git processes of a release with and without the guard."""
    with releases.cloned(HISTORY) as clones:
        return traces.processes_of(
            clones.guarded, clones.alone, ours="with the guard", theirs="cz alone"
        )
