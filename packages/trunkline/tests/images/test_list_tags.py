"""`trunkline tags` on real repositories."""

import hashlib
import json

import pytest

from samples import Sample

IMAGE = {"TRUNKLINE_IMAGE": "127.0.0.1:5000/Team/My-App"}


def names(sample: Sample, *ref: str) -> list[str]:
    ran = sample.trunkline("tags", *ref, "--json")
    assert ran.code == 0, ran.all
    return [tag["name"] for tag in json.loads(ran.out)["tags"]]


def short(sample: Sample, ref: str = "HEAD") -> str:
    return f"sha-{sample.git('rev-parse', '--short=12', f'{ref}^{{commit}}')}"


def test_what_is_printed_is_the_contract(released: Sample) -> None:
    ran = released.trunkline("tags", "v1.1.0", "--json", **IMAGE)
    commit = released.git("rev-parse", "v1.1.0^{commit}")
    assert json.loads(ran.out) == {
        "ref": "refs/tags/v1.1.0",
        "kind": "release",
        "commit": commit,
        "image": "127.0.0.1:5000/team/my-app",
        "version": "1.1.0",
        "tags": [
            {
                "name": f"sha-{commit[:12]}",
                "mutable": False,
                "why": "the image of this commit",
            },
            {"name": "1.1.0", "mutable": False, "why": "release v1.1.0"},
            {
                "name": "latest",
                "mutable": True,
                "why": "1.1.0 is the highest stable version in git; "
                "the registry was not asked",
            },
        ],
    }


@pytest.mark.parametrize("ref", [(), ("main",), ("refs/heads/main",)])
def test_a_branch_is_found_by_any_of_its_names(
    released: Sample, ref: tuple[str, ...]
) -> None:
    assert names(released, *ref) == [short(released), "main"]


@pytest.mark.parametrize("ref", ["v1.0.0", "refs/tags/v1.0.0"])
def test_an_older_release_is_not_the_latest(released: Sample, ref: str) -> None:
    assert names(released, ref) == [short(released, "v1.0.0"), "1.0.0"]


def test_the_remotes_tags_decide_on_the_latest(released: Sample) -> None:
    other = released.clone("other")
    other.commit("feat: more")
    other.bump()
    assert names(released, "v1.1.0") == [short(released, "v1.1.0"), "1.1.0"]


def test_a_hotfix_of_the_highest_version_is_the_latest(released: Sample) -> None:
    released.git("checkout", "-q", "-b", "hotfix/v1.1.1", "v1.1.0")
    released.commit("fix: a crash")
    released.bump("--increment", "PATCH")
    assert names(released, "v1.1.1")[1:] == ["1.1.1", "latest"]
    assert names(released) == [short(released), "hotfix-v1-1-1"]


def test_a_branch_that_only_the_remote_has_is_known(released: Sample) -> None:
    released.git("push", "-q", "origin", "HEAD:refs/heads/feat/there")
    assert names(released, "feat/there")[1] == "feat-there"


@pytest.mark.parametrize(
    ("branch", "tag"),
    [
        ("latest", "branch-latest"),
        ("1.2.0", "branch-1-2-0"),
        ("v1.2.0", "branch-v1-2-0"),
        ("sha-abc", "branch-sha-abc"),
        ("ü/ß", "branch-HASH"),
        ("-", "branch-HASH"),
        ("a/" * 100 + "b" * 100, "a-" * 27 + "-HASH"),
        ("Feat/Login_Button", "feat-login-button"),
    ],
)
def test_a_branch_of_any_name_gets_a_tag_of_its_own(
    released: Sample, branch: str, tag: str
) -> None:
    released.git("update-ref", f"refs/heads/{branch}", "HEAD")
    released.git("push", "-q", "origin", f"refs/heads/{branch}")
    digits = hashlib.sha256(branch.encode()).hexdigest()[:8]
    wanted = tag.replace("HASH", digits)
    assert names(released, f"refs/heads/{branch}")[1] == wanted


def test_two_live_branches_with_one_tag_are_refused_with_both_names(
    released: Sample,
) -> None:
    for branch in ("feat/a-b", "feat-a/b"):
        released.git("push", "-q", "origin", f"HEAD:refs/heads/{branch}")
    ran = released.trunkline("tags", "feat-a/b")
    assert (ran.code, "rule `branch-tag`" in ran.err) == (1, True), ran.all
    assert "branches feat-a/b and feat/a-b both get image tag feat-a-b" in ran.err


def test_a_branch_may_take_the_tag_of_one_that_is_gone(released: Sample) -> None:
    for branch in ("feat/a-b", "feat-a/b"):
        released.git("push", "-q", "origin", f"HEAD:refs/heads/{branch}")
    released.git("push", "-q", "origin", ":refs/heads/feat/a-b")
    assert names(released, "feat-a/b")[1] == "feat-a-b"


def test_a_shallow_clone_is_refused(released: Sample) -> None:
    origin = f"file://{released.origin}"
    released.git("clone", "-q", "--depth=1", origin, "../shallow")
    shallow = Sample(released.root.parent / "shallow", released.origin, released.env)
    ran = shallow.trunkline("tags")
    assert (ran.code, "rule `shallow`" in ran.err) == (1, True), ran.all
    assert "git fetch --unshallow --tags origin" in ran.err
    shallow.git("fetch", "-q", "--unshallow", "--tags", "origin")
    assert shallow.trunkline("tags").code == 0


def test_a_release_beside_the_branches_is_refused(released: Sample) -> None:
    released.git("checkout", "-q", "--detach")
    released.commit("feat: log out")
    released.git("checkout", "-q", "-B", "main")
    assert released.cz("bump", "--yes").code == 0
    released.git("push", "-q", "origin", "v1.2.0")
    ran = released.trunkline("tags", "v1.2.0")
    assert (ran.code, "rule `orphan-tag`" in ran.err) == (1, True), ran.all


def test_a_version_tag_made_by_hand_is_refused(released: Sample) -> None:
    released.git("tag", "v7.0.0")
    released.git("push", "-q", "--no-verify", "origin", "v7.0.0")
    ran = released.trunkline("tags", "v7.0.0")
    assert (ran.code, "rule `hand-made-tag`" in ran.err) == (1, True), ran.all


def test_a_tag_that_was_not_pushed_is_refused(released: Sample) -> None:
    released.commit("feat: more")
    assert released.cz("bump", "--yes").code == 0
    ran = released.trunkline("tags", "v1.2.0")
    assert (ran.code, "origin has no tag v1.2.0" in ran.err) == (1, True), ran.all
    command = ran.err.rpartition("type next: ")[2].partition("  (")[0]
    assert released.run(*command.split()).code == 0
    assert released.trunkline("tags", "v1.2.0").code == 0


@pytest.mark.parametrize(
    ("tag", "says"), [("wire-v1.2.0", "a version of wire alone"), ("scratch", "")]
)
def test_another_tag_gets_no_image(released: Sample, tag: str, says: str) -> None:
    released.git("tag", tag)
    ran = released.trunkline("tags", f"refs/tags/{tag}")
    assert (ran.code, "gets no image" in ran.err) == (2, True), ran.all
    assert says in ran.err


def test_a_name_of_a_branch_and_a_tag_is_refused_with_both(released: Sample) -> None:
    released.git("branch", "v1.1.0")
    ran = released.trunkline("tags", "v1.1.0")
    assert ran.code == 2
    assert "refs/heads/v1.1.0 or refs/tags/v1.1.0" in ran.err


def test_a_ref_that_is_not_there_is_named(released: Sample) -> None:
    ran = released.trunkline("tags", "feat/nowhere")
    assert (ran.code, "feat/nowhere" in ran.err) == (2, True)
    assert "git fetch --tags origin" in ran.err


def test_a_detached_head_at_a_release_says_what_to_type(released: Sample) -> None:
    released.git("checkout", "-q", "v1.0.0")
    ran = released.trunkline("tags")
    assert ran.code == 2
    assert "HEAD is detached at tag v1.0.0" in ran.err
    assert "type next: uv run trunkline tags v1.0.0" in ran.err


def test_a_remote_that_does_not_answer_is_no_empty_remote(released: Sample) -> None:
    released.git("config", "remote.origin.url", "/nonexistent.git")
    ran = released.trunkline("tags")
    assert (ran.code, "rule `remote`" in ran.err) == (1, True), ran.all


def test_a_repository_without_a_remote_has_tags_too(sample: Sample) -> None:
    sample.git("remote", "remove", "origin")
    assert names(sample) == [short(sample), "main"]


def test_a_workflow_gets_one_line_for_each_value(released: Sample) -> None:
    file = released.root.parent / "output"
    ran = released.trunkline(
        "tags", "v1.0.0", "--github-output", **IMAGE, GITHUB_OUTPUT=str(file)
    )
    assert ran.code == 0, ran.all
    commit = released.git("rev-parse", "v1.0.0^{commit}")
    assert file.read_text().splitlines() == [
        "kind=release",
        f"commit={commit}",
        "image=127.0.0.1:5000/team/my-app",
        "version=1.0.0",
        "tag=1.0.0",
        f"tags=sha-{commit[:12]} 1.0.0",
    ]


def test_the_weekly_audit_gets_the_hotfix_lines_too(released: Sample) -> None:
    file = released.root.parent / "output"
    released.git("tag", "-a", "-m", "v0.9.1", "v0.9.1", "v1.0.0~")
    ran = released.trunkline(
        "tags", "--maintained", "--github-output", GITHUB_OUTPUT=str(file)
    )
    assert ran.code == 0, ran.all
    assert json.loads(file.read_text().partition("=")[2]) == ran.out.split()
    assert ran.out.split() == ["main", "1.1.0", "0.9.1"]


def test_outside_a_workflow_its_output_is_refused(released: Sample) -> None:
    ran = released.trunkline("tags", "--github-output", GITHUB_OUTPUT="")
    assert (ran.code, "GITHUB_OUTPUT" in ran.err) == (2, True)


def test_people_read_a_table(released: Sample) -> None:
    ran = released.trunkline("tags")
    said = f"{short(released)}  stays  the image of this commit"
    assert (ran.code, said in ran.out) == (0, True), ran.all
    assert "moves  moves with branch main" in ran.out
