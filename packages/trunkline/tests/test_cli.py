import errno
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from samples import Sample
from trunkline import cli, commands
from trunkline.errors import FailedError
from trunkline.options import command, interface


@command()
def fail() -> int:
    raise FailedError("it was found broken")


@command()
def break_down() -> int:
    raise ZeroDivisionError("oh")


@command()
def fill_the_disk() -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


@command()
def open_what_is_forbidden() -> int:
    raise PermissionError(errno.EACCES, "Permission denied", "/srv/a b/live")


@command()
def write_where_nobody_can() -> int:
    raise OSError(errno.EROFS, "Read-only file system", "/srv/live")


@command()
def interrupt() -> int:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("function", "code", "says"),
    [
        (fail, 1, "trunkline: it was found broken"),
        (break_down, 3, "this is a bug: ZeroDivisionError: oh"),
        (fill_the_disk, 1, "the disk is full: [Errno 28] No space left on device"),
        (open_what_is_forbidden, 1, "type next: ls -ld '/srv/a b/live'"),
        (write_where_nobody_can, 1, "read-only file system: /srv/live"),
        (interrupt, 130, "interrupted"),
    ],
)
def test_an_outcome_becomes_an_exit_code(
    function: Callable[[], int],
    code: int,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["guard"], load=lambda _: function) == code
    assert says in capsys.readouterr().err


def test_a_bug_saves_its_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cli.main(["guard"], load=lambda _: break_down)
    (report,) = tmp_path.iterdir()
    assert str(report) in capsys.readouterr().err
    assert "Traceback" in report.read_text()


def test_an_unknown_command_is_a_usage_error_that_names_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["flag"]) == 2
    assert "no command `flag`; did you mean `flags`?" in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["guard", "--nonsense"])
    assert stopped.value.code == 2


@pytest.mark.parametrize("name", sorted(commands.SUMMARIES))
def test_a_command_takes_the_options_that_it_declares(name: str) -> None:
    function = commands.load(name)
    required = {
        "template": ["new"],
        "feature": ["customers"],
        "deploy": ["main", "--to", "staging"],
        **{
            key: ["staging", "--desk=https://desk.example/shop"]
            for key in ("reserve", "release-env")
        },
        **{key: ["staging"] for key in ("rollback", "status", "history", "accept")},
    }
    values = cli.parse(name, function, required.get(name, []))
    assert values.keys() == inspect.signature(function).parameters.keys()


@pytest.mark.parametrize("name", sorted(commands.SUMMARIES))
def test_every_help_text_is_a_phrase(name: str) -> None:
    texts = [
        option.settings["help"] for option in interface(commands.load(name)).options
    ]
    for text in texts:
        assert len(text) > 4
        assert not text.endswith(".")


def test_the_help_page_fits_a_terminal() -> None:
    page = cli.help_page()
    assert max(map(len, page.splitlines())) <= 80
    assert all(f"  {name} " in page for name in commands.SUMMARIES)


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
        "argparse",
        "subprocess",
        "tomllib",
    }


def test_an_option_that_makes_no_release_is_refused(sample: Sample) -> None:
    ran = sample.trunkline("release", "--get-next")
    assert (ran.code, "use --dry-run" in ran.err) == (2, True)


def test_outside_a_repository_it_says_so(sample: Sample) -> None:
    ran = sample.run("sh", "-c", "cd .. && trunkline guard")
    assert (ran.code, "is not in a git repository" in ran.err) == (2, True)


def test_in_a_repository_of_somebody_else_git_says_what_to_type(sample: Sample) -> None:
    ran = sample.run("trunkline", "guard", GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert (ran.code, "git config --global --add safe.dir" in ran.err) == (2, True)
