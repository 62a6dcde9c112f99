"""What an update does with every kind of difference, on small repositories."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samples import Sample, environment, identify
from trunkline.git import Repository
from trunkline.template.merge import MergeResult, merge
from trunkline.template.render import ServiceFile
from trunkline.template.trees import MergeSides, drop_commits, write_commits

LONG = "".join(f"line {number}\n" for number in range(30))
BASE = {
    "a.py": LONG,
    "b.md": "one\n",
    "old/c.py": LONG + "c\n",
    "old/d.py": LONG + "d\n",
}


@pytest.fixture
def team(tmp_path: Path) -> Sample:
    """A repository with the base in it."""
    sample = Sample(tmp_path, tmp_path, environment(tmp_path))
    sample.git("init", "-q", "-b", "main")
    identify(sample, "team")
    sample.commit("feat: begin", BASE)
    return sample


def merged(team: Sample, theirs: dict[str, str]) -> tuple[MergeResult, dict[str, str]]:
    """Merge the team's HEAD with a later template; returns the resulting files."""
    repository = Repository.find(team.root)
    base, new = (
        {path: ServiceFile(text.encode()) for path, text in files.items()}
        for files in (BASE, theirs)
    )
    names = write_commits(repository, MergeSides(base, None, new, "v2.0.0"))
    result = merge(repository, *names)
    drop_commits(repository)
    listed = team.git("ls-tree", "-r", "-z", "--name-only", result.tree)
    paths = listed.strip("\0").split("\0")
    return result, {path: team.git("show", f"{result.tree}:{path}") for path in paths}


def changed(**changes: str | None) -> dict[str, str]:
    """Change files of the base, or take them out; a__b_c stands for a/b.c."""
    named = {
        path.replace("__", "/").replace("_", "."): text
        for path, text in changes.items()
    }
    whole = {**BASE, **named}
    return {path: text for path, text in whole.items() if text is not None}


def lists(result: MergeResult) -> tuple[list[str], tuple[str, ...], tuple[str, ...]]:
    return result.conflicts, tuple(result.kept), tuple(result.gone)


def test_what_only_the_template_changed_is_taken(team: Sample) -> None:
    result, files = merged(team, changed(b_md="two\n", new_md="new\n"))
    assert (files["b.md"], files["new.md"]) == ("two", "new")
    assert lists(result) == ([], (), ())


def test_what_only_the_team_changed_stays(team: Sample) -> None:
    team.commit("feat: ours", {"b.md": "ours\n", "ours.md": "ours\n"})
    result, files = merged(team, changed())
    assert (files["b.md"], files["ours.md"]) == ("ours", "ours")
    assert lists(result) == ([], (), ())


def test_the_same_line_changed_by_both_is_a_conflict_with_all_three(
    team: Sample,
) -> None:
    team.commit("feat: ours", {"b.md": "ours\n"})
    result, files = merged(team, changed(b_md="theirs\n"))
    assert lists(result) == (["b.md"], (), ())
    assert [stage.number for stage in result.stages] == [1, 2, 3]
    for text in ("<<<<<<< template/yours", "one", "theirs", ">>>>>>> template/v2.0.0"):
        assert text in files["b.md"]


def test_an_edit_follows_a_file_that_the_template_renames(team: Sample) -> None:
    team.commit("feat: ours", {"a.py": f"{LONG}ours\n"})
    result, files = merged(team, changed(a_py=None, z_py=f"theirs\n{LONG}"))
    assert "a.py" not in files
    assert files["z.py"] == f"theirs\n{LONG}ours"
    assert lists(result) == ([], (), ())


def test_a_file_of_the_team_follows_a_folder_that_the_template_renames(
    team: Sample,
) -> None:
    team.commit("feat: ours", {"old/ours.py": "ours\n"})
    moved = {"new/c.py": BASE["old/c.py"], "new/d.py": BASE["old/d.py"]}
    theirs = {**changed(old__c_py=None, old__d_py=None), **moved}
    result, files = merged(team, theirs)
    assert files["new/ours.py"] == "ours"
    assert result.conflicts == []


def test_what_the_template_dropped_and_the_team_changed_is_kept_and_listed(
    team: Sample,
) -> None:
    team.commit("feat: ours", {"b.md": "ours\n"})
    result, files = merged(team, changed(b_md=None))
    assert files["b.md"] == "ours"
    assert lists(result) == ([], ("b.md",), ())


def test_what_the_template_dropped_and_the_team_renamed_is_kept_and_listed(
    team: Sample,
) -> None:
    team.git("mv", "a.py", "ours.py")
    team.git("commit", "-q", "-m", "feat: ours")
    result, files = merged(team, changed(a_py=None))
    assert files["ours.py"] == LONG.strip()
    assert lists(result) == ([], ("ours.py",), ())


def test_what_nobody_changed_and_the_template_dropped_goes(team: Sample) -> None:
    result, files = merged(team, changed(b_md=None))
    assert "b.md" not in files
    assert lists(result) == ([], (), ())


@pytest.mark.parametrize("theirs", [changed(b_md="two\n"), changed()])
def test_what_the_team_deleted_stays_deleted(
    team: Sample, theirs: dict[str, str]
) -> None:
    team.git("rm", "-q", "b.md")
    team.git("commit", "-q", "-m", "feat: ours")
    result, files = merged(team, theirs)
    assert "b.md" not in files
    assert lists(result) == ([], (), ("b.md",) if theirs["b.md"] == "two\n" else ())


def test_what_the_team_deleted_stays_deleted_under_its_new_name(team: Sample) -> None:
    team.git("rm", "-q", "a.py")
    team.git("commit", "-q", "-m", "feat: ours")
    result, files = merged(team, changed(a_py=None, z_py=f"theirs\n{LONG}"))
    assert "z.py" not in files
    assert lists(result) == ([], (), ("z.py",))


def test_a_file_that_both_added_is_a_conflict(team: Sample) -> None:
    team.commit("feat: ours", {"new.md": "ours\n"})
    result, files = merged(team, changed(new_md="theirs\n"))
    assert result.conflicts == ["new.md"]
    assert "ours" in files["new.md"]
    assert "theirs" in files["new.md"]


def test_one_file_renamed_in_two_ways_is_a_conflict_and_both_are_there(
    team: Sample,
) -> None:
    team.git("mv", "a.py", "ours.py")
    team.git("commit", "-q", "-m", "feat: ours")
    result, files = merged(team, changed(a_py=None, z_py=LONG))
    assert {"ours.py", "z.py"} <= files.keys()
    assert {"ours.py", "z.py"} <= set(result.conflicts)


def test_odd_names_and_bytes_come_through(team: Sample) -> None:
    odd = {'with "quotes".md': "q\n", "ü ß.md": "u\n", "back\\slash": "b\n"}
    _, files = merged(team, {**BASE, **odd})
    assert {path: f"{files[path]}\n" for path in odd} == odd


ACTIONS = st.sampled_from(["leave", "head", "tail", "delete", "rename", "both"])


def act(files: dict[str, str], path: str, action: str, word: str) -> None:
    """Do something to one file; each word is written once."""
    if action == "head":
        files[path] = f"{word}\n{files[path]}"
    elif action == "tail":
        files[path] += f"{word}\n"
    elif action != "leave":
        text = files.pop(path)
        if action != "delete":
            files[f"{word}/{path}"] = text + (f"{word}\n" if action == "both" else "")


@pytest.mark.slow
@given(st.lists(st.tuples(ACTIONS, ACTIONS), min_size=4, max_size=4))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_word_of_the_team_vanishes(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("team")
    sample = Sample(folder, folder, environment(folder))
    sample.git("init", "-q", "-b", "main")
    identify(sample, "team")
    ours, theirs = dict(BASE), dict(BASE)
    for number, (path, (mine, other)) in enumerate(zip(BASE, actions, strict=True)):
        act(ours, path, mine, f"mine{number}")
        act(theirs, path, other, f"theirs{number}")
    sample.commit("feat: ours", ours)
    words = set(re.findall(r"mine\d", "".join(ours.values())))

    _, files = merged(sample, theirs)

    assert words <= set(re.findall(r"mine\d", "".join(files.values())))
