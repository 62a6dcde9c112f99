"""docs/staging.md, typed in a fresh service: to the first deploy and back."""

from collections.abc import Iterator

import pytest

from deploy.shops import end_all
from generated import fresh, run
from playbook import blocks
from registries import free_port
from samples import Sample

pytestmark = pytest.mark.slow


@pytest.fixture
def service(upstream: Sample) -> Iterator[Sample]:
    """A service with a branch on its remote, and another address for staging."""
    made = fresh(upstream)
    port, remote = free_port(), made.root.parent / "remote.git"
    settings = made.read("pyproject.toml")
    settings = settings.replace('8100"', f'{port}"\nwindow = 2')
    made.write("pyproject.toml", settings)
    page = made.read("docs/staging.md")
    made.write("docs/staging.md", page.replace("8100", str(port)))
    run(made, "make", "setup")
    commit = ("commit", "-q", "--no-verify", "--all", "--allow-empty", "--message")
    for words in (
        ("init", "-q", "--bare", str(remote)),
        ("remote", "add", "origin", str(remote)),
        (*commit, "chore: choose a port"),
        (*commit, "feat(login): show a login button"),
        ("push", "-q", "--no-verify", "origin", "main:feat/login-button"),
        ("reset", "-q", "--hard", "HEAD^"),
        ("push", "-q", "--no-verify", "origin", "main"),
    ):
        run(made, "git", *words)
    yield made
    end_all(made.root / ".git/trunkline/deploy/staging")


def test_the_page_leads_to_staging_and_back(service: Sample) -> None:
    typed = [
        run(service, "bash", "-euo", "pipefail", "-c", block.text)
        for block in blocks(service.read("docs/staging.md"))
        if (block.language, block.words) == ("bash", ())
    ]
    there, back = typed
    assert '"branch":"feat-login-button"' in there
    assert "feat-login-button" in there.splitlines()[-1]
    assert "is healthy" in there
    assert back.startswith("main ")
    history = back.splitlines()[1:]
    assert [line.split()[2] for line in history] == ["take", "deploy", "deploy"]
