from typing import Any

import pytest

from samples import Sample
from trunkline.errors import UsageError
from trunkline.gates.audit import own_packages, unindexed


@pytest.mark.parametrize(
    "table", [{"own": "money"}, {"own": ["money", 1]}, {"owned": ["money"]}]
)
def test_a_wrong_declaration_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="expected `own`, a list of names"):
        own_packages(table)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ({"registry": "https://pypi.org/simple"}, None),
        ({"git": "https://git.example.com/x.git?tag=v1.0.0#61bd5f69"}, "git"),
        ({"url": "https://user:secret@example.com/x.zip"}, "url"),
        ({"editable": "packages/x"}, None),
        ({"virtual": "."}, None),
        ({"directory": "../x"}, "directory"),
        ({"editable": "/srv/x"}, "editable"),
    ],
)
def test_what_comes_from_no_index_and_is_not_of_this_repository_is_listed(
    source: dict[str, str], kind: str | None
) -> None:
    found = unindexed([{"name": "x", "source": source}])
    assert found == ({"x": kind} if kind else {})


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
