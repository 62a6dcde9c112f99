import os
import stat
from pathlib import Path

from samples import BIN, Sample


def test_a_bump_is_one_commit_with_an_annotated_tag(sample: Sample) -> None:
    sample.commit("feat: log in")
    ran = sample.cz("bump", "--yes")
    assert ran.code == 0, ran.all
    assert sample.version == "0.1.0"
    assert sample.git("cat-file", "-t", "v0.1.0") == "tag"
    files = sample.git("show", "--name-only", "--format=", "HEAD").splitlines()
    assert files == ["CHANGELOG.md", "pyproject.toml", "uv.lock"]
    assert sample.run("uv", "lock", "--check", "--offline").code == 0


def test_a_breaking_change_at_zero_stays_at_zero(sample: Sample) -> None:
    sample.commit("feat: log in")
    sample.bump()
    sample.commit("feat!: log in by key")
    sample.bump()
    assert sample.version == "0.2.0"
    assert "### BREAKING CHANGES\n\n- log in by key" in sample.read("CHANGELOG.md")


def test_leaving_zero_needs_the_key_gone(sample: Sample) -> None:
    sample.commit("feat: log in")
    before = sample.picture()
    ran = sample.cz("bump", "--yes", "1.0.0")
    assert "rule `major-version-zero`" in ran.err
    assert sample.picture() == before
    fix = next(line for line in ran.err.splitlines() if "type next: " in line)
    assert sample.run("sh", "-c", fix.partition("type next: ")[2]).code == 0
    ran = sample.cz("bump", "--yes", "1.0.0")
    assert (ran.code, sample.version) == (0, "1.0.0")


def test_all_broken_rules_are_named_with_what_fixes_them(released: Sample) -> None:
    released.commit("feat: log out")
    released.git("checkout", "-q", "-b", "feat/x")
    released.write("notes.txt", "mine")
    ran = released.cz("bump", "--yes")
    assert "rule `branch`" in ran.err
    assert "rule `clean`" in ran.err
    assert "type next: git switch main" in ran.err
    assert "CHANGELOG.md: restored" in ran.err


def test_a_changelog_that_the_bump_made_is_removed(released: Sample) -> None:
    released.git("rm", "-q", "CHANGELOG.md")
    released.commit("feat: log out")
    released.write("notes.txt", "mine")
    before = released.picture()
    assert "rule `clean`" in released.cz("bump", "--yes").err
    assert released.picture() == before


def test_line_ends_and_permissions_come_back(released: Sample) -> None:
    for name in ("CHANGELOG.md", "pyproject.toml"):
        text = released.read(name).replace("\n", "\r\n")
        (released.root / name).write_bytes(text.encode())
    os.chmod(released.root / "uv.lock", 0o755)  # noqa: S103 - to be kept
    released.git("commit", "-q", "-a", "-m", "feat: another system")
    released.write("notes.txt", "mine")
    before = released.picture()
    assert "rule `clean`" in released.cz("bump", "--yes").err
    assert released.picture() == before
    assert stat.S_IMODE((released.root / "uv.lock").stat().st_mode) == 0o755


def test_edits_of_the_user_survive_in_each_file(released: Sample) -> None:
    released.commit("feat: log out")
    for name in ("pyproject.toml", "uv.lock"):
        released.write(name, released.read(name) + "# mine\n")
    text = released.read("CHANGELOG.md").replace("- begin", "- begin, mine")
    released.write("CHANGELOG.md", text)
    released.git("add", "uv.lock")
    before = released.picture()
    ran = released.cz("bump", "--yes")
    assert ran.err.count(": restored") == 3
    assert released.picture() == before


def test_the_hook_is_found_where_cz_is_started_by_its_path(released: Sample) -> None:
    released.commit("feat: log out")
    tools = released.root / ".venv/bin"
    tools.mkdir(parents=True)
    (tools / "trunkline").symlink_to(BIN / "trunkline")
    path = os.pathsep.join(p for p in os.environ["PATH"].split(":") if Path(p) != BIN)
    ran = released.run(str(BIN / "cz"), "bump", "--yes", PATH=path)
    assert (ran.code, released.version) == (0, "1.2.0"), ran.all


def test_by_hand_it_looks_at_the_repository(released: Sample) -> None:
    ran = released.trunkline("guard")
    assert (ran.code, "nothing prevents" in ran.out) == (0, True)
    released.write("notes.txt", "mine")
    ran = released.trunkline("guard")
    assert (ran.code, "rule `clean`" in ran.err) == (1, True)


def test_the_tags_are_not_listed_where_that_of_the_version_is_here(
    released: Sample, tmp_path: Path
) -> None:
    released.commit("feat: log out")
    trace = tmp_path / "trace"
    assert released.trunkline("guard", GIT_TRACE=str(trace)).code == 0
    assert "cat-file" in trace.read_text()
    assert "for-each-ref" not in trace.read_text()


def test_a_bump_without_the_plugin_is_refused_and_undone(released: Sample) -> None:
    released.commit("feat: log out")
    text = released.read("pyproject.toml")
    other = text.replace('name = "trunkline"', 'name = "cz_conventional_commits"')
    released.commit("chore: configure", {"pyproject.toml": other})
    before = released.picture()
    ran = released.cz("bump", "--yes")
    assert "rule `commitizen`" in ran.err
    assert released.picture() == before
    fix = next(line for line in ran.err.splitlines() if "type next: " in line)
    assert released.run("sh", "-c", fix.partition("type next: ")[2]).code == 0
    assert released.read("pyproject.toml") == text
