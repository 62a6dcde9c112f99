"""`cz bump` as the history grows, with the guard and without."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

from benchmarks.harness.benchmark import Comparison
from benchmarks.harness.samples import added, compared, interleaved
from benchmarks.releases import bump_profile
from benchmarks.releases.clones import cloned
from benchmarks.releases.histories import History

YOUNG = History(commits=100, tags=2)
OLD = History(commits=50_000, tags=1_000)
TAGGED = History(commits=50_000, tags=10_000)
HISTORIES = (YOUNG, History(commits=10_000, tags=200), OLD, TAGGED)

GUARDED = "cz bump with the guard"
ALONE = "cz bump alone"


def run(rounds: int) -> list[Comparison]:
    """Release in turns in each history, with the guard and without."""
    with ExitStack() as stack:
        clones = {each: stack.enter_context(cloned(each)) for each in HISTORIES}
        samples = interleaved(
            rounds,
            {
                f"{what}, {history}": clone.bump
                for history, pair in clones.items()
                for what, clone in ((GUARDED, pair.guarded), (ALONE, pair.alone))
            },
        )
    return [
        *(replace(each, bounded=True) for each in grown(samples, GUARDED)),
        *grown(samples, ALONE),
        *(
            added(
                f"added by the guard, {each}",
                "s",
                ours=samples[f"{GUARDED}, {each}"],
                theirs=samples[f"{ALONE}, {each}"],
            )
            for each in HISTORIES
        ),
    ]


def grown(samples: Mapping[str, list[float]], what: str) -> list[Comparison]:
    """Compare each older history with the young one."""
    return [
        compared(
            f"{what}, {each}",
            "s",
            peer=f"{YOUNG.commits} commits",
            ours=samples[f"{what}, {each}"],
            theirs=samples[f"{what}, {YOUNG}"],
        )
        for each in HISTORIES[1:]
    ]


def profile() -> str:
    """Show what costs more in the old repositories than in the young one."""
    texts = []
    with cloned(YOUNG) as young:
        for history in (OLD, TAGGED):
            with cloned(history) as old:
                texts += [
                    compare(
                        old.guarded, young.guarded, ours=str(history), theirs=str(YOUNG)
                    )
                    for compare in (
                        bump_profile.processes_of,
                        bump_profile.functions_of,
                    )
                ]
    return "\n\n".join(texts)
