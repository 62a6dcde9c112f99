from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples import Sample
from trunkline.errors import UsageError
from trunkline.gates.audit import own_packages, unindexed


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"own": "money"}, r"own is 'money'; expected a list of names"),
        ({"own": ["money", 1]}, r"own is \['money', 1\]; expected a list of names"),
        ({"owned": ["money"]}, "unknown key `owned`; expected `own`"),
    ],
)
def test_a_wrong_declaration_is_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        own_packages(table)


def source(**kind: str) -> dict[str, str]:
    """Return where the lock file's package `x` comes from, if from no index."""
    return unindexed([{"name": "x", "source": kind}])


def test_what_comes_from_no_index_is_listed() -> None:
    assert source(registry="https://pypi.org/simple") == {}
    assert source(url="https://example.com/x.zip") == {"x": "https://example.com/x.zip"}


def test_a_source_is_shown_with_its_tag_or_its_commit() -> None:
    url = "https://git.example.com/x.git"
    commit = "61bd5f691cb20591e8eeeaf153d0820c4db1af7b"
    tagged = f"{url}?subdirectory=packages%2Fx&tag=v1.0.0#{commit}"
    assert source(git=tagged) == {"x": f"git+{url}@v1.0.0"}
    assert source(git=f"{url}#{commit}") == {"x": f"git+{url}@61bd5f691cb2"}


def test_a_folder_counts_only_outside_the_repository() -> None:
    assert source(editable="packages/x") == source(virtual=".") == {}
    assert source(directory="../x") == {"x": "../x"}
    assert source(editable="/srv/x") == {"x": "/srv/x"}


@given(st.text(alphabet="abc:%20", min_size=1))
def test_credentials_in_an_address_are_never_shown(credentials: str) -> None:
    found = source(url=f"https://{credentials}@files.example.com/x-1.0.tar.gz")
    assert found == {"x": "https://files.example.com/x-1.0.tar.gz"}


@pytest.fixture
def audited(sample: Sample) -> Sample:
    """The sample with two packages in its lock file that nobody can fetch."""
    sample.env = {**sample.env, "UV_OFFLINE": "0"}
    package = (
        '\n[[package]]\nname = "{0}"\nversion = "1.0"\n'
        'source = {{ registry = "https://pypi.org/simple" }}\n'
        'sdist = {{ url = "https://files.example.com/{0}-1.0.tar.gz", '
        'hash = "sha256:{1}" }}\n'
    )
    lock = sample.read("uv.lock")
    lock = lock.replace(
        'source = { virtual = "." }\n',
        'source = { virtual = "." }\n'
        'dependencies = [{ name = "good" }, { name = "bad" }]\n',
    )
    packages = "".join(package.format(name, "0" * 64) for name in ("bad", "good"))
    sample.write("uv.lock", lock + packages)
    return sample


@pytest.mark.slow
def test_packages_without_a_vulnerability_pass(audited: Sample, osv: str) -> None:
    ran = audited.trunkline("audit", "--service-url", osv)
    assert ran.code == 0, ran.all
    assert "no known vulnerabilities" in ran.out


@pytest.mark.slow
def test_a_vulnerability_fails_unless_it_is_ignored(
    audited: Sample, vulnerable: str
) -> None:
    ran = audited.trunkline("audit", "--service-url", vulnerable)
    assert ran.code == 1, ran.all
    assert "bad 1.0 has 1 known vulnerability" in ran.out
    ran = audited.trunkline("audit", "--service-url", vulnerable, "--ignore", "GHSA-1")
    assert ran.code == 0, ran.all


@pytest.mark.slow
def test_without_an_answer_nothing_is_checked(audited: Sample) -> None:
    ran = audited.trunkline("audit", "--service-url", "http://127.0.0.1:9/")
    assert ran.code == 75, ran.all
    assert "NOT CHECKED" in ran.err
