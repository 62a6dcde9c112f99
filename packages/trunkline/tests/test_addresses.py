"""An address of a repository: one form for git, uv and copier, and never a password."""

from pathlib import Path

import pytest
from copier._vcs import get_repo
from hypothesis import given
from hypothesis import strategies as st

from trunkline.addresses import canonical_url, is_relative, recorded
from trunkline.template.render import dependency_words

FORMS = {
    "gh:acme/template": "https://github.com/acme/template.git",
    "gl:acme/template.git": "https://gitlab.com/acme/template.git",
    "https://github.com/acme/template": "https://github.com/acme/template.git",
    "git@git.acme.test:team/x": "ssh://git@git.acme.test/team/x",
    "git.acme.test:team/x": "ssh://git.acme.test/team/x",
    "ssh://git@Git.Acme.Test/team/x.git/": "ssh://git@git.acme.test/team/x.git",
    "git+https://git.acme.test/team/x": "https://git.acme.test/team/x",
    "https://acme@dev.azure.com/acme/p/_git/x": "https://dev.azure.com/acme/p/_git/x",
    "https://ada:secret@git.acme.test/x.git": "https://git.acme.test/x.git",
    "ssh://git:secret@git.acme.test:2222/x": "ssh://git@git.acme.test:2222/x",
    "/srv/git/a b.git": "file:///srv/git/a%20b.git",
    "file:///srv/git/x": "file:///srv/git/x",
}


@pytest.mark.parametrize("typed", FORMS)
def test_an_address_has_one_form(typed: str) -> None:
    url = canonical_url(typed)
    assert url == FORMS[typed]
    assert canonical_url(url) == url
    assert canonical_url(recorded(url)) == url


@pytest.mark.parametrize("url", FORMS.values())
def test_copier_takes_what_is_recorded_for_the_same_repository(url: str) -> None:
    assert get_repo(recorded(url)) == url


SECRETS = st.text("abcdefgXYZ0123456789%._~-", min_size=8)


@given(SECRETS, st.sampled_from(["https", "http", "ssh", "git+https"]))
def test_a_password_is_never_part_of_it(secret: str, scheme: str) -> None:
    url = canonical_url(f"{scheme}://ada:{secret}@git.acme.test/team/x.git")
    assert secret not in url
    assert "git.acme.test/team/x.git" in url


def test_a_path_is_this_machine_s_wherever_it_is_typed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert canonical_url("T2") == (tmp_path / "T2").as_uri()
    assert is_relative("T2")
    assert is_relative("../T2")
    assert not any(is_relative(typed) for typed in FORMS)


def test_the_tool_is_pinned_to_a_release_or_else_to_a_commit() -> None:
    released = dependency_words("gh:acme/t", "v1.2.0-alpha.1", "c0ffee")
    assert released["pin"] == 'tag = "v1.2.0-alpha.1"'
    described = dependency_words("gh:acme/t", "v1.2.0-1-gc0ffee", "c0ffee")
    assert (described["pin"], described["query"]) == ('rev = "c0ffee"', "rev=c0ffee")
