"""From saving a file to an answer of the new code, through `fastapi dev`."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

from benchmarks.harness import checkouts, processes, profiles
from benchmarks.harness.benchmark import Comparison
from benchmarks.harness.samples import compared, interleaved

MAIN = Path("src", "my_app", "main.py")
BARE = "from fastapi import FastAPI\n\napp = FastAPI()\n"
# Long enough for the watcher to have noticed the previous save.
SETTLE_SECONDS = 0.5


class Loop:
    """One `fastapi dev` and the file that is saved."""

    def __init__(self, file: Path, source: str) -> None:
        self.file = file
        self.source = source
        self.port = processes.free_port()
        self.numbers = count(1)
        self.process: Popen[bytes]

    def save(self) -> bytes:
        """Save the file with a new answer, and return that answer."""
        number = next(self.numbers)
        # The length changes too, because bytecode is checked by length and second.
        self.file.write_text(
            f"{self.source}\n\n@app.get('/benchmark')\ndef benchmark() -> int:\n"
            f"    return {number}  # {'.' * number}\n",
            encoding="utf-8",
        )
        return str(number).encode()

    def seconds(self) -> float:
        """Return the time from a save to its answer."""
        sleep(SETTLE_SECONDS)
        answer = self.save()
        begun = perf_counter()
        processes.wait_for(self.process, self.port, "/benchmark", body=answer)
        return perf_counter() - begun


def run(rounds: int) -> list[Comparison]:
    """Save both applications in turns."""
    with ExitStack() as stack:
        copy = stack.enter_context(checkouts.development())
        bare = Path(stack.enter_context(TemporaryDirectory())) / "main.py"
        source = (copy / MAIN).read_text(encoding="utf-8")
        ours = stack.enter_context(looping(copy, copy, Loop(copy / MAIN, source)))
        theirs = stack.enter_context(looping(copy, bare.parent, Loop(bare, BARE)))
        samples = interleaved(rounds, {"ours": ours.seconds, "theirs": theirs.seconds})
    return [
        compared(
            "save to answer, fastapi dev",
            "s",
            peer="bare app",
            ours=samples["ours"],
            theirs=samples["theirs"],
        )
    ]


@contextmanager
def looping(copy: Path, cwd: Path, loop: Loop) -> Iterator[Loop]:
    """Run `fastapi dev` of the copy's environment in a folder."""
    answer = loop.save()
    file = loop.file.relative_to(cwd)
    command = (copy / ".venv/bin/fastapi", "dev", file, "--port", str(loop.port))
    with processes.started(command, cwd=cwd) as loop.process:
        processes.wait_for(loop.process, loop.port, "/benchmark", body=answer)
        yield loop


def profile() -> str:
    """Show what is imported after a save, which is most of a reload."""
    with checkouts.development() as copy:
        return profiles.imports(
            copy / ".venv/bin/python",
            ours="import fastapi_cli.cli, uvicorn, my_app.main",
            theirs="import fastapi_cli.cli, uvicorn, fastapi",
            env=processes.environment(),
            cwd=copy,
        )
