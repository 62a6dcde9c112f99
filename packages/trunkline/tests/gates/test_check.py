import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest

from samples import Sample

ALL_OFF = "".join(
    f"{name} = false\n"
    for name in ("format", "lint", "types", "imports", "tests", "coverage", "audit")
)


def with_gates(sample: Sample, **commands: str) -> None:
    """Give the sample these gates and no others."""
    tables = "".join(
        f"[tool.trunkline.gates.{name}]\ncommand = {json.dumps(command)}\n"
        for name, command in commands.items()
    )
    text = sample.read("pyproject.toml")
    sample.write("pyproject.toml", f"{text}\n[tool.trunkline.gates]\n{ALL_OFF}{tables}")


def test_every_gate_has_a_line_with_its_time_and_last_output(sample: Sample) -> None:
    with_gates(sample, first="echo all well", second="true")
    ran = sample.trunkline("check")
    assert ran.code == 0, ran.all
    assert [line.split()[:2] for line in ran.out.splitlines()[:2]] == [
        ["first", "passed"],
        ["second", "passed"],
    ]
    assert ran.out.splitlines()[0].endswith("all well")
    assert ran.out.splitlines()[1].endswith(" s")
    assert "2 of 2 gates passed" in ran.out


def test_a_long_name_is_written_once(sample: Sample) -> None:
    with_gates(sample, **{"with-the-previous-release": "true"})
    first = sample.trunkline("check").out.splitlines()[0]
    assert first.split()[:2] == ["with-the-previous-release", "passed"]


def test_the_first_failure_shows_its_own_output_and_ends_the_run(
    sample: Sample,
) -> None:
    with_gates(sample, good="true", bad="ls /nowhere", later="touch ran")
    ran = sample.trunkline("check")
    assert ran.code == 1
    assert "No such file or directory" in ran.out
    assert "failed: bad; not run: later" in ran.out
    assert "uv run trunkline check --only bad" in ran.out
    assert not (sample.root / "ran").exists()


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--strict"], 1)])
def test_not_checked_is_never_passed(
    sample: Sample, options: list[str], code: int
) -> None:
    with_gates(sample, service="sh -c 'echo away; exit 75'")
    ran = sample.trunkline("check", *options)
    assert ran.code == code
    assert "0 of 1 gates passed" in ran.out
    assert "NOT CHECKED: service" in ran.out
    assert "away" in ran.out


def test_a_machine_reads_results_and_the_list(sample: Sample) -> None:
    with_gates(sample, good="echo well", bad="false", later="true")
    ran = sample.trunkline("check", "--json")
    assert ran.code == 1
    gates = json.loads(ran.out)["gates"]
    assert [gate["outcome"] for gate in gates] == ["passed", "failed", "not run"]
    assert gates[0]["output"] == "well"
    listed = json.loads(sample.trunkline("check", "--list", "--json").out)
    assert [gate["command"] for gate in listed] == [
        ["echo", "well"],
        ["false"],
        ["true"],
    ]


def test_fix_fixes_what_ruff_can_fix_and_then_checks(sample: Sample) -> None:
    text = "import sys\nimport os\nprint( os.name,sys.path )\n"
    sample.write("app.py", text)
    only = ("check", "--only", "format", "--only", "lint")
    sample.write("ruff.toml", 'lint.select = ["I"]\n')
    assert sample.trunkline(*only).code == 1
    assert sample.read("app.py") == text
    ran = sample.trunkline(*only, "--fix")
    assert ran.code == 0, ran.all
    assert "print(os.name, sys.path)" in sample.read("app.py")


def test_a_program_that_is_not_there_is_named(sample: Sample) -> None:
    with_gates(sample, ghost="no-such-program --now")
    ran = sample.trunkline("check")
    assert ran.code == 1
    assert "`no-such-program` cannot be started" in ran.out
    assert "type next: uv sync" in ran.out


def test_a_gate_gets_the_files_that_match(sample: Sample) -> None:
    with_gates(sample, scripts="echo")
    text = sample.read("pyproject.toml")
    sample.write("pyproject.toml", f'{text}files = ["*.sh", "bin/*"]\n')
    sample.write(".gitignore", "ignored.sh\n")
    for name in ("a b.sh", "deep/c.sh", "bin/tool", "ignored.sh", "gone.sh"):
        sample.write(name, "")
    sample.git("add", "-A")
    (sample.root / "gone.sh").unlink()
    ran = sample.trunkline("check", "--json")
    assert json.loads(ran.out)["gates"][0]["output"] == "a b.sh bin/tool deep/c.sh"


def test_a_gate_whose_files_are_not_there_passes(sample: Sample) -> None:
    with_gates(sample, scripts="false")
    text = sample.read("pyproject.toml")
    sample.write("pyproject.toml", f'{text}files = ["*.sh"]\n')
    ran = sample.trunkline("check")
    assert ran.code == 0, ran.all
    assert ran.out.splitlines()[0].endswith("no file matches")


def test_a_group_that_cannot_be_installed_is_not_checked(sample: Sample) -> None:
    with_gates(sample, linter="true")
    text = sample.read("pyproject.toml")
    sample.write("pyproject.toml", f'{text}group = "linters"\n')
    ran = sample.trunkline("check", "--strict")
    assert ran.code == 1, ran.all
    assert "NOT CHECKED: linter" in ran.out
    assert "dependency group `linters` cannot be installed: " in ran.out


def test_a_hook_without_the_environment_on_its_path_finds_the_programs(
    sample: Sample,
) -> None:
    where = sample.run("sh", "-c", "command -v trunkline").out.strip()
    path = os.pathsep.join(
        str(Path(sample.run("sh", "-c", f"command -v {name}").out.strip()).parent)
        for name in ("git", "sh")
    )
    ran = sample.run(where, "check", "--only", "format", PATH=path)
    assert ran.code == 0, ran.all


def test_shell_syntax_is_only_an_argument(sample: Sample) -> None:
    with_gates(sample, echo="echo $(touch ran) `touch ran` ;touch ran")
    assert sample.trunkline("check").code == 0
    assert not (sample.root / "ran").exists()


def test_an_unknown_key_is_a_usage_error(sample: Sample) -> None:
    with_gates(sample, good="true")
    text = sample.read("pyproject.toml")
    sample.write("pyproject.toml", f"{text}tiemout = 3\n")
    ran = sample.trunkline("check")
    assert ran.code == 2
    assert "unknown key `tiemout`" in ran.err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_gate_with_its_children(
    sample: Sample, number: signal.Signals
) -> None:
    script = "sh -c 'sleep 60 & echo $! > child; wait'"
    with_gates(sample, slow=script)
    process = subprocess.Popen(
        ["trunkline", "check"],
        cwd=sample.root,
        env=sample.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    child = sample.root / "child"
    while not (child.exists() and child.read_text()):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    try:
        _, err = process.communicate(timeout=600)
    finally:
        process.kill()
    assert process.returncode == 130
    assert b"interrupted" in err
    assert not lives(int(child.read_text()))


def lives(pid: int) -> bool:
    """Tell whether a process is there and no zombie that nobody has waited for."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_terminal_shows_what_runs_and_for_how_long(sample: Sample) -> None:
    with_gates(sample, slow="sleep 0.5")
    leader, follower = pty.openpty()
    ran = subprocess.run(
        ["trunkline", "check"],
        cwd=sample.root,
        env=sample.env,
        stdout=follower,
        check=False,
        timeout=600,
    )
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert ran.returncode == 0
    assert "slow         …" in shown
    assert "\x1b[32mpassed\x1b[0m" in shown
