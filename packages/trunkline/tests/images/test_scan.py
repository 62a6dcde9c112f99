"""Scanning with a program that answers as grype does: no package index has grype."""

from datetime import date
from pathlib import Path

import pytest
import tomlkit

from samples import Ran
from services import Service, match, scanner
from trunkline.errors import UsageError
from trunkline.images.scan import accepted_today

TODAY = date(2026, 5, 1)


CRITICAL = match("CVE-2026-1", "Critical", "3.0.2")
HIGH = match("CVE-2026-2", "High", "3.0.2")


def release(service: Service, **env: str) -> Ran:
    """Release the next version, whose commit has an image, and publish it."""
    service.sample.commit("feat: more")
    assert service.sample.trunkline("release", "--yes").code == 0
    service.prebuilt()
    return service.publish(service.sample.git("describe"), **env)


def test_a_scan_refuses_a_release_for_a_critical_hole_that_a_package_fixes(
    service: Service, tmp_path: Path
) -> None:
    ran = release(service, **scanner(tmp_path, HIGH, CRITICAL))
    assert ran.code == 1
    assert "refused by rule `vulnerable`" in ran.err
    assert "CVE-2026-1 in openssl 3.0.1, fixed in 3.0.2" in ran.err
    assert "CVE-2026-2" not in ran.err
    assert list(service.tags()) == [service.head]
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith(f"registry:{service.registry.name}@sha256:")
    assert "--only-fixed" in asked


def test_what_a_scan_refuses_is_refused_before_the_push(
    service: Service, tmp_path: Path
) -> None:
    sample = service.sample
    service.push("feat: more")
    before = sample.picture(), sample.remote_refs()
    found = scanner(tmp_path, CRITICAL)
    for ran in (sample.trunkline("release", **found), sample.cz("bump", **found)):
        assert ran.code != 0, ran.all
        assert "refused by rule `vulnerable`" in ran.err
        assert (sample.picture(), sample.remote_refs()) == before
    (tmp_path / "asked").unlink()
    service.push("build: upgrade")
    ran = sample.trunkline("release", "--strict", **scanner(tmp_path, HIGH))
    assert (ran.code, "released v" in ran.out) == (0, True), ran.all
    # The hook of the bump does not ask again.
    assert (tmp_path / "asked").read_text().count("registry:") == 1


def test_in_ci_a_release_waits_for_the_scan_of_its_commit(
    service: Service, tmp_path: Path
) -> None:
    sample = service.sample
    sample.commit("feat: more")
    sample.push()
    ran = sample.trunkline("release", "--strict", **scanner(tmp_path))
    assert (ran.code, "refused by rule `image`" in ran.err) == (1, True), ran.all
    assert f"branch.yml --commit {sample.git('rev-parse', 'HEAD')}" in ran.err
    service.prebuilt()
    ran = sample.trunkline("release", "--strict", GRYPE=str(tmp_path / "absent"))
    assert (ran.code, "refused by rule `scan`" in ran.err) == (1, True), ran.all
    ran = sample.trunkline("release", "--strict", **scanner(tmp_path))
    assert ran.code == 0, ran.all


def test_a_release_may_have_what_is_accepted_until_a_date(
    service: Service, tmp_path: Path
) -> None:
    document = tomlkit.parse(service.sample.read("pyproject.toml"))
    accepted = {"CVE-2026-1": {"until": date.max, "reason": "it parses no such file"}}
    document["tool"]["trunkline"]["scan"] = accepted
    service.sample.commit("build: accept", {"pyproject.toml": tomlkit.dumps(document)})
    ran = release(service, **scanner(tmp_path, CRITICAL))
    assert (ran.code, "1 fixable, 0 of them critical" in ran.err) == (0, True), ran.all


def test_a_published_version_is_not_judged_again(
    service: Service, tmp_path: Path
) -> None:
    assert release(service, **scanner(tmp_path)).code == 0
    tag = service.sample.git("describe")
    assert service.publish(tag, **scanner(tmp_path, CRITICAL)).code == 0


def test_an_image_that_was_not_scanned_is_refused_in_ci_only(
    service: Service, tmp_path: Path
) -> None:
    absent = {"GRYPE": str(tmp_path / "absent")}
    ran = release(service, **absent)
    assert (ran.code, "not scanned" in ran.err) == (0, True), ran.all
    service.forget(service.sample.git("describe").removeprefix("v"))
    ran = service.publish(service.sample.git("describe"), "--strict", **absent)
    assert (ran.code, "refused by rule `scan`" in ran.err) == (1, True), ran.all


@pytest.mark.parametrize("until", [TODAY, date(2026, 4, 30)])
def test_an_exception_ends_on_its_date(until: date) -> None:
    table = {"CVE-2026-1": {"until": until, "reason": "it parses no such file"}}
    assert accepted_today(table, TODAY) == ({"CVE-2026-1"} if until == TODAY else set())


@pytest.mark.parametrize(
    "entry",
    [
        "no such input",
        {"reason": "x"},
        {"until": TODAY},
        {"until": "2026-05-01", "reason": "x"},
    ],
)
def test_an_exception_needs_a_date_and_a_reason(entry: object) -> None:
    with pytest.raises(UsageError, match="expected a date and a reason"):
        accepted_today({"CVE-2026-1": entry}, TODAY)
