import json
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from samples import Sample

EXPECTED = {
    ".gitignore", "commits.json", "diff.patch", "stat.txt", "secrets.json",
    "prompt-commit-messages.md", "prompt-release-notes.md",
}  # fmt: skip


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_bundle_of_a_version_holds_what_it_brought(
    released: Sample, tmp_path: Path
) -> None:
    released.commit(
        "feat(billing)!: charge\n\nWhy not.",
        {"src/my_app/core/billing/a.py": "x = 1\n", "README.md": "x\n"},
    )
    released.push()
    released.bump()
    target = tmp_path / "a bundle"
    ran = released.trunkline("notes", "--bundle", str(target))
    assert ran.code == 0, ran.all
    files = contents(target)
    assert set(files) == EXPECTED
    commits = json.loads(files["commits.json"])
    assert commits[1]["subject"] == "feat(billing)!: charge"
    assert commits[1]["body"] == "Why not."
    keys = {"hash", "author", "date", "subject", "body", "files"}
    assert set(commits[1]) == keys
    assert "README.md" in commits[1]["files"]
    assert "uv.lock: +1 -1, not shown" in files["diff.patch"]
    notes = files["prompt-release-notes.md"]
    assert "### BREAKING CHANGES" in notes
    assert "+x = 1" in notes
    assert "v1.1.0..v2.0.0" in notes
    assert "nothing has changed" in files["prompt-commit-messages.md"]
    assert f"cat {shlex.quote(f'{target}/')}prompt-*.md | llm" in ran.out


def test_the_printed_command_feeds_a_tool(released: Sample, tmp_path: Path) -> None:
    released.write("new.py", "x = 1\n")
    target = tmp_path / "a bundle"
    ran = released.trunkline("notes", "--unreleased", "--bundle", str(target))
    (line,) = [line for line in ran.out.splitlines() if "prompt-*" in line]
    done = released.run("bash", "-c", line.replace("| llm", "| grep -c '^# Task: '"))
    assert done.out == "2\n"


def test_unreleased_takes_the_work_tree_for_the_messages(
    released: Sample, tmp_path: Path
) -> None:
    released.commit("feat: one", {"one.txt": "one\n"})
    released.write("two.txt", "two\n")
    target = tmp_path / "bundle"
    before = released.picture()
    ran = released.trunkline("notes", "--unreleased", "--bundle", str(target), "--json")
    assert released.picture() == before
    data = json.loads(ran.out)
    assert data["version"] == "1.2.0"
    assert data["bundle"]["range"]["name"] == "v1.1.0..HEAD"
    files = contents(target)
    assert sorted(files) == data["bundle"]["files"]
    assert "+two" in files["prompt-commit-messages.md"]
    assert "+one" not in files["prompt-commit-messages.md"]
    assert "+one" in files["prompt-release-notes.md"]
    assert "+two" not in files["prompt-release-notes.md"]


def test_no_secret_is_in_the_bundle_and_their_places_are_listed(
    released: Sample, tmp_path: Path
) -> None:
    key = "ghp_" + "a1B2" * 9
    released.commit(f"feat: one\n\nwith {key}", {"app.py": f'KEY = "{key}"\n'})
    released.write(".env", "DB_PASSWORD=hunter2\n")
    target = tmp_path / "bundle"
    ran = released.trunkline("notes", "--unreleased", "--bundle", str(target))
    said = "secrets masked: 3 (2 key, 1 assignment)"
    assert (ran.code, said in ran.out) == (0, True), ran.all
    assert "app.py (key)" in ran.out
    assert ".env (assignment)" in ran.out
    assert "masking is a help, no promise" in ran.out
    everything = ran.all + "".join(contents(target).values())
    assert key not in everything
    assert "hunter2" not in everything
    assert len(json.loads(contents(target)["secrets.json"])) == 3


def test_a_bundle_never_overwrites(released: Sample, tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    assert released.trunkline("notes", "--bundle", str(target)).code == 0
    before = contents(target)
    ran = released.trunkline("notes", "--bundle", str(target))
    assert ran.code == 1
    assert "refused by rule `folder`" in ran.err
    assert contents(target) == before


def test_git_ignores_a_bundle_wherever_it_is(released: Sample) -> None:
    assert released.trunkline("notes", "--bundle", "notes").code == 0
    assert released.git("status", "--porcelain") == ""


def test_without_the_tag_there_is_no_range(released: Sample, tmp_path: Path) -> None:
    released.git("tag", "-d", "v1.1.0")
    assert released.trunkline("notes").code == 0
    ran = released.trunkline("notes", "--bundle", str(tmp_path / "bundle"))
    assert ran.code == 2
    assert "v1.1.0" in ran.err
    assert not (tmp_path / "bundle").exists()


def test_a_full_disk_leaves_no_bundle(released: Sample, tmp_path: Path) -> None:
    released.write("big.txt", "a line\n" * 10_000)
    target = tmp_path / "out" / "bundle"
    # Blocks of a kibibyte: no file may grow beyond, as on a disk that is full.
    ran = released.run(
        "bash", "-c", 'ulimit -f 16; exec trunkline notes --bundle "$0"', str(target)
    )
    assert ran.code == 1, ran.all
    assert "could not be written: File too large" in ran.err
    assert list(target.parent.iterdir()) == []


@pytest.mark.slow
def test_a_killed_run_leaves_no_half_bundle(released: Sample, tmp_path: Path) -> None:
    for number in range(40):
        released.write(f"f{number}/a.txt", f"{number}\n" * 5_000)
    released.git("add", "-A")
    released.commit("feat: many")
    argv = ["trunkline", "notes", "--unreleased", "--bundle"]
    complete = 0
    for step in range(8):
        target = tmp_path / f"bundle-{step}"
        running = subprocess.Popen(
            [*argv, str(target)],
            cwd=released.root,
            env=released.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(0.4 * step)
        running.send_signal(signal.SIGKILL)
        running.wait()
        if target.exists():
            complete += 1
            assert set(contents(target)) >= EXPECTED
    assert released.trunkline(*argv[1:], str(tmp_path / "last")).code == 0
    assert complete < 8


@pytest.mark.slow
def test_of_two_bundles_at_once_one_is_written(
    released: Sample, tmp_path: Path
) -> None:
    for step in range(5):
        target = tmp_path / f"bundle-{step}"
        both = [
            subprocess.Popen(
                ["trunkline", "notes", "--bundle", str(target)],
                cwd=released.root,
                env=released.env,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(2)
        ]
        assert sorted(one.wait() for one in both) == [0, 1]
        assert set(contents(target)) >= EXPECTED


def test_a_bundle_has_the_files_of_each_commit_and_only_names_tests(
    released: Sample, tmp_path: Path
) -> None:
    files = {"src/one.py": "a = 1\n", "tests/test_one.py": "assert 1\n", "ü.md": "u\n"}
    commit = released.commit("feat: one", files)
    folder = tmp_path / "bundle"
    ran = released.trunkline("notes", "--unreleased", "--bundle", str(folder))
    assert ran.code == 0, ran.all
    rows = json.loads((folder / "commits.json").read_text())
    found = {row["hash"]: row["files"] for row in rows}
    assert sorted(found[commit]) == sorted(files)
    prompt = (folder / "prompt-release-notes.md").read_text()
    assert "tests/test_one.py: +1 -0, a test\n" in prompt
    assert "+assert 1" not in prompt
    assert prompt.index("+a = 1") < prompt.index("tests/test_one.py: +1")
