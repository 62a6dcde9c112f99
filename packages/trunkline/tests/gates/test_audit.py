import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples import Sample
from trunkline.gates.audit import Locked, judge, read_locked, report

EXPORTED = r"""# made by uv
anyio==4.16.0 ; python_full_version >= "3.8" \
    --hash=sha256:aa \
    --hash=sha256:bb
    # via my-app
colorama==0.4.6 ; sys_platform == 'win32' \
    --hash=sha256:cc
numpy==1.0 ; python_version < '3.13' \
    --hash=sha256:dd
numpy==2.0 ; python_version >= '3.13' \
    --hash=sha256:ee
money @ git+https://git.example.com/money.git@0123
    # via my-app
rules @ git+https://git.example.com/my-app.git@0123#subdirectory=packages/rules
"""


def test_what_is_locked_for_another_platform_is_audited_too() -> None:
    locked = read_locked(EXPORTED)
    assert "colorama==0.4.6 \\\n" in locked.requirements
    assert "anyio==4.16.0 \\\n    --hash=sha256:aa \\\n" in locked.requirements
    assert "numpy==1.0 ; python_version" in locked.requirements
    assert locked.pinned == {"anyio", "colorama", "numpy"}


def test_a_package_from_git_is_not_checked_unless_it_is_our_own() -> None:
    locked = read_locked(EXPORTED, own={"rules"})
    assert set(locked.elsewhere) == {"money"}
    assert "@" not in locked.requirements


def answer(**packages: object) -> dict[str, Any]:
    """Build what pip-audit prints; a string is a reason to skip the package."""
    rows = [
        {"name": name, "skip_reason": value}
        if isinstance(value, str)
        else {"name": name, "version": "1.0", "vulns": value}
        for name, value in packages.items()
    ]
    return {"dependencies": rows, "fixes": []}


LOCKED = Locked("", frozenset({"a", "b"}), {})


@given(
    st.dictionaries(
        st.sampled_from("ab"), st.one_of(st.just([]), st.just("not found")), max_size=2
    )
)
def test_passed_means_that_every_locked_package_had_an_answer(
    packages: dict[str, Any],
) -> None:
    verdict = judge(LOCKED, answer(**packages), "")
    passed = not verdict.vulnerable and not verdict.unknown
    assert passed == (packages == {"a": [], "b": []})


@pytest.mark.parametrize("nothing", [None, [], {}, {"dependencies": None}])
def test_no_answer_means_that_nothing_was_checked(nothing: object) -> None:
    verdict = judge(LOCKED, nothing, "Could not connect")
    assert verdict.unknown == {"a": "Could not connect", "b": "Could not connect"}
    assert "NOT CHECKED: 2 of 2 packages" in report(verdict)


def test_a_vulnerability_is_named_with_the_command_that_fixes_it() -> None:
    found = [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]
    text = report(judge(LOCKED, answer(a=found, b=[]), ""))
    assert "VULNERABLE: a 1.0: PYSEC-1, fixed in 1.1" in text
    assert "type next: uv lock --upgrade-package a" in text


class Osv(BaseHTTPRequestHandler):
    """Answers as osv.dev does; `known` maps names to ids of vulnerabilities."""

    known: ClassVar[dict[str, str]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        name = json.loads(body)["package"]["name"]
        vulns = [
            {
                "id": self.known.get(name),
                "summary": "bad",
                "affected": [
                    {
                        "package": {"name": name, "ecosystem": "PyPI"},
                        "ranges": [
                            {"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}
                        ],
                    }
                ],
            }
        ]
        content = json.dumps({"vulns": vulns} if name in self.known else {}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def osv() -> Iterator[str]:
    """Address of a local advisory service."""
    server = HTTPServer(("127.0.0.1", 0), Osv)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/query"
    server.shutdown()
    thread.join()
    server.server_close()


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
@pytest.mark.parametrize(
    ("known", "options", "ended"),
    [
        ({}, [], (0, "2 packages without a known vulnerability")),
        ({"bad": "GHSA-1"}, [], (1, "VULNERABLE: bad 1.0: GHSA-1")),
        ({"bad": "GHSA-1"}, ["--ignore-vuln", "GHSA-1"], (0, "2 packages without")),
    ],
)
def test_real_pip_audit_is_read_right(
    audited: Sample,
    osv: str,
    known: dict[str, str],
    options: list[str],
    ended: tuple[int, str],
) -> None:
    Osv.known = known
    ran = audited.trunkline("audit", "--osv-url", osv, *options)
    assert ran.code == ended[0], ran.all
    assert ended[1] in ran.out


@pytest.mark.slow
def test_a_service_that_is_away_is_not_checked(audited: Sample) -> None:
    ran = audited.trunkline("audit", "--osv-url", "http://127.0.0.1:9/query")
    assert ran.code == 75, ran.all
    assert "NOT CHECKED: 2 of 2 packages" in ran.out
