import errno
import subprocess
import sys
from pathlib import Path

import pytest

from samples import Sample
from trunkline import cli
from trunkline.commands import COMMANDS, Command
from trunkline.errors import FailedError


def command(target: str) -> tuple[Command, ...]:
    return (Command("do", "does it", f"{__name__}:{target}"),)


def fail() -> int:
    raise FailedError("it was found broken")


def break_down() -> int:
    raise ZeroDivisionError("oh")


def fill_the_disk() -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupt() -> int:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("target", "code", "says"),
    [
        ("fail", 1, "trunkline: it was found broken"),
        ("break_down", 3, "this is a bug: ZeroDivisionError: oh"),
        ("fill_the_disk", 1, "a disk is full: [Errno 28] No space left on device"),
        ("interrupt", 130, "interrupted"),
    ],
)
def test_an_end_becomes_an_exit_code(
    target: str,
    code: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cli, "COMMANDS", command(target))
    assert cli.main(["do"]) == code
    assert says in capsys.readouterr().err


def test_a_bug_saves_its_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(cli, "COMMANDS", command("break_down"))
    cli.main(["do"])
    (report,) = tmp_path.iterdir()
    assert str(report) in capsys.readouterr().err
    assert "Traceback" in report.read_text()


@pytest.mark.parametrize("arguments", [["nonsense"], ["guard", "--nonsense"]])
def test_what_is_not_known_is_a_usage_error(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_can_be_loaded(entry: Command) -> None:
    assert callable(cli.load(entry.target))


def test_help_imports_no_command() -> None:
    code = "import sys; from trunkline.cli import main; main([]); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.split())
    assert "trunkline.commands" in modules
    assert not modules & {
        "trunkline.git",
        "trunkline.releases.guard",
        "subprocess",
        "tomllib",
    }


def test_an_option_that_makes_no_release_is_refused(sample: Sample) -> None:
    ran = sample.trunkline("release", "--get-next")
    assert (ran.code, "use --dry-run" in ran.err) == (2, True)


def test_outside_a_repository_it_says_so(sample: Sample) -> None:
    ran = sample.run("sh", "-c", "cd .. && trunkline guard")
    assert (ran.code, "is in no git work tree" in ran.err) == (2, True)
