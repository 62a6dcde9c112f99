from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples import Sample
from trunkline.errors import UsageError
from trunkline.gates.audit import judge, own_packages, report
from trunkline.gates.locked import LockedPackages


def answer(**packages: object) -> dict[str, Any]:
    """Build what pip-audit prints; a string is a reason to skip the package."""
    rows = [
        {"name": name, "skip_reason": value}
        if isinstance(value, str)
        else {"name": name, "version": "1.0", "vulns": value}
        for name, value in packages.items()
    ]
    return {"dependencies": rows, "fixes": []}


LOCKED = LockedPackages("", frozenset({"a", "b"}), {})


@given(
    st.dictionaries(
        st.sampled_from("ab"), st.one_of(st.just([]), st.just("not found")), max_size=2
    )
)
def test_passed_means_that_every_locked_package_had_an_answer(
    packages: dict[str, Any],
) -> None:
    result = judge(LOCKED, answer(**packages), "")
    assert (result.exit_code == 0) == (packages == {"a": [], "b": []})


@pytest.mark.parametrize("nothing", [None, [], {}, {"dependencies": None}])
def test_no_answer_means_that_nothing_was_checked(nothing: object) -> None:
    result = judge(LOCKED, nothing, "Could not connect", own={"a"})
    assert result.unanswered == {"a": "Could not connect", "b": "Could not connect"}
    assert "NOT CHECKED: 2 of 2 packages" in report(result)


def test_an_own_package_from_a_private_index_needs_no_answer() -> None:
    result = judge(LOCKED, answer(a="not found on PyPI", b=[]), "", own={"a"})
    assert result.exit_code == 0
    assert "not on an index: a (not found on PyPI)" in report(result)


def test_a_package_with_an_answer_for_one_of_its_versions_is_not_checked() -> None:
    rows = [*answer(a=[], b=[])["dependencies"], *answer(a="none")["dependencies"]]
    assert judge(LOCKED, {"dependencies": rows}, "").unanswered == {"a": "none"}


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


def test_a_vulnerability_is_named_with_the_command_that_fixes_it() -> None:
    found = [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]
    text = report(judge(LOCKED, answer(a=found, b=[]), ""))
    assert "VULNERABLE: a 1.0: PYSEC-1, fixed in 1.1" in text
    assert "type next: uv lock --upgrade-package a" in text


@pytest.fixture
def audited(sample: Sample) -> Sample:
    """The sample with two packages in its lock file that nobody can fetch."""
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
    ran = audited.trunkline("audit", "--osv-url", osv)
    assert ran.code == 0, ran.all
    assert "2 packages without a known vulnerability" in ran.out


@pytest.mark.slow
def test_a_vulnerability_fails_unless_it_is_ignored(
    audited: Sample, vulnerable: str
) -> None:
    ran = audited.trunkline("audit", "--osv-url", vulnerable)
    assert ran.code == 1, ran.all
    assert "VULNERABLE: bad 1.0: GHSA-1" in ran.out
    ran = audited.trunkline("audit", "--osv-url", vulnerable, "--ignore-vuln", "GHSA-1")
    assert ran.code == 0, ran.all


@pytest.mark.slow
def test_without_an_answer_nothing_is_checked(audited: Sample) -> None:
    ran = audited.trunkline("audit", "--osv-url", "http://127.0.0.1:9/query")
    assert ran.code == 75, ran.all
    assert "NOT CHECKED: 2 of 2 packages" in ran.out
