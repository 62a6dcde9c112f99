"""The `commit-msg` hook, compared with commitizen's own check."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import processes
from benchmarks.harness.benchmark import Comparison, UnavailableError
from benchmarks.harness.processes import PROJECT
from benchmarks.harness.samples import alone, compared, interleaved

HOOK = PROJECT / ".githooks" / "commit-msg"
MESSAGE = (
    "feat(billing): round the last tier half up\n\n"
    "The invoice of a customer was a cent below the sum of its lines.\n"
)
MILLISECONDS = 1000


def run(rounds: int) -> list[Comparison]:
    """Check one good message in turns."""
    if not HOOK.is_file():
        raise UnavailableError(f"found no {HOOK.relative_to(PROJECT)}")
    with TemporaryDirectory(prefix="benchmark-") as folder:
        file = Path(folder, "COMMIT_EDITMSG")
        file.write_text(MESSAGE, encoding="utf-8")
        check = (processes.TOOLS / "cz", "check", "--commit-msg-file", file)
        samples = interleaved(
            rounds,
            {
                "ours": partial(milliseconds, HOOK, file),
                "cz check": partial(milliseconds, *check),
            },
        )
    ours, theirs = samples["ours"], samples["cz check"]
    return [
        alone("the commit-msg hook", "ms", ours),
        compared("the same", "ms", peer="cz check", ours=ours, theirs=theirs),
    ]


def milliseconds(*command: str | Path) -> float:
    """Return the time that a command takes."""
    return processes.seconds_of(command) * MILLISECONDS
