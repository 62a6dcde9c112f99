"""What a candidate's migrations are to the database, decided."""

import json

import pytest

from trunkline.deploy.environments import Environment
from trunkline.deploy.preflight import DatabaseReport, read_report, require_known
from trunkline.errors import FailedError, Refusal


def answer(state: str, pending: list[str], unknown: list[str]) -> str:
    listed = [{"id": one, "subject": f"Add {one}"} for one in pending]
    return json.dumps({"state": state, "pending": listed, "unknown": unknown})


def known(report: DatabaseReport, accepts: str = "any") -> None:
    require_known(report, "feat-x", Environment("staging", "", accepts=accepts))


@pytest.mark.parametrize(
    ("state", "said"), [("same", "up to date"), ("ahead", "ahead")]
)
def test_a_database_that_has_everything_is_left_as_it_is(state: str, said: str) -> None:
    report = read_report(answer(state, [], []))
    known(report)
    assert report.lines == [f"the database is {said}; nothing to migrate"]
    assert not report.migrates


def test_what_will_be_migrated_is_listed_with_its_subject() -> None:
    report = read_report(answer("behind", [f"m{n}" for n in range(12)], []))
    known(report)
    assert report.lines[0] == "will migrate: m0 Add m0"
    assert report.lines[-1] == "will migrate: and 2 more"
    assert report.migrates


def test_a_subject_is_one_printable_line_of_limited_length() -> None:
    pending = ["x" * 300 + "\n\x1b[31m" + "y" * 300]
    (line,) = read_report(answer("behind", pending, [])).lines
    assert line.isprintable()
    assert len(line) < 200


def test_migrations_of_another_branch_are_refused_with_the_ways_out() -> None:
    with pytest.raises(Refusal) as refused:
        known(read_report(answer("unknown", ["m2"], ["stranger"])))
    said = str(refused.value)
    assert "migrations that feat-x lacks: stranger" in said
    for way in ("--own-database", "--new-database", "--downgrade"):
        assert f"uv run trunkline deploy feat-x --to staging {way}" in said


def test_where_only_releases_are_accepted_no_way_loses_data() -> None:
    with pytest.raises(Refusal) as refused:
        known(read_report(answer("unknown", [], ["stranger"])), "releases")
    assert "--" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"state": 1}', "null", "Traceback"])
def test_an_answer_that_makes_no_sense_is_a_failure(text: str) -> None:
    with pytest.raises(FailedError, match="expected JSON"):
        read_report(text)
