"""A trunk and a hotfix branch."""

from samples import Ran, Sample

CRASH = {"crash.txt": "fixed\n"}


def release_hotfix(
    sample: Sample,
    *,
    version: str = "1.1.1",
    since: str = "v1.1.0",
    files: dict[str, str] | None = None,
) -> str:
    """Release a hotfix from its own branch, return to main; returns the fix."""
    sample.git("switch", "-q", "-c", f"hotfix/v{version}", since)
    fix = sample.commit("fix: a crash", files or CRASH)
    sample.bump("--increment", "PATCH")
    sample.git("switch", "-q", "main")
    return fix


def arrange(sample: Sample, *messages: str, alpha: bool = False, bump: bool) -> None:
    """Add commits to main, and a release if `bump` is set."""
    for message in messages:
        sample.commit(message)
    sample.push()
    if bump:
        sample.bump(*(["--prerelease", "alpha"] if alpha else []))


def backported(sample: Sample, *arguments: str) -> Ran:
    ran = sample.trunkline("backport", *(arguments or ("v1.1.1",)))
    assert ran.code == 0, ran.all
    return ran


def headings(sample: Sample) -> list[str]:
    lines = sample.read("CHANGELOG.md").splitlines()
    return [line.split()[1] for line in lines if line.startswith("## ")]


def entries(sample: Sample, tag: str) -> list[str]:
    """Return the entries of one section without their commits."""
    section = sample.read("CHANGELOG.md").partition(f"## {tag} ")[2].partition("\n## ")
    lines = section[0].splitlines()
    return [line[2:].rpartition(" (")[0] for line in lines if line.startswith("- ")]
