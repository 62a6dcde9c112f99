import os
from pathlib import Path

import pytest

from samples import Sample
from trunkline.commits.history import release_range
from trunkline.git import Repository
from trunkline.notes.masking import MaskedSecret
from trunkline.notes.patches import MaskedDiff, read_diff, working_tree
from trunkline.versions import Version


def uncommitted(sample: Sample) -> MaskedDiff:
    repository = Repository.find(sample.root)
    return read_diff(repository, "HEAD", working_tree(repository))


def texts(diff: MaskedDiff) -> dict[str, str]:
    return {file.path: file.text for file in diff.files}


def test_the_work_tree_is_read_with_new_files_and_left_as_it_is(sample: Sample) -> None:
    sample.commit("feat: a", {"a.txt": "1\n", "gone.txt": "x\n"})
    sample.write("a.txt", "2\n")
    sample.write("new.txt", "new\n")
    sample.write("staged.txt", "s\n")
    sample.git("add", "staged.txt")
    (sample.root / "gone.txt").unlink()
    before = sample.picture(), sample.git("status", "--porcelain")
    found = texts(uncommitted(sample))
    assert (sample.picture(), sample.git("status", "--porcelain")) == before
    assert sorted(found) == ["a.txt", "gone.txt", "new.txt", "staged.txt"]
    assert "-1\n+2\n" in found["a.txt"]
    assert "+new\n" in found["new.txt"]


def test_a_lock_file_a_binary_and_a_huge_file_are_one_line_each(sample: Sample) -> None:
    text = sample.read("uv.lock").replace('version = "0.0.0"', 'version = "0.1.0"')
    sample.write("uv.lock", text)
    (sample.root / "logo.png").write_bytes(b"\0" * 99)
    sample.write("huge.sql", "x\n" * 30_000)
    found = texts(uncommitted(sample))
    assert found == {
        "huge.sql": "huge.sql: +30000 -0, not shown\n",
        "logo.png": "logo.png: binary, changed\n",
        "uv.lock": "uv.lock: +1 -1, not shown\n",
    }


STRANGE = ['q"t\ta.txt', "ümlaut and space.txt", "-rf", "*", ":x"]


def test_any_name_and_any_change_can_be_read(sample: Sample) -> None:
    body = "".join(f"line {n}\n" for n in range(20))
    names = dict.fromkeys(STRANGE, body)
    for name, text in {**names, "moved.txt": body + "x\n", "mode": "x\n"}.items():
        sample.write(name, text)
    sample.write("link", "x\n")
    sample.git("add", "-A")
    sample.commit("feat: a")
    for name in STRANGE:
        sample.write(name, body.replace("line 9\n", "--- a\n+++ b\n\x0cform\rfeed\n"))
    (sample.root / "moved.txt").rename(sample.root / "there.txt")
    (sample.root / "mode").chmod(0o755)
    (sample.root / "link").unlink()
    os.symlink("a", sample.root / "link")
    (sample.root / "latin.txt").write_bytes("Grüße".encode("latin-1"))
    sample.git("add", "-A")
    sample.git("config", "diff.noprefix", "true")
    sample.git("config", "diff.context", "0")
    sample.git("config", "color.ui", "always")
    sample.git("config", "diff.external", "false")
    found = texts(uncommitted(sample))
    assert sorted(found) == sorted([*STRANGE, "there.txt", "mode", "link", "latin.txt"])
    for name in STRANGE:
        assert "+--- a\n++++ b\n" in found[name]
    assert "rename from moved.txt" in found["there.txt"]
    assert "new mode 100755" in found["mode"]


def test_a_conflict_can_be_read(sample: Sample) -> None:
    sample.commit("feat: a", {"a.txt": "1\n"})
    sample.git("switch", "-q", "-c", "other", "HEAD~1")
    sample.commit("feat: b", {"a.txt": "2\n"})
    assert sample.run("git", "merge", "-q", "main").code == 1
    assert "a.txt" in texts(uncommitted(sample))


def test_a_secret_is_masked_and_reported_by_file_and_kind(sample: Sample) -> None:
    sample.commit("feat: a", {"app.py": "a\nb\nc\npassword = 'hunter2'\n"})
    sample.write("app.py", "a\nb\nc\nd\n")
    sample.write(".env", "X=1\nDB_PASSWORD=hunter3\n")
    diff = uncommitted(sample)
    assert diff.secrets == (
        MaskedSecret(".env", "assignment"),
        MaskedSecret("app.py", "assignment"),
    )
    assert "hunter" not in "".join(texts(diff).values())


def test_a_secret_that_git_repeats_in_a_heading_is_left_out(sample: Sample) -> None:
    body = "".join(f"line {number}\n" for number in range(9))
    sample.commit("feat: a", {"app.py": f"password = 'hunter2'\n{body}"})
    sample.write("app.py", f"password = 'hunter2'\n{body}more\n")
    (patch,) = uncommitted(sample).files
    assert "+more" in patch.text
    assert "hunter" not in patch.text


def test_a_long_line_is_masked_before_it_is_cut(sample: Sample) -> None:
    key = "ghp_" + "a1B2" * 9
    sample.write("min.js", "x" * 1_980 + " " + key + " " + "y" * 90_000)
    (part,) = uncommitted(sample).files
    assert "ghp_" not in part.text
    assert "[cut]" in part.text
    assert len(part.text) < 3_000


def test_a_release_is_compared_with_its_ancestor(released: Sample) -> None:
    released.git("switch", "-q", "-c", "hotfix/v1.0.1", "v1.0.0")
    released.commit("fix: old line", {"fix.txt": "x\n"})
    released.push()
    released.bump("--increment", "PATCH")
    released.git("switch", "-q", "main")
    released.commit("feat: new line", {"new.txt": "x\n"})
    released.push()
    released.bump()
    repository = Repository.find(released.root)
    names = {
        tag: release_range(repository, Version.from_tag(tag)).name
        for tag in ("v1.0.1", "v1.1.0", "v1.2.0")
    }
    assert names == {
        "v1.0.1": "v1.0.0..v1.0.1",
        "v1.1.0": "v1.0.0..v1.1.0",
        "v1.2.0": "v1.1.0..v1.2.0",
    }
    span = release_range(repository, None)
    assert read_diff(repository, span.start, span.end).files == ()


def test_a_first_release_is_compared_with_nothing(sample: Sample) -> None:
    head = sample.git("rev-parse", "HEAD")
    found = texts(read_diff(Repository.find(sample.root), None, head))
    assert "pyproject.toml" in found


def test_the_folder_where_it_is_run_does_not_matter(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample.write("deep/a.txt", "1\n")
    sample.write("b.txt", "1\n")
    monkeypatch.chdir(sample.root / "deep")
    repository = Repository.find(Path.cwd())
    found = texts(read_diff(repository, "HEAD", working_tree(repository)))
    assert sorted(found) == ["b.txt", "deep/a.txt"]
