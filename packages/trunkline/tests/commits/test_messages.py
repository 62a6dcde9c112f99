import pytest

from samples import Sample


def test_the_commits_and_the_title_of_a_pull_request_are_checked_together(
    sample: Sample,
) -> None:
    sample.git("switch", "-q", "-c", "feat/login")
    sample.commit("feat: add login")
    bad = sample.commit("Add a button")
    ran = sample.trunkline(
        "commits", "--range", "main..HEAD", "--title-env", "TITLE", TITLE="wip"
    )
    assert ran.code == 1
    assert f"commit {bad[:12]} refused by rule `schema`" in ran.err
    assert "found:     Add a button" in ran.err
    assert "type next: git commit --amend" in ran.err
    assert "title refused" in ran.err
    assert "3 checked: 2 to fix" in ran.err


def test_without_arguments_the_commits_that_the_trunk_lacks_are_checked(
    sample: Sample,
) -> None:
    sample.git("switch", "-q", "-c", "feat/login")
    sample.commit("feat: add login")
    ran = sample.trunkline("commits")
    assert (ran.code, ran.out) == (0, "1 checked: every message passes\n")


def test_no_shell_reads_a_title(sample: Sample) -> None:
    title = "feat: `touch owned` $(touch owned)\n; touch owned"
    ran = sample.trunkline("commits", "--title-env", "TITLE", TITLE=title)
    assert ran.code == 1
    assert "blank-line" in ran.err
    assert not (sample.root / "owned").exists()


def test_a_title_cannot_begin_a_line_of_the_log(sample: Sample) -> None:
    title = "x\r\n::add-mask::a\x1b[2J"
    ran = sample.trunkline("commits", "--title-env", "TITLE", TITLE=title)
    assert ran.code == 1
    assert "\x1b" not in ran.all
    assert "\n::" not in ran.all


def test_a_message_file_is_read_as_git_reads_it(sample: Sample) -> None:
    sample.write("message", "\nfeat: add login\n# Please enter …\n")
    assert sample.trunkline("commits", "--message-file", "message").code == 0
    ran = sample.trunkline("commits", "--message-file", "-", stdin="# nothing\n")
    assert ran.code == 1
    assert "an empty message" in ran.err
    sample.git("config", "core.commentChar", ";")
    sample.write("message", "feat: add login\n; Please enter …\n")
    assert sample.trunkline("commits", "--message-file", "message").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--range", "main"],
        ["--range", "main...HEAD"],
        ["--range", "nowhere..HEAD"],
        ["--range=--output=owned..HEAD"],
        ["--title-env", "UNSET_VARIABLE"],
        ["--message-file", "nowhere.txt"],
    ],
)
def test_what_cannot_be_read_is_a_question_of_usage(
    sample: Sample, arguments: list[str]
) -> None:
    ran = sample.trunkline("commits", *arguments)
    assert ran.code == 2
    assert "expected" in ran.err or "cannot be read" in ran.err
    assert "Traceback" not in ran.err
    assert not (sample.root / "owned").exists()


def test_a_shallow_clone_that_lacks_the_range_is_refused(released: Sample) -> None:
    released.git("switch", "-q", "-c", "feat/a")
    released.commit("whatever")
    released.commit("feat: b")
    released.push()
    url = f"file://{released.origin}"
    released.git("clone", "-q", "--depth=1", "--no-single-branch", url, "../shallow")
    shallow = Sample(released.root.parent / "shallow", released.origin, released.env)
    ran = shallow.trunkline("commits", "--range", "origin/main..origin/feat/a")
    assert ran.code == 1
    assert "git fetch --unshallow" in ran.err


def test_a_message_that_is_no_utf_8_is_still_judged(sample: Sample) -> None:
    path = sample.root / "message"
    path.write_bytes("feat: Grüße\n".encode("latin-1"))
    assert sample.trunkline("commits", "--message-file", "message").code == 0


def test_the_command_that_changes_an_earlier_commit_is_named(
    sample: Sample,
) -> None:
    sample.git("switch", "-q", "-c", "feat/login")
    first = sample.commit("Add a")
    sample.commit("feat: fine")
    ran = sample.trunkline("commits", "--range", "main..")
    assert ran.code == 1
    assert f"git rebase -i {first[:12]}^" in ran.err
    assert "found:     Add a" in ran.err
