"""`cz bump` as the history grows, with the guard and without."""

from contextlib import ExitStack
from dataclasses import replace

from benchmarks import releases, traces
from benchmarks.benchmark import Comparison
from benchmarks.histories import History
from benchmarks.samples import added, compared, interleaved

YOUNG = History(commits=100, tags=2)
OLD = History(commits=50_000, tags=1_000)
TAGGED = History(commits=50_000, tags=10_000)
HISTORIES = (YOUNG, History(commits=10_000, tags=200), OLD, TAGGED)


def run(rounds: int) -> list[Comparison]:
    """Release in turns in each history: with the guard, then commitizen alone."""
    with ExitStack() as stack:
        clones = {
            each: stack.enter_context(releases.cloned(each)) for each in HISTORIES
        }
        guarded = {f"guarded {each}": clones[each].guarded.bump for each in HISTORIES}
        alone = {f"alone {each}": clones[each].alone.bump for each in HISTORIES}
        samples = interleaved(rounds, guarded | alone)
    grown = [
        compared(
            f"{what}, {each}",
            "s",
            peer=f"{YOUNG.commits} commits",
            ours=samples[f"{side} {each}"],
            theirs=samples[f"{side} {YOUNG}"],
        )
        for side, what in (("guarded", "cz bump with the guard"), ("alone", "cz alone"))
        for each in (OLD, TAGGED, *HISTORIES[1:-2])
    ]
    return [
        *(replace(each, bounded=each.what.endswith(str(TAGGED))) for each in grown),
        *(
            added(
                f"added by the guard, {each}",
                "s",
                ours=samples[f"guarded {each}"],
                theirs=samples[f"alone {each}"],
            )
            for each in HISTORIES
        ),
    ]


def profile() -> str:
    """Show what costs more in the old repositories than in the young one."""
    peer = f"{YOUNG.commits} commits"
    texts = []
    with releases.cloned(YOUNG) as young:
        for each in (OLD, TAGGED):
            with releases.cloned(each) as old:
                texts += [
                    traces.processes_of(
                        old.guarded, young.guarded, ours=str(each), theirs=peer
                    ),
                    traces.functions_of(
                        old.guarded, young.guarded, ours=str(each), theirs=peer
                    ),
                ]
    return "\n\n".join(texts)
